// The door `latchkey/node`: exports only.
export * from '../guards/node.ts';
export { type FetchHandlerOptions, fetchHandler, type HandlerOptions, handler } from '../server/handlers.ts';
