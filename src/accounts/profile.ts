// The fields that an app adds to its accounts, read under the app's own schema: a Standard Schema or one made by TypeBox.
// Whatever the schema says, a profile is plain JSON within bounds, because it is kept as JSON.
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { type FieldError, StartError } from '../errors.ts';
import { readPlainObject } from './plain-json.ts';

/** Version 1 of the Standard Schema interface (standardschema.dev): what zod, valibot, arktype and others offer. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** What a Standard Schema answers: a value, or issues. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that a Standard Schema refuses. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A schema for the profile: any Standard Schema, or an object schema made by TypeBox. */
export type ProfileSchema = StandardSchema | TSchema;

/** The type of the profile that a schema lets through; without a schema any JSON object. */
export type ProfileOf<Schema> = ObjectOf<
  Schema extends StandardSchema<infer Output> ? Output : Schema extends TSchema ? Static<Schema> : unknown
>;

/** A profile is an object, also where the schema does not say of what, or there is none. */
type ObjectOf<Output> = unknown extends Output ? Record<string, unknown> : Output;

/** A profile as it is to be kept. */
export type Profile = Record<string, unknown>;

/** A profile that was let through, or the fields that were refused. */
export type ProfileReading =
  | { readonly ok: true; readonly profile: Profile }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/** Reads what clients send as `profile`. */
export interface ProfileReader {
  /** Never throws. Left out counts as empty; the names of fields begin with `profile`. */
  read(raw: unknown): Promise<ProfileReading>;
}

/** Make the reader for a schema. Throws `StartError` for what is not a schema. */
export function createProfileReader(schema: ProfileSchema | undefined): ProfileReader {
  const judge = judgeOf(schema);
  return {
    read: async (raw) => {
      const given = withinBounds(raw === undefined ? {} : raw);
      if (!given.ok) return given;
      const judged = await judge(given.profile);
      // A schema may also make something of what it lets through, so the bounds hold once more.
      return judged.ok ? withinBounds(judged.profile) : judged;
    },
  };
}

function withinBounds(raw: unknown): ProfileReading {
  const plain = readPlainObject(raw);
  if (plain.ok) return { ok: true, profile: plain.value };
  return refusedProfile(plain.code, `The profile ${plain.detail}.`);
}

type Judge = (given: Profile) => Promise<ProfileReading> | ProfileReading;

function judgeOf(schema: unknown): Judge {
  if (schema === undefined) return (profile) => ({ ok: true, profile });
  if (isStandard(schema)) return (given) => judgeByStandard(schema, given);
  if (isTypeBox(schema)) return judgeByTypeBox(schema);
  throw new StartError(
    'The option `profile` is not a schema. Give it a Standard Schema or Type.Object({ … }) of typebox.',
  );
}

function isStandard(schema: unknown): schema is StandardSchema {
  const holder = typeof schema === 'function' || (typeof schema === 'object' && schema !== null);
  return holder && typeof (schema as Partial<StandardSchema>)['~standard']?.validate === 'function';
}

function isTypeBox(schema: unknown): schema is TSchema {
  // Its mark stands in a hidden member; JSON Schema written by hand has none, and TypeBox would not clean by that.
  return typeof schema === 'object' && schema !== null && '~kind' in schema;
}

async function judgeByStandard(schema: StandardSchema, given: Profile): Promise<ProfileReading> {
  try {
    const result = await schema['~standard'].validate(given);
    if (!result.issues) return { ok: true, profile: result.value as Profile };
    const texts = textsIn(given);
    return refusedFields(result.issues.map((issue) => errorOfIssue(issue, texts)));
  } catch {
    // A schema that throws at something a client sent must not become a 5xx.
    return refusedProfile('invalid', 'The profile could not be read.');
  }
}

function errorOfIssue(issue: StandardIssue, texts: readonly string[]): FieldError {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  return { field: fieldName(path), code: 'invalid', detail: safeSentence(issue.message, texts) };
}

/** The app's own sentence, unless it quotes a value: a refusal never repeats what was sent. */
function safeSentence(sentence: string, texts: readonly string[]): string {
  const quotes = typeof sentence !== 'string' || texts.some((text) => sentence.includes(text));
  return quotes ? 'This field is not as the profile asks for it.' : sentence;
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsIn);
  return value === null || value === '' ? [] : [String(value)];
}

function judgeByTypeBox(schema: TSchema): Judge {
  const validator = compile(schema);
  return (given) => {
    try {
      const value = validator.Default(given);
      if (!validator.Check(value))
        return refusedFields(errorsOfTypeBox(validator.Errors(value), textsIn(value)));
      // After the check, so that `additionalProperties: false` still refuses; else members nobody asked for fall away.
      return { ok: true, profile: validator.Clean(value) as Profile };
    } catch {
      return refusedProfile('invalid', 'The profile could not be read.');
    }
  };
}

function compile(schema: TSchema): ReturnType<typeof Compile<TSchema>> {
  if ('type' in schema && schema.type !== 'object') {
    throw new StartError(
      'The schema in the option `profile` is not that of an object. Give it Type.Object({ … }).',
    );
  }
  try {
    return Compile(schema);
  } catch (cause) {
    throw new StartError(
      'The schema in the option `profile` cannot be compiled. Look at its patterns first.',
      { cause },
    );
  }
}

type TypeBoxError = ReturnType<ReturnType<typeof compile>['Errors']>[number];

/** TypeBox's keywords in the words of the house. Its sentences hold what the schema says, never the value. */
const codes: Readonly<Record<string, string>> = {
  type: 'wrong_type',
  boolean: 'unknown',
  minLength: 'too_short',
  minItems: 'too_short',
  maxLength: 'too_long',
  maxItems: 'too_long',
  minimum: 'too_small',
  exclusiveMinimum: 'too_small',
  maximum: 'too_large',
  exclusiveMaximum: 'too_large',
};

function errorsOfTypeBox(found: readonly TypeBoxError[], texts: readonly string[]): FieldError[] {
  const unions = found.filter((error) => error.keyword === 'anyOf').map((error) => error.schemaPath);
  // A union that fails is one error, not one for each of its parts.
  const whole = found.filter(
    (error) => !unions.some((union) => error.schemaPath.startsWith(`${union}/anyOf/`)),
  );
  return whole
    .filter((error) => error.keyword !== 'additionalProperties')
    .flatMap((error) => errorOfTypeBox(error, texts));
}

function errorOfTypeBox(error: TypeBoxError, texts: readonly string[]): FieldError[] {
  const path = error.instancePath.split('/').slice(1).map(unescapePointer);
  if (error.keyword === 'required') {
    const missing = error.params.requiredProperties;
    return missing.map((name) => ({
      field: fieldName([...path, name]),
      code: 'required',
      detail: 'This field is missing.',
    }));
  }
  const sentence =
    error.keyword === '~refine' ? safeSentence(error.message, texts) : `This field ${error.message}.`;
  const detail = details[error.keyword] ?? sentence;
  return [{ field: fieldName(path), code: codes[error.keyword] ?? 'invalid', detail }];
}

const details: Readonly<Record<string, string>> = {
  boolean: 'The profile has no such field.',
  anyOf: 'This field is none of what the profile takes here.',
};

function unescapePointer(part: string): string {
  // RFC 6901 section 4, in this order.
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

const longestFieldName = 128;
const mostErrors = 20;

function fieldName(path: readonly string[]): string {
  return ['profile', ...path].join('.').slice(0, longestFieldName);
}

function refusedFields(errors: readonly FieldError[]): ProfileReading {
  return { ok: false, errors: errors.slice(0, mostErrors) };
}

function refusedProfile(code: string, detail: string): ProfileReading {
  return { ok: false, errors: [{ field: 'profile', code, detail }] };
}
