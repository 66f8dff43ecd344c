// The door `latchkey/passwords`: hash, verify and judge passwords without a store. (exports only)
export { describeHash, type HashKind } from './foreign.ts';
export { hashPassword } from './hash.ts';
export { createLane, type Lane, type LaneDepth, type LaneOptions } from './lane.ts';
export { checkNewPassword, type PasswordContext, type PasswordFault } from './rules.ts';
export { type Verdict, verifyPassword } from './verify.ts';
