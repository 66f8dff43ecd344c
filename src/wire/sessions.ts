// The shapes of devices on the wire.
import { type Static, Type } from 'typebox';

/** One running session, as its owner sees it. */
export const Device = Type.Object(
  {
    id: Type.String(),
    label: Type.Union([Type.String(), Type.Null()], {
      description: 'What the browser or program calls itself.',
    }),
    address: Type.Union([Type.String(), Type.Null()], { description: 'Where the log-in came from.' }),
    created_at: Type.String(),
    last_seen_at: Type.String({ description: 'The last log-in or refresh.' }),
    expires_at: Type.String({ description: 'When it ends if it is not used.' }),
    current: Type.Boolean({ description: 'Whether this is the session that asks.' }),
  },
  {
    title: 'Device',
    examples: [
      {
        id: 'h3l9W0mP6sQ2vX8yZ1aBcD',
        label: 'Firefox on Linux',
        address: '192.0.2.7',
        created_at: '2026-11-25T12:00:00.000Z',
        last_seen_at: '2026-11-25T12:30:00.000Z',
        expires_at: '2026-12-25T12:30:00.000Z',
        current: true,
      },
    ],
  },
);
/** One running session. */
export type Device = Static<typeof Device>;

/** `GET /users/me/sessions`, the one last seen first. */
export const DeviceList = Type.Object({ data: Type.Array(Device) }, { title: 'DeviceList' });

/** `DELETE /users/me/sessions/{id}`. */
export const SessionId = Type.Object({
  id: Type.String({ maxLength: 64, description: 'The id of a session.' }),
});
