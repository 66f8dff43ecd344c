// The door `latchkey/testing`: exports only.
export type { Asked, AssertOptions, Closing } from './assert-closed.ts';
export { type TestLatchkey, type TestOptions, testLatchkey } from './kit.ts';
export { type MintOptions, type TokenState, tokenStates } from './mint.ts';
export { type TestUser, testPassword } from './people.ts';
