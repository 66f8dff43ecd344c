// The pages in a real browser: what a newcomer does at /docs, and that none of them asks another host for anything.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { Browser } from 'playwright-core';
import { type OpenHouse, openHouse } from '../../src/latchkey.ts';
import { buildApp } from '../../src/server/app.ts';
import { findChromium, startChromium, type WatchedPage, watchedPage } from '../browser/chromium.ts';

const chromium = findChromium();
const skip = chromium === null ? 'no Chromium was found (LATCHKEY_CHROMIUM may name one)' : false;
const person = { username: 'jonathan', password: 'correct horse battery' };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('the pages in Chromium', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
  let opened: OpenHouse;
  let app: FastifyInstance;
  let browser: Browser;
  let url: string;

  before(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    opened = await openHouse({ data: folder, environment: {}, log: 'off', port, url });
    app = await buildApp(opened.house);
    await app.listen({ host: '127.0.0.1', port });
    await opened.latchkey.signUp(person);
    browser = await startChromium(chromium as string);
  });

  after(async () => {
    await browser?.close();
    await app?.close();
    await opened?.latchkey.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function assertQuiet({ complaints, strangers, failures }: WatchedPage): void {
    assert.deepEqual({ complaints, strangers, failures }, { complaints: [], strangers: [], failures: [] });
  }

  for (const host of ['127.0.0.1', 'localhost']) {
    test(`at ${host}: /docs, Authorize with username and password, Try it out on /users/me answers 200`, async () => {
      const watched = await watchedPage(browser, `${url.replace('127.0.0.1', host)}/docs`);
      const { page } = watched;
      await page.click('button.authorize');
      await page.fill('#oauth_username', person.username);
      await page.fill('#oauth_password', person.password);
      await page.locator('.auth-container').first().locator('button.authorize').click();
      // Not by its text alone, which the paths of two routes hold as well.
      await page.locator('.auth-container button', { hasText: 'Logout' }).first().waitFor();
      await page.locator('button.btn-done').first().click();

      const me = page.locator('#operations-Your_account-readMe');
      await me.locator('button.opblock-summary-control').click();
      await me.locator('button.execute').click();
      const answer = me.locator('.live-responses-table tbody tr').first();
      await answer.waitFor();
      assert.equal((await answer.locator('.response-col_status').innerText()).trim(), '200');
      assert.match(await answer.innerText(), /"username":\s*"jonathan"/);
      assertQuiet(watched);
      await page.close();
    });
  }

  test('the example of /signup is read to its end, and the example of /login logs in', async () => {
    const watched = await watchedPage(browser, `${url}/docs`);
    for (const [id, status] of [
      // The name is taken by the person above.
      ['signUp', '409'],
      ['logIn', '200'],
    ] as const) {
      const route = watched.page.locator(`#operations-Sign_in-${id}`);
      await route.locator('button.opblock-summary-control').click();
      await route.locator('button.execute').click();
      const answer = route.locator('.live-responses-table tbody tr').first();
      await answer.waitFor();
      assert.equal((await answer.locator('.response-col_status').innerText()).trim().slice(0, 3), status, id);
    }
    assert.deepEqual(watched.strangers, []);
    await watched.page.close();
  });

  test('/redoc shows every group of routes', async () => {
    const watched = await watchedPage(browser, `${url}/redoc`);
    for (const name of [
      'Sign in',
      'Your account',
      'Administration',
      'For other services',
      'Discovery',
      'Probes',
    ]) {
      await watched.page.getByRole('heading', { name }).first().waitFor();
    }
    assertQuiet(watched);
    await watched.page.close();
  });

  test('the front page leads to the others, in light and in dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const watched = await watchedPage(browser, `${url}/`, { colorScheme });
      const links = await watched.page
        .locator('main a')
        .evaluateAll((all) => all.map((each) => each.getAttribute('href')));
      assert.deepEqual(links, ['/docs', '/redoc', '/openapi.json', '/.well-known/jwks.json']);
      for (const link of links) assert.equal((await watched.page.request.get(`${url}${link}`)).status(), 200);
      assertQuiet(watched);
      await watched.page.close();
    }
  });
});
