// Requests that two programs could read differently, and those that are too big or never end: one refusal at most, and the line is cut.
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { openTestHouse, type TestHouse } from '../fixture/house.ts';

let at: TestHouse;
before(async () => {
  at = await openTestHouse();
});
after(() => at.close());

const host = 'Host: login.example.com\r\n';
const json = 'Content-Type: application/json\r\n';
const good = '{"username":"nobody","password":"wrong but well formed"}';
// What a smuggler hides behind the first request: its answer must never come.
const second = `GET /healthz HTTP/1.1\r\n${host}\r\n`;
const post = `POST /signup HTTP/1.1\r\n${host}${json}`;

const ambiguous: Readonly<Record<string, string>> = {
  'Content-Length and Transfer-Encoding': `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${second}`,
  'Transfer-Encoding and Content-Length': `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${second}`,
  'Transfer-Encoding twice': `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${second}`,
  'Transfer-Encoding twice, one unknown': `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n${second}`,
  'a coding that is not undone': `${post}Transfer-Encoding: gzip, chunked\r\n\r\n${good.length.toString(16)}\r\n${good}\r\n0\r\n\r\n${second}`,
  'a coding of another name': `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${second}`,
  identity: `${post}Transfer-Encoding: identity\r\n\r\n${second}`,
  'chunked with a tab before the colon': `${post}Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n${second}`,
  'chunked with a vertical tab': `${post}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${second}`,
  'chunks in HTTP/1.0': `POST /signup HTTP/1.0\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n${good.length.toString(16)}\r\n${good}\r\n0\r\n\r\n${second}`,
  'a chunk without a size': `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n${second}`,
  'a chunk longer than it says': `${post}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n${second}`,
  'a chunk size that overflows': `${post}Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n${second}`,
  'a chunk with a sign': `${post}Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n${second}`,
  'a chunk with 0x': `${post}Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n${second}`,
  'a chunk extension that ends in a bare LF': `${post}Transfer-Encoding: chunked\r\n\r\n2;x=y\n{}\r\n0\r\n\r\n${second}`,
  'Content-Length twice, different': `${post}Content-Length: 0\r\nContent-Length: ${second.length}\r\n\r\n${second}`,
  'Content-Length twice, the same': `${post}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}${second}`,
  'Content-Length as a list': `${post}Content-Length: 2, 2\r\n\r\n{}${second}`,
  'Content-Length with a sign': `${post}Content-Length: +2\r\n\r\n{}${second}`,
  'Content-Length below zero': `${post}Content-Length: -2\r\n\r\n{}${second}`,
  'Content-Length in hexadecimal': `${post}Content-Length: 0x2\r\n\r\n{}${second}`,
  'Content-Length that is empty': `${post}Content-Length: \r\n\r\n${second}`,
  'Content-Length that overflows': `${post}Content-Length: 18446744073709551618\r\n\r\n{}${second}`,
  'a folded header': `GET /healthz HTTP/1.1\r\n${host}X-A: b\r\n c\r\n\r\n${second}`,
  'a folded Transfer-Encoding': `${post}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${second}`,
  'NUL in a header': `GET /healthz HTTP/1.1\r\n${host}X-A: b\0c\r\n\r\n${second}`,
  'NUL in a header name': `GET /healthz HTTP/1.1\r\n${host}X\0A: b\r\n\r\n${second}`,
  'NUL in the path': `GET /healthz\0 HTTP/1.1\r\n${host}\r\n${second}`,
  'a blank before the colon': `GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n${second}`,
  'bare LF': `GET /healthz HTTP/1.1\nHost: x\n\n${second}`,
  'bare CR': `GET /healthz HTTP/1.1\r\nHost: x\rX-B: y\r\n\r\n${second}`,
  'a header name that is none': `GET /healthz HTTP/1.1\r\n${host}X@(): y\r\n\r\n${second}`,
  'a line that is no header': `GET /healthz HTTP/1.1\r\n${host}nonsense\r\n\r\n${second}`,
  'no Host': `GET /healthz HTTP/1.1\r\n\r\n${second}`,
  'two Hosts': `GET /healthz HTTP/1.1\r\n${host}Host: evil.example\r\n\r\n${second}`,
  'HTTP/0.9': `GET /healthz\r\n\r\n${second}`,
  'HTTP/2': `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${second}`,
  'a version that is none': `GET /healthz HTTP/1.9\r\n${host}\r\n${second}`,
  'a method that is none': `FOO /healthz HTTP/1.1\r\n${host}\r\n${second}`,
  'a path of bytes above ASCII': `GET /users/m\xe9 HTTP/1.1\r\n${host}\r\n${second}`,
  'no request at all': `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03`,
};

for (const [what, bytes] of Object.entries(ambiguous)) {
  test(`threat 121: ${what}: 400, the connection closed, no second answer`, async () => {
    const { statuses, closed, text } = await at.raw(bytes, 1_500);
    assert.deepEqual(statuses, [400]);
    assert.ok(closed);
    const [head = '', body = ''] = text.split('\r\n\r\n');
    assert.match(head, /^content-type: application\/problem\+json/im);
    assert.match(head, /^x-content-type-options: nosniff/im);
    assert.match(head, /^connection: close/im);
    assert.equal(JSON.parse(body).code, 'malformed_request');
  });
}

test('threat 121: a thousand headers are too many, whether Node says so or drops the rest in silence', async () => {
  const sent = `GET /healthz HTTP/1.1\r\n${host}${'a:b\r\n'.repeat(1_500)}Host: other\r\n\r\n`;
  assert.deepEqual((await at.raw(sent, 1_500)).statuses, [431]);
  // What such a Node leaves: the first thousand.
  const headers = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`x-${index}`, 'b']));
  const cut = await at.app.inject({ url: '/healthz', headers });
  assert.deepEqual([cut.statusCode, cut.json().code], [431, 'headers_too_large']);
  assert.equal((await at.app.inject({ url: '/healthz', headers: { 'x-1': 'b' } })).statusCode, 200);
});

test('of requests that are sent ahead on one connection one is worked on, and their answers come in order', async () => {
  const logIn = `POST /login HTTP/1.1\r\n${host}${json}Content-Length: ${good.length}\r\n\r\n${good}`;
  let busiest = 0;
  const looking = setInterval(() => {
    const { waiting, running } = at.house.lane.depth;
    busiest = Math.max(busiest, waiting + running);
  }, 1);
  const { statuses } = await at.raw(`${logIn.repeat(9)}GET /healthz HTTP/1.1\r\n${host}\r\n`, 1_500);
  clearInterval(looking);
  assert.deepEqual(statuses, [...Array(9).fill(401), 200]);
  assert.equal(busiest, 1);
});

test('a connection on which far too many requests are sent ahead is cut', async () => {
  const page = `GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\n${host}\r\n`;
  const { statuses, closed } = await at.raw(page.repeat(200), 1_500);
  assert.ok(closed);
  assert.ok(statuses.length <= 1, String(statuses.length));
});

test('a connection whose answers nobody reads is not kept', () => {
  assert.equal(at.app.server.timeout, 60_000);
});

test('threat 118: an expectation that nobody knows is passed over, and the answer is ours', async () => {
  const { statuses, text } = await at.raw(
    `GET /users/me HTTP/1.1\r\n${host}Expect: a miracle\r\n\r\n`,
    1_500,
  );
  assert.deepEqual(statuses, [401]);
  assert.match(text, /^content-type: application\/problem\+json/im);
  assert.match(text, /^x-content-type-options: nosniff/im);
});

test('threat 121: a refusal of what is no request has the status line of HTTP', async () => {
  const { text } = await at.raw('nonsense\r\n\r\n');
  assert.match(text, /^HTTP\/1\.1 400 Bad Request\r\n/);
});

test('threat 121: a good request before a broken one on the same connection gets its own answer, and the broken one the next', async () => {
  const sent = `POST /signup HTTP/1.1\r\n${host}${json}Content-Length: 2\r\n\r\n{}nonsense\r\n\r\n`;
  const { statuses, closed } = await at.raw(sent, 1_500);
  assert.deepEqual([statuses, closed], [[422, 400], true]);
});

test('threat 121: a request that was answered before its body broke gets no second answer', async () => {
  const start = `POST /users HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n`;
  const text = await inTwoParts(start, `zz\r\n\r\n${second}`);
  assert.equal(text.match(/HTTP\/1\.1 \d{3} /g)?.join(), 'HTTP/1.1 401 ');
});

/** Send the first part, wait for an answer, send the other, and read until the server closes. */
function inTwoParts(first: string, other: string): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(at.port, '127.0.0.1', () => socket.write(first));
    socket.once('data', () => socket.write(other));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

test('threat 121: what breaks while an answer is on its way never stands in the middle of that answer', async () => {
  const whole = await at.call('GET', '/docs/static/swagger-ui-bundle.js');
  assert.ok(whole.text.length > 1_000_000);
  const bytes = await readSlowly(
    `GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\n${host}\r\n`,
    'nonsense\r\n\r\n',
  );
  const body = bytes.slice(bytes.indexOf('\r\n\r\n') + 4);
  // Either the whole answer and then the refusal, or an answer that is cut off.
  const inside = body.slice(0, whole.text.length);
  assert.equal(inside.includes('HTTP/1.1 400'), false);
  assert.ok(whole.text.startsWith(inside));
});

/** Send one request, read nothing until the server has filled the line, send more, then read all. */
function readSlowly(first: string, more: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(at.port, '127.0.0.1', () => socket.write(first));
    socket.pause();
    setTimeout(() => socket.write(more), 300);
    setTimeout(() => socket.resume(), 600);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
    socket.on('error', reject);
  });
}

test('threat 121: requests that follow each other on one connection are answered one by one', async () => {
  const { statuses, closed } = await at.raw(second.repeat(3));
  assert.deepEqual([statuses, closed], [[200, 200, 200], false]);
});

test('headers over 16 KB, in one, in many, or in the address: 431 before more is read', async () => {
  const kilobytes17 = 'a'.repeat(17_000);
  for (const bytes of [
    `GET /healthz HTTP/1.1\r\n${host}X-A: ${kilobytes17}\r\n\r\n`,
    `GET /healthz HTTP/1.1\r\n${host}X-A: ${kilobytes17.repeat(40)}`,
    `GET /${kilobytes17} HTTP/1.1\r\n${host}\r\n`,
    `GET /healthz HTTP/1.1\r\n${host}${'A: b\r\n'.repeat(3_000)}\r\n`,
    `GET /users/me HTTP/1.1\r\n${host}Authorization: Bearer ${kilobytes17}\r\n\r\n`,
  ]) {
    const { statuses, closed, text } = await at.raw(bytes, 1_500);
    assert.deepEqual([statuses, closed], [[431], true]);
    assert.match(text, /"code":"headers_too_large"/);
  }
  const fits = await at.raw(`GET /healthz HTTP/1.1\r\n${host}X-A: ${'a'.repeat(15_000)}\r\n\r\n`);
  assert.deepEqual(fits.statuses, [200]);
});

test('threat 117: a body over 64 KB, announced or in chunks, for any route that reads one: 413 before all of it is read', async () => {
  const tooMuch = 64 * 1024 + 1;
  for (const [path, type] of [
    ['/signup', 'application/json'],
    ['/refresh', 'application/json'],
    ['/token', 'application/x-www-form-urlencoded'],
    ['/revoke', 'application/x-www-form-urlencoded'],
  ]) {
    const start = `POST ${path} HTTP/1.1\r\n${host}Content-Type: ${type}\r\n`;
    const announced = await at.raw(`${start}Content-Length: ${tooMuch}\r\n\r\n`, 1_500);
    const chunked = await at.raw(
      `${start}Transfer-Encoding: chunked\r\n\r\n${tooMuch.toString(16)}\r\n${' '.repeat(tooMuch)}\r\n`,
      1_500,
    );
    for (const { statuses, closed, text } of [announced, chunked]) {
      assert.deepEqual([path, statuses, closed], [path, [413], true]);
      assert.match(text, /"code":"body_too_large"/);
    }
  }
  const fits = `{"username":"x","password":"${'p'.repeat(60_000)}"}`;
  const { statuses } = await at.raw(`${post}Content-Length: ${fits.length}\r\n\r\n${fits}`, 1_500);
  assert.deepEqual(statuses, [422]);
});

test('headers have 10 s to arrive and a request 30 s', async () => {
  const { server } = at.app;
  assert.deepEqual([server.headersTimeout, server.requestTimeout], [10_000, 30_000]);
});

test('slow headers and a slow body: 408 when the time is up, and the connection closed', async () => {
  const { server } = at.app;
  const kept = [server.headersTimeout, server.requestTimeout] as const;
  [server.headersTimeout, server.requestTimeout] = [200, 200];
  try {
    const slow = [`GET /healthz HTTP/1.1\r\nX-A: `, `${post}Content-Length: 50\r\n\r\n{"us`].map((bytes) =>
      drip(bytes),
    );
    for (const text of await Promise.all(slow)) {
      assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n/);
      assert.match(text, /"code":"request_timeout"/);
      assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1);
    }
  } finally {
    [server.headersTimeout, server.requestTimeout] = kept;
  }
});

/** Send the beginning of a request, then a byte now and then, until the server closes. */
function drip(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket: Socket = connect(at.port, '127.0.0.1', () => socket.write(bytes));
    const dripping = setInterval(() => socket.writable && socket.write('a'), 150);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(dripping);
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
  });
}

test('a connection that was refused and is kept open by the client is closed all the same', async () => {
  const socket = connect({ port: at.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.resume();
  socket.write('nonsense\r\n\r\n');
  const accepted = () =>
    new Promise<number>((resolve) => at.app.server.getConnections((_, count) => resolve(count)));
  await new Promise((resolve) => socket.once('end', resolve));
  const before = await accepted();
  for (let tries = 0; tries < 40 && (await accepted()) >= before; tries++)
    await new Promise((r) => setTimeout(r, 100));
  assert.ok((await accepted()) < before);
  socket.destroy();
});

test('the server is alive after all of this', async () => {
  assert.equal((await at.call('GET', '/healthz')).status, 200);
});
