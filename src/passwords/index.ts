// latchkey/passwords: hashing, verifying and judging passwords, usable alone. (exports only)
export { describeHash, type HashKind } from './foreign.ts';
export { hashPassword } from './hash.ts';
export { createLane, type Lane, type LaneDepth, type LaneOptions } from './lane.ts';
export { checkNewPassword, type PasswordContext, type PasswordFault } from './rules.ts';
export { type Verdict, verifyPassword } from './verify.ts';
