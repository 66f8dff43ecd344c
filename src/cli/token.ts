// `latchkey token …`: read one, or make one for an account.
import { toSeconds } from '../clock.ts';
import { longestLife, makeToken } from '../flows/make-token.ts';
import { duration } from '../setting-values.ts';
import { decodeBase64url, splitCompact } from '../tokens/compact.ts';
import { parseObject } from '../tokens/strict-json.ts';
import { readSecretInput } from './ask.ts';
import { type Call, type Command, CommandError, UsageError } from './command.ts';
import { findUser, nameOf } from './find-user.ts';
import { inHouse } from './open.ts';
import { pairs } from './print.ts';
import { dateWords, distanceWords, lengthWords } from './time-words.ts';

const timeNames = ['iat', 'nbf', 'exp', 'auth_time'];

/** `latchkey token decode`. */
export const tokenDecode: Command = {
  words: ['token', 'decode'],
  summary: 'Show what a token says, without asking whether it is good.',
  details:
    'Anybody can write a token that says anything: nothing is verified here. Without TOKEN it is read from standard input, where the history of the shell does not keep it.',
  arguments: [{ name: 'TOKEN', help: 'The token; standard input if left out.', optional: true }],
  example: 'npx latchkey token decode < token.txt',
  async run(call) {
    const token = call.argumentIf('TOKEN') ?? (await readSecretInput(call.terminal));
    const { header, claims } = decodeToken(token.trim().replace(/^Bearer +/i, ''));
    const now = call.terminal.clock.now();
    const times = timeNames.flatMap((name) => {
      const value = claims[name];
      return typeof value === 'number' ? [{ name, ...timeIn(value, now) }] : [];
    });
    const text = [
      'Not verified: this is what the token says of itself.\n\n',
      pairs([...rowsOf('header ', header), ...rowsOf('', claims, times)]),
    ];
    call.answer({ verified: false, header, claims, times }, text.join(''));
    return 0;
  },
};

interface Told {
  readonly name: string;
  readonly at: string;
  readonly words: string;
}

function timeIn(seconds: number, now: number): Omit<Told, 'name'> {
  const instant = seconds * 1000;
  return { at: dateWords(instant), words: distanceWords(instant, now) };
}

function rowsOf(prefix: string, members: object, times: readonly Told[] = []): [string, string][] {
  return Object.entries(members).map(([name, value]) => {
    const time = times.find((one) => one.name === name);
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return [`${prefix}${name}`, time === undefined ? text : `${text} (${time.at}, ${time.words})`];
  });
}

function decodeToken(token: string): { header: object; claims: Record<string, unknown> } {
  const parts = splitCompact(token);
  const [header, claims] = [parts?.header, parts?.payload].map((part) => {
    const bytes = part === undefined ? null : decodeBase64url(part);
    return bytes === null ? null : parseObject(bytes);
  });
  if (!header || !claims)
    throw new CommandError(
      'This is no token: a token is three texts in base64url with dots, the first two of them JSON.',
    );
  return { header, claims };
}

/** `latchkey token make`. */
export const tokenMake: Command = {
  words: ['token', 'make'],
  summary: 'Make an access token for an account, without its password.',
  details:
    'The token is a session of the account: it is seen among its devices, and `latchkey sessions end` kills it. It is never fresh, carries no scope that the account has not, and lives no longer than access tokens do (LATCHKEY_ACCESS_TTL).',
  arguments: [{ name: 'NAME', help: 'The username, the address or the id.' }],
  options: {
    ttl: {
      kind: 'text',
      value: 'DURATION',
      help: 'How long it lives, such as 5m; as long as others if not said.',
    },
    scope: { kind: 'texts', value: 'SCOPE', help: 'Only this scope of the account; may be given again.' },
  },
  example: 'npx latchkey token make ada --ttl 5m --scope reports:read',
  opens: true,
  run: (call) =>
    inHouse(call, async ({ latchkey, house }) => {
      const lifeMs = lifeFrom(call);
      if (lifeMs !== null && lifeMs > longestLife(house)) {
        throw new CommandError(
          `No access token lives longer than ${lengthWords(longestLife(house))} here. Ask for less, or set LATCHKEY_ACCESS_TTL for the server and start it again.`,
        );
      }
      const user = await findUser(latchkey, call.argument('NAME'));
      if (user.disabled) throw new CommandError(`The account ${nameOf(user)} is disabled.`);
      const stored = await house.store.accounts.find(user.id);
      if (stored === null) throw new CommandError(`There is no account ${nameOf(user)} any more.`);
      const scopes = call.texts('scope');
      const made = await makeToken(house, stored.account, { lifeMs, scopes });
      const left = (scopes ?? []).filter((scope) => !made.scopes.includes(scope));
      if (left.length > 0) call.notice(`The account has not the scope ${left.join(', ')}: left out.`);
      call.notice(
        `A token for ${nameOf(user)}, good for ${lengthWords(made.expiresIn * 1000)}, in the session ${made.session.id}.`,
      );
      const answer = {
        ...{ access_token: made.token, token_type: 'Bearer', expires_in: made.expiresIn },
        ...{ scope: made.scopes.join(' '), session_id: made.session.id, user_id: user.id },
        expires_at: toSeconds(made.session.refreshExpiresAt),
      };
      call.answer(answer, `${made.token}\n`);
      return 0;
    }),
};

const readLife = duration({ least: '1s', most: '24h', wholeSeconds: true });

function lifeFrom(call: Call): number | null {
  const text = call.text('ttl');
  if (text === null) return null;
  const reading = readLife(text);
  if ('fault' in reading) throw new UsageError(`--ttl ${reading.fault}.`);
  return reading.value;
}
