// The door `latchkey/express`: exports only.
export * from '../guards/express.ts';
export { type HandlerOptions, handler } from '../server/handlers.ts';
