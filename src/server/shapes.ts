// What arrives is read once, here: bodies as strict UTF-8 JSON or as forms, then against the schema of the route.
// Members that the schema does not know are dropped, so that they can change nothing.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Value } from 'typebox/value';
import { type FieldError, refuse } from '../errors.ts';
import { readUtf8 } from '../guards/authorization.ts';
import { invalid } from './refusals.ts';

/** Types of a request from the schemas of its route. */
export interface Shapes extends FastifyTypeProvider {
  validator: NonNullable<this['schema']> extends infer S extends TSchema ? Static<S> : unknown;
  // What a route answers with is an object of its own making, held to its shape by the functions of answers.ts.
  serializer: unknown;
}

/** An app whose routes take their types from their schemas. */
export type ShapedApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  Shapes
>;

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: unknown;
  readonly message: string;
}

/** Read every request of an app against the schema of its route. */
export function readShapes(app: FastifyInstance): void {
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => {
    const validator = Compile(schema);
    const optional = 'nullable' in schema;
    return (value: unknown) => {
      if (optional && (value === undefined || value === null)) return { value: {} };
      // Only texts arrive in an address: "50" is the number that it spells, and nothing else is turned into anything.
      const typed =
        httpPart === 'querystring' || httpPart === 'params' ? Value.Convert(schema, value) : value;
      if (validator.Check(typed)) return { value: Value.Clean(schema, typed) };
      return { error: invalid(fieldErrors(validator, typed)) };
    };
  });
  // Answers are made by the routes out of whole objects; there is nothing to filter, so JSON.stringify will do.
  app.setSerializerCompiler(() => JSON.stringify);
}

function fieldErrors(validator: Validator, value: unknown): FieldError[] {
  const found = new Map<string, FieldError>();
  for (const error of validator.Errors(value) as unknown as SchemaError[]) {
    for (const each of fieldsOf(error)) if (!found.has(each.field)) found.set(each.field, each);
  }
  return [...found.values()].slice(0, 20);
}

function fieldsOf({ keyword, instancePath, params, message }: SchemaError): FieldError[] {
  const path = instancePath.split('/').slice(1).join('.');
  if (keyword !== 'required')
    return [{ field: path === '' ? 'body' : path, code: keyword, detail: `${message}.` }];
  const missing = (params as { requiredProperties: string[] }).requiredProperties;
  return missing.map((name) => ({
    field: path === '' ? name : `${path}.${name}`,
    code: 'required',
    detail: 'is required.',
  }));
}

/** Read bodies as JSON and nothing else. */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('remove', 'remove');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const text = readUtf8(body as Buffer);
    if (text === null) return done(refuse('malformed_json'));
    parse(request, text, (error, value) => done(error === null ? null : refuse('malformed_json'), value));
  });
}

/** Read bodies as forms and nothing else. A parameter that comes twice is refused (RFC 6749 section 3.2). */
export function readFormBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, (_, body, done) => {
    const form = readForm(body as Buffer);
    if (form === null) done(refuse('invalid_request'));
    else done(null, form);
  });
}

// Far more than any grant has. Ten thousand of them would keep the main thread from everybody else for a good while.
const parametersAtMost = 100;

function readForm(body: Buffer): Record<string, string> | null {
  const text = readUtf8(body);
  if (text === null || !hasGoodEscapes(text)) return null;
  if (text.split('&', parametersAtMost + 1).length > parametersAtMost) return null;
  const form: Record<string, string> = Object.create(null);
  const names = new Set<string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (names.has(name)) return null;
    names.add(name);
    // RFC 6749 section 3.2: a parameter without a value is treated as if it had been left out.
    if (value !== '') form[name] = value;
  }
  return { ...form };
}

/** Whether every escape is one, and what they spell is UTF-8: URLSearchParams would pass over both in silence. */
function hasGoodEscapes(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** A body that may be left out. */
export function optionalBody<S extends TSchema>(schema: S): S & { nullable: true } {
  return { ...schema, nullable: true };
}
