// The door `latchkey/fastify`: exports only.
export * from '../guards/fastify.ts';
export { routes } from '../server/mount.ts';
