// Tokens in every state that a guard must tell apart. Each is wrong in that one way and right in every other: what is forged is
// signed with the house's own key, so that a refusal is for the fault that the state names.
import { toSeconds } from '../clock.ts';
import type { House, Tokens, User } from '../flows/house.ts';
import type { Latchkey } from '../library.ts';
import type { AccessClaims } from '../tokens/claims.ts';
import { issueToken } from '../tokens/issue.ts';
import { generateKey } from '../tokens/key.ts';
import { logInAs, type TestUser } from './people.ts';

/** The states that a token can be minted in. */
export const tokenStates = [
  'good', // an access token, fresh from a log-in
  'stale', // a good one as after a refresh: no password was given for it
  'expired', // since a second
  'notYetValid', // before an hour has passed
  'wrongAudience',
  'wrongIssuer',
  'wrongKey', // signed by a stranger under the name of the house's key
  'refresh', // a good refresh token, in the place of an access token
  'revoked', // its session was signed out
  'disabled', // its account was disabled
  'garbage', // no token at all
] as const;

/** A state of a token. */
export type TokenState = (typeof tokenStates)[number];

/** Whose token it is, and what it says. */
export interface MintOptions {
  /** Default: an account made for it. The state `disabled` disables it. */
  readonly user?: Pick<User, 'id'> | undefined;
  /** The scopes in the token, also such as the account has not. Default: those of the account. */
  readonly scopes?: readonly string[] | undefined;
  /** Claims beside those of the house, or in the place of them; what makes the state goes before. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

/** Makes a token in a state. */
export type Mint = (state: TokenState, options?: MintOptions) => Promise<string>;

/** What makes the tokens of a house. */
export function minter(house: House, latchkey: Latchkey, addUser: (wish: TestUser) => Promise<User>): Mint {
  return async (state, { user, scopes, claims = {} } = {}) => {
    if (state === 'garbage') return 'not.a.token';
    const { id } = user ?? (await addUser({ scopes }));
    if (state === 'disabled') await latchkey.users.change(id, { disabled: false });
    const tokens = await logInAs(house, id);
    if (state === 'refresh') return tokens.refreshToken;
    const said = latchkey.verify(await accessToken(latchkey, state, tokens));
    const scope = scopes === undefined ? said.scope : scopes.join(' ');
    const token = sign(house, state, { ...said, scope, ...claims, ...changesOf(house, state, said) });
    if (state === 'revoked') await latchkey.logOut(tokens.accessToken);
    if (state === 'disabled') await latchkey.users.change(id, { disabled: true });
    return token;
  };
}

async function accessToken(latchkey: Latchkey, state: TokenState, tokens: Tokens): Promise<string> {
  return state === 'stale' ? (await latchkey.refresh(tokens.refreshToken)).accessToken : tokens.accessToken;
}

function sign(house: House, state: TokenState, claims: object): string {
  const key = house.keys.signing();
  const signer = state === 'wrongKey' ? { ...generateKey(key.algorithm), kid: key.kid } : key;
  return issueToken(signer, 'at+jwt', claims as AccessClaims);
}

/** What makes a state that lies in the claims. */
function changesOf({ store }: House, state: TokenState, { iat, exp }: AccessClaims): object {
  const now = toSeconds(store.now());
  const life = exp - iat;
  switch (state) {
    case 'stale':
      return { fresh: undefined };
    case 'expired':
      return { iat: now - 1 - life, exp: now - 1 };
    case 'notYetValid':
      return { iat: now + 3600, exp: now + 3600 + life };
    case 'wrongAudience':
      return { aud: 'https://another-audience.example' };
    case 'wrongIssuer':
      return { iss: 'https://another-issuer.example' };
    default:
      return {};
  }
}
