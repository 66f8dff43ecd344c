// Addresses spelled otherwise, and headers that claim where a request came from: neither opens anything.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestHouse, passwordOf, type SignedIn, type TestHouse } from '../fixture/house.ts';

let at: TestHouse;
let anna: SignedIn;
let root: SignedIn;
before(async () => {
  at = await openTestHouse();
  await at.signUp('anna');
  await at.signUp('root', ['admin']);
  [anna, root] = [await at.logIn('anna'), await at.logIn('root')];
});
after(() => at.close());

/** Every way to write a path that some router, proxy or file system takes for the same one. */
function spellings(path: string): string[] {
  const last = path.slice(1).replace(/.$/, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
  const upper = path.replace(/[a-z]/, (letter) => letter.toUpperCase());
  return [
    `/${path}`,
    `//${path}`,
    `${path}/`,
    `${path}//`,
    `${path}/.`,
    `${path}/..`,
    `/.${path}`,
    `/x/..${path}`,
    `/${last}`,
    upper,
    path.toUpperCase(),
    `${path};x`,
    `${path};`,
    `${path};a=b`,
    `${path}%20`,
    `${path}%00`,
    `${path}%0a`,
    `${path}%09`,
    `${path}%2f`,
    `${path}%2e`,
    `${path}.`,
    `${path}.json`,
    `${path}%3f`,
    `${path}%23`,
    `${path}?`,
    `${path}#`,
    `${path}#x`,
    `${path}?x=%`,
    `${path}\\`,
    path.replaceAll('/', '\\'),
    path.replaceAll('/', '//'),
    path.replaceAll('/', '%2f'),
    `/${path.slice(1).replaceAll('/', '%2F')}`,
    path.replaceAll('/', '/./'),
    `/%2e${path}`,
    `/%2e%2e${path}`,
    `/..;${path}`,
    `http://login.example.com${path}`,
    `http://evil.example${path}`,
    `${path}%c0%af`,
    `${path}%ff`,
    path.replace('/', '/%252e%252e/'),
    path.replaceAll('e', '%65'),
    path.replaceAll('s', '%73'),
    path.replaceAll('e', '%2565'),
    `/*${path}`,
    `/docs/..${path}`,
    `/docs/static/..${path}`,
  ];
}

const guarded = ['/users/me', '/users', '/users/me/sessions', '/sessions'];

test('threat 127: no other spelling of a guarded path opens it, and none is a 5xx (GHSA-x732-6j76-qmhm, CVE-2026-2880)', async () => {
  for (const path of [...guarded, `/users/${anna.id}`]) {
    for (const spelling of spellings(path)) {
      const { statuses, text } = await at.raw(
        `GET ${spelling} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        2_000,
      );
      assert.equal(statuses.length, 1, spelling);
      assert.ok([400, 401, 404, 405].includes(statuses[0]!), `${spelling} ${statuses}`);
      assert.ok(!text.includes('"username"') && !text.includes('"data"'), spelling);
    }
  }
});

test('threat 127: nor does one lead a user to what is an administrator’s, by any method', async () => {
  for (const path of ['/users', `/users/${root.id}`, '/sessions', `/users/${root.id}/sessions`]) {
    for (const method of ['GET', 'DELETE', 'PATCH']) {
      for (const spelling of spellings(path)) {
        if (!spelling.startsWith('/') || /[#\\]/.test(spelling)) continue;
        const { status } = await at.call(method, spelling, {
          bearer: anna.access,
          ...(method === 'PATCH' && { json: {} }),
        });
        assert.ok([400, 403, 404, 405].includes(status), `${method} ${spelling} ${status}`);
      }
    }
  }
  assert.equal((await at.call('GET', '/users/me', { bearer: root.access })).status, 200);
  assert.equal((await at.latchkey.sessions.list(root.id)).length, 1);
});

test('threat 127: files of the house are not to be had through the pages', async () => {
  for (const up of [
    '../',
    '..%2f',
    '%2e%2e/',
    '%2e%2e%2f',
    '..%5c',
    '..\\',
    '....//',
    '%252e%252e%252f',
    '..%c0%af',
    './../',
    '..;/',
  ]) {
    for (const base of ['/docs/static/', '/docs/', '/redoc/', '/']) {
      for (const file of ['package.json', 'etc/passwd', 'latchkey-data/secret', 'src/server/app.ts']) {
        const { statuses, text } = await at.raw(
          `GET ${base}${up.repeat(6)}${file} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
          2_000,
        );
        assert.ok([400, 403, 404].includes(statuses[0]!), `${base}${up}${file} ${statuses}`);
        assert.ok(!text.includes('"dependencies"') && !text.includes('root:'));
      }
    }
  }
});

test('threat 126: forwarded headers are not believed: the address of a device is the peer’s', async () => {
  const { json } = await at.call('POST', '/login', {
    json: { username: 'anna', password: passwordOf('anna') },
    headers: {
      'x-forwarded-for': '6.6.6.6',
      forwarded: 'for=6.6.6.6',
      'x-real-ip': '6.6.6.6',
      'x-client-ip': '6.6.6.6',
      'true-client-ip': '6.6.6.6',
      'cf-connecting-ip': '6.6.6.6',
    },
  });
  const { text, json: devices } = await at.call('GET', '/users/me/sessions', { bearer: json.access_token });
  assert.ok(!text.includes('6.6.6.6'));
  assert.equal(devices.data.find((device: { current: boolean }) => device.current).address, '127.0.0.1');
});

test('threat 126: CR, LF and NUL in any input make no header of an answer', async () => {
  const odd = 'x\r\nSet-Cookie: injected=1\r\nX-Injected: 1\r\n\r\n<p>injected\0';
  const escaped = encodeURIComponent(odd);
  const json = { username: odd, email: odd, password: odd, profile: { [odd]: odd }, refresh_token: odd };
  const basic = `${odd}:${odd}`;
  const answers = await Promise.all([
    ...['/signup', '/login', '/login/fresh', '/refresh', '/logout'].map((path) =>
      at.call('POST', path, { json }),
    ),
    at.call('PATCH', '/users/me', { json: { profile: { note: odd } }, bearer: anna.access }),
    at.call('GET', '/login', { basic }),
    at.call('POST', '/token', { form: { grant_type: odd, scope: odd, username: odd, [odd]: odd }, basic }),
    at.call('POST', '/introspect', { form: { token: odd }, basic }),
    at.call('GET', `/users/${escaped}`, { bearer: root.access }),
    at.call('GET', `/users?search=${escaped}&cursor=${escaped}&limit=1`, { bearer: root.access }),
    at.call('GET', `/${escaped}?${escaped}`),
    at.call('PUT', `/login?${escaped}`),
    at.call('DELETE', `/users/me/sessions/${escaped}`, { bearer: anna.access }),
  ]);
  for (const { status, headers } of answers) {
    assert.ok(status < 500, String(status));
    assert.deepEqual(
      Object.keys(headers).filter((name) => /injected|set-cookie/.test(name)),
      [],
    );
  }
});
