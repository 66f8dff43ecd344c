// The door `latchkey/hono`: exports only.
export * from '../guards/hono.ts';
export { type FetchHandlerOptions, fetchHandler } from '../server/handlers.ts';
