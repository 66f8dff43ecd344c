// The list of common passwords, all lower case. It is read at the first question: about 30 ms and 6 MB, which no start should pay.
import { createRequire } from 'node:module';

// The package names no ES module to Node, and an import could not wait for the first question without a promise.
const require = createRequire(import.meta.url);

let list: ReadonlySet<string> | undefined;

/** All common passwords of zxcvbn (49,233 of them, lower case). The first call blocks for about 30 ms, the others for nothing. */
export function commonPasswords(): ReadonlySet<string> {
  list ??= readList();
  return list;
}

function readList(): ReadonlySet<string> {
  const { dictionary } = require('@zxcvbn-ts/language-common') as typeof import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common']);
}
