// Where one request ends and the next begins. Whatever a proxy in front of us could read in another way is refused, and the
// connection closed, so that nobody's second request hides in a first one (RFC 9112 section 11.2).
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type LatchkeyError, refusals, refuse } from '../errors.ts';
import { problem } from '../problem.ts';

// How long one who was refused may keep the connection: long enough to read why.
const lingerMs = 1_000;
// How many headers a request may have: fewer than this.
const headersAtMost = 1_000;

// How many requests of one connection may wait for the answer to the one before. Browsers send none ahead, programs a few.
const waitingAtMost = 20;

interface Line {
  /** The last request, as the answer that it is owed. */
  last: ServerResponse;
  waiting: number;
}

/** What each connection has asked. */
const lines = new WeakMap<Socket, Line>();

/**
 * One request of a connection after the other, as their answers leave anyway (RFC 9112 section 9.3.2). All at once, sixty KB of requests
 * that nobody reads the answers of would open a thousand files, or fill the lane of the hashes, from one connection.
 */
async function takeTurn(socket: Socket, response: ServerResponse): Promise<void> {
  const line = lines.get(socket);
  if (line === undefined) return void lines.set(socket, { last: response, waiting: 0 });
  const before = line.last;
  line.last = response;
  if (before.closed) return;
  if (line.waiting >= waitingAtMost) {
    socket.destroy();
    throw refuse('malformed_request');
  }
  line.waiting += 1;
  await new Promise<void>((resolve) => {
    before.once('close', resolve);
  });
  line.waiting -= 1;
  // Nobody is there any more to be answered.
  if (socket.destroyed) throw refuse('malformed_request');
}

/** Refuse what the parser lets through and the RFC does not. */
export function watchFraming(app: FastifyInstance): void {
  app.server.maxHeadersCount = headersAtMost;
  // Another expectation than 100-continue may be passed over (RFC 9110 section 10.1.1). Node would answer it past all that is here.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.addHook('onRequest', async (request, reply) => {
    await takeTurn(request.raw.socket, reply.raw);
    // Older Nodes drop what comes after the last that they count in silence, and a second Host or Authorization with it.
    const cut = request.raw.rawHeaders.length >= 2 * headersAtMost;
    if (!cut && isWellFramed(request)) return;
    reply.header('Connection', 'close');
    throw refuse(cut ? 'headers_too_large' : 'malformed_request');
  });
}

function isWellFramed({ raw, headers }: FastifyRequest): boolean {
  const hosts = raw.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (raw.httpVersion === '1.0') return hosts.length <= 1 && headers['transfer-encoding'] === undefined;
  // RFC 9112 section 3.2: exactly one Host. Section 6.1: a coding that is not undone here must not be passed over.
  return (
    raw.httpVersion === '1.1' &&
    hosts.length === 1 &&
    (headers['transfer-encoding'] ?? 'chunked').toLowerCase() === 'chunked'
  );
}

const brokenAs: Readonly<Record<string, 'headers_too_large' | 'request_timeout'>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** What was no request at all: one answer, and the connection is closed. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET') return void socket.destroy();
  const refusal = refuse(brokenAs[error.code ?? ''] ?? 'malformed_request');
  const before = lines.get(socket)?.last;
  // A request that arrived whole before this one gets its own answer first, or this one would be taken for it.
  if (before?.req.complete && !before.writableFinished) {
    before.once('close', () => sayAndClose(refusal, socket));
    return;
  }
  // What broke is the rest of a request that was answered already: one request, one answer.
  if (before?.headersSent && !before.req.complete) socket.destroy();
  else sayAndClose(refusal, socket);
}

function sayAndClose(refusal: LatchkeyError, socket: Socket): void {
  // The rest of what was sent is no request either; it gets no second answer.
  if (!socket.writable) return;
  const { status } = refusals[refusal.code];
  const body = JSON.stringify(problem(refusal, '-'));
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
  // Destroyed at once, what the client still sends would be answered with a reset that takes the answer away from it.
  setTimeout(() => socket.destroy(), lingerMs).unref();
}
