// `latchkey keys …`: the ring of keys, as the operator may turn it.
import { findSecrets } from '../data-folder.ts';
import { openKeyHolder } from '../flows/key-holder.ts';
import { resealKeys } from '../flows/rotate-keys.ts';
import type { KeyInfo } from '../library.ts';
import { exportPrivateJwk, type Jwk, type KeyPair } from '../tokens/key.ts';
import { publishedKeys } from '../tokens/keyring.ts';
import { type Call, type Command, CommandError } from './command.ts';
import { inHouse, inStore } from './open.ts';
import { jsonText, pairs, table } from './print.ts';
import { dateWords } from './time-words.ts';

/** `latchkey keys list`. */
export const keysList: Command = {
  words: ['keys', 'list'],
  summary: 'List the keys, and where each stands.',
  example: 'npx latchkey keys list',
  opens: true,
  run: (call) =>
    inHouse(call, async ({ latchkey }) => {
      listKeys(call, latchkey.keys.list());
      return 0;
    }),
};

function listKeys(call: Call, keys: readonly KeyInfo[]): void {
  const head = ['KID', 'PURPOSE', 'ALGORITHM', 'STATE', 'SIGNS FROM', 'SIGNS UNTIL'];
  const rows = keys.map(({ kid, purpose, algorithm, state, signsFrom, signsUntil }) => [
    ...[kid, purpose, algorithm, state],
    ...[dateWords(signsFrom.getTime()), dateWords(signsUntil.getTime())],
  ]);
  const answer = keys.map(({ kid, purpose, algorithm, state, createdAt, signsFrom, signsUntil }) => ({
    ...{ kid, purpose, algorithm, state },
    created_at: createdAt.toISOString(),
    signs_from: signsFrom.toISOString(),
    signs_until: signsUntil.toISOString(),
  }));
  call.answer({ keys: answer }, table(head, rows));
}

/** `latchkey keys rotate`. */
export const keysRotate: Command = {
  words: ['keys', 'rotate'],
  summary: 'Make the next signing key.',
  details:
    'It is published at once and signs some minutes later, when every guard has it. With --now it signs at once, and guards elsewhere may refuse its tokens until they have fetched it. Tokens of the key before stay good either way.',
  options: { now: { kind: 'flag', help: 'Let it sign at once.' } },
  example: 'npx latchkey keys rotate',
  opens: true,
  run: (call) =>
    inHouse(call, async ({ latchkey, house }) => {
      await latchkey.keys.rotate(call.flag('now') ? 'at_once' : 'planned');
      house.store.catchUp();
      listKeys(call, latchkey.keys.list());
      return 0;
    }),
};

/** `latchkey keys revoke`. */
export const keysRevoke: Command = {
  words: ['keys', 'revoke'],
  summary: 'Revoke a key as compromised: all that it signed is dead at once, and another one signs.',
  arguments: [{ name: 'KID', help: 'The key, from the list.' }],
  example: 'npx latchkey keys revoke q0c3…',
  opens: true,
  run: (call) =>
    inHouse(call, async ({ latchkey, house }) => {
      await latchkey.keys.revoke(call.argument('KID'));
      house.store.catchUp();
      listKeys(call, latchkey.keys.list());
      return 0;
    }),
};

/** `latchkey keys export`. */
export const keysExport: Command = {
  words: ['keys', 'export'],
  summary: 'Print the public signing keys as a JWK Set (RFC 7517).',
  details:
    'Always JSON. With --private it prints the private halves, which needs the secret: whoever has them can make tokens for anybody.',
  options: { private: { kind: 'flag', help: 'The private halves.' } },
  example: 'npx latchkey keys export --json > jwks.json',
  opens: true,
  run: (call) =>
    inStore(call, async (store, settings) => {
      const { records } = await store.keys.read();
      const published = publishedKeys(records, store.now());
      let keys: readonly (object | Jwk | null)[] = published.map(({ publicJwk }) => publicJwk);
      if (call.flag('private')) {
        const holder = openKeyHolder(findSecrets(settings), call.terminal.clock);
        holder.take(records);
        call.notice('These are private keys. Whoever reads them can make tokens for anybody.');
        keys = published.map(({ kid }) => exportPrivateJwk(holder.verifying(kid) as KeyPair));
      }
      call.answer({ keys }, `${jsonText({ keys })}\n`);
      return 0;
    }),
};

/** `latchkey keys reseal`. */
export const keysReseal: Command = {
  words: ['keys', 'reseal'],
  summary: 'Seal every key with LATCHKEY_SECRET that is still sealed with LATCHKEY_SECRET_PREVIOUS.',
  details:
    'To change the secret: give both to the server and start it again, run this, then take LATCHKEY_SECRET_PREVIOUS away.',
  example: 'npx latchkey keys reseal',
  opens: true,
  run: (call) =>
    inStore(call, async (store, settings) => {
      const [secret, previous] = findSecrets(settings);
      if (secret === undefined) throw new CommandError('There is no secret. Set LATCHKEY_SECRET.');
      // Without another one this tells whether anything is left to seal.
      const count = await resealKeys(store, secret, previous ?? secret);
      call.answer({ resealed: count }, pairs([['Sealed anew', String(count)]]));
      return 0;
    }),
};
