// The door `latchkey/client`: exports only. Nothing that it loads needs Node.
export { type Client, type ClientOptions, createClient } from './client.ts';
export { type ClientFieldError, LatchkeyClientError } from './client-error.ts';
export { browserStorage, type ClientStorage, memoryStorage } from './storage.ts';
export type { Change } from './token-keeper.ts';
