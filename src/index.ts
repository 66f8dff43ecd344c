// The door `latchkey`: exports only.
export type {
  ProfileOf,
  ProfileSchema,
  StandardIssue,
  StandardResult,
  StandardSchema,
} from './accounts/profile.ts';
export { type Clock, type TurnableClock, turnableClock } from './clock.ts';
export {
  type EndReason,
  type FieldError,
  isLatchkeyError,
  LatchkeyError,
  type RefusalCode,
  type RefusalExtra,
  refuse,
  StartError,
} from './errors.ts';
export type { AdminChange, OwnChange } from './flows/change-account.ts';
export type { PasswordChange } from './flows/change-password.ts';
export type { Credentials } from './flows/credentials.ts';
export type { Device, Hooks, SignUpAddition, Tokens, User } from './flows/house.ts';
export type { LogInOptions } from './flows/log-in.ts';
export type { Granted, SignUp } from './flows/sign-up.ts';
export { defineConfig, type LatchkeyOptions, latchkey } from './latchkey.ts';
export type { ImportedUser, KeyInfo, Keys, Latchkey, SessionInfo, Sessions, Users } from './library.ts';
export type { Environment, Settings } from './settings.ts';
export type { AccessClaims } from './tokens/claims.ts';
export type { Jwks } from './tokens/jwks.ts';
export type { Jwk } from './tokens/key.ts';
export type { KeyState } from './tokens/keyring.ts';
