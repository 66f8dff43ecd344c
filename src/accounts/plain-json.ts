// The bounds of what is kept as JSON for an account: a plain object, not large, not deep, and nothing in it that a store or
// a careless merge would choke on.

/** An object that is within the bounds (a copy), or why it is not: `The profile ${detail}.` */
export type PlainReading =
  | { readonly ok: true; readonly value: Record<string, unknown> }
  | { readonly ok: false; readonly code: string; readonly detail: string };

const largest = 8 * 1024;
const deepest = 8;
// A merge that does not look would reach the prototype of every object through one of these.
const forbiddenNames = ['__proto__', 'constructor', 'prototype'];

const faults = {
  not_object: { code: 'wrong_type', detail: 'must be a JSON object' },
  not_json: {
    code: 'wrong_type',
    detail: 'must hold JSON only, without U+0000 and halves of surrogate pairs',
  },
  too_large: { code: 'too_large', detail: 'must have at most 8 KB as JSON' },
  too_deep: { code: 'too_deep', detail: `must be at most ${deepest} levels deep` },
  forbidden_name: {
    code: 'forbidden_name',
    detail: `must have no member named ${forbiddenNames.join(' or ')}`,
  },
} as const;

type Copied = { readonly value: unknown } | { readonly fault: keyof typeof faults };

/** Copy an object that is plain JSON, at most 8 KB of it and 8 levels deep; refuse every other value. */
export function readPlainObject(raw: unknown): PlainReading {
  if (!isPlainObject(raw)) return { ok: false, ...faults.not_object };
  const copied = copyObject(raw, 1);
  if ('fault' in copied) return { ok: false, ...faults[copied.fault] };
  if (Buffer.byteLength(JSON.stringify(copied.value)) > largest) return { ok: false, ...faults.too_large };
  return { ok: true, value: copied.value as Record<string, unknown> };
}

function copyPlain(value: unknown, depth: number): Copied {
  // JSON has no negative zero.
  if (value === 0) return { value: 0 };
  if (value === null || typeof value === 'boolean' || Number.isFinite(value)) return { value };
  if (typeof value === 'string') return isStorable(value) ? { value } : { fault: 'not_json' };
  if (depth > deepest) return { fault: 'too_deep' };
  if (Array.isArray(value)) return copyList(value, depth);
  return isPlainObject(value) ? copyObject(value, depth) : { fault: 'not_json' };
}

function copyList(list: readonly unknown[], depth: number): Copied {
  const copy: unknown[] = [];
  for (const item of list) {
    const copied = copyPlain(item, depth + 1);
    if ('fault' in copied) return copied;
    copy.push(copied.value);
  }
  return { value: copy };
}

function copyObject(object: Record<string, unknown>, depth: number): Copied {
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(object)) {
    if (forbiddenNames.includes(name)) return { fault: 'forbidden_name' };
    if (!isStorable(name)) return { fault: 'not_json' };
    // As JSON has it: a member without a value is no member.
    if (member === undefined) continue;
    const copied = copyPlain(member, depth + 1);
    if ('fault' in copied) return copied;
    copy[name] = copied.value;
  }
  return { value: copy };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** PostgreSQL's jsonb takes neither NUL nor half a surrogate pair. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
