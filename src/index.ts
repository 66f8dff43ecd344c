// The whole engine, put together. (exports only)
export { isLatchkeyError, LatchkeyError, refuse } from './errors.ts';
