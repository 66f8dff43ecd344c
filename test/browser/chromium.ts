// Finds a Chromium on this machine and opens pages in it; everything that a page asked for and complained of is kept.
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];

/** Where Chromium is, or null. */
export function findChromium(): string | null {
  const named = process.env.LATCHKEY_CHROMIUM;
  return [...(named ? [named] : []), ...places].find((path) => existsSync(path)) ?? null;
}

/** Start a Chromium that asks nobody for anything by itself. */
export function startChromium(executablePath: string): Promise<Browser> {
  const args = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
  ];
  return chromium.launch({ executablePath, args: [...args, '--disable-component-update', '--disable-sync'] });
}

/** A page, and what was seen of it. */
export interface WatchedPage {
  readonly page: Page;
  /** What stood in the console as error or warning, and errors that no one caught. */
  readonly complaints: string[];
  /** Requests to other hosts than the one that the page came from. */
  readonly strangers: string[];
  /** Requests that failed or got 4xx and 5xx. */
  readonly failures: string[];
}

/** Open a page and watch it. */
export async function watchedPage(
  browser: Browser,
  url: string,
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<WatchedPage> {
  const page = await browser.newPage(options);
  const complaints: string[] = [];
  const strangers: string[] = [];
  const failures: string[] = [];
  const { host } = new URL(url);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()))
      complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  page.on('request', (request) => {
    const asked = new URL(request.url());
    if (asked.protocol.startsWith('http') && asked.host !== host) strangers.push(request.url());
  });
  page.on('requestfailed', (request) =>
    failures.push(`${request.method()} ${request.url()}: ${request.failure()?.errorText}`),
  );
  page.on('response', (response) => {
    if (response.status() >= 400) failures.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(url, { waitUntil: 'networkidle' });
  return { page, complaints, strangers, failures };
}
