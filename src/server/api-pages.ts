// The two pages that show the OpenAPI document. Everything they load comes from here: no other host is asked.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import type { Settings } from '../settings.ts';

/** Serve the document and the pages. */
export async function showOpenApi(app: FastifyInstance, settings: Settings): Promise<void> {
  app.get('/openapi.json', { schema: { hide: true } }, async (_, reply) =>
    reply.type('application/json; charset=utf-8').send(app.swagger()),
  );
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: docsPolicy,
    theme: {
      title: 'Latchkey API',
      css: [{ filename: 'latchkey.css', content: docsStyle }],
      js: [{ filename: 'latchkey.js', content: docsScript }],
    },
    logo: { type: 'image/svg+xml', content: Buffer.from(logo), href: '/', target: '_self' },
    uiConfig: {
      deepLinking: true,
      persistAuthorization: true,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      validatorUrl: null,
      url: '/openapi.json',
    },
    // A public client: its secret is empty, and /token knows that this is no error.
    ...(settings.passwordGrant && { initOAuth: { clientId: 'docs', clientSecret: '', scopes: [] } }),
  });
  serveRedoc(app);
}

// The plugin's own policy lets in any https host, for pictures and styles that this page does not have.
// Swagger UI sets styles on its own elements while it runs.
const docsPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 140 28" height="28"><g fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round"><circle cx="11" cy="14" r="6"/><path d="M17 14h14M27 14v5"/></g><text x="40" y="20" font-family="system-ui,sans-serif" font-size="17" font-weight="600" fill="#fff">Latchkey</text></svg>`;

const docsStyle = `
.swagger-ui .topbar { background: #1d2330; padding: 8px 0; }
.swagger-ui .topbar .download-url-wrapper { display: none; }
.swagger-ui .info { margin: 30px 0 20px; }
.swagger-ui .info hgroup.main a { display: none; }
.swagger-ui .scheme-container { padding: 16px 0; margin: 0 0 10px; box-shadow: none; border-bottom: 1px solid #d9d5cb; }
`;

// The dialog gives the focus to its last form; whoever opens it wants the first.
const docsScript = `
new MutationObserver(() => {
  const dialog = document.querySelector('.modal-ux');
  if (dialog === null || dialog.dataset.opened) return;
  dialog.dataset.opened = 'yes';
  requestAnimationFrame(() => {
    dialog.querySelector('.modal-ux-content').scrollTop = 0;
    dialog.querySelector('input[type=text]')?.focus();
  });
}).observe(document.documentElement, { childList: true, subtree: true });
`;

function serveRedoc(app: FastifyInstance): void {
  let script: Buffer | null | undefined;
  app.get('/redoc', { schema: { hide: true } }, async (_, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('Content-Security-Policy', redocPolicy)
      .send(redocPath() === null ? redocMissing : redocPage),
  );
  app.get('/redoc/redoc.js', { schema: { hide: true } }, async (_, reply) => {
    script ??= readRedoc();
    if (script === null) return reply.code(404).send();
    return reply
      .type('text/javascript; charset=utf-8')
      .header('Cache-Control', 'public, max-age=3600')
      .send(script);
  });
}

// Redoc styles itself while it runs, and searches in a worker that it makes from a blob.
const redocPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; worker-src blob:; frame-ancestors 'none'; base-uri 'none'";

/** The bundle: beside this file in what is published, in the development dependencies of a clone; null where those were left out. */
function readRedoc(): Buffer | null {
  const path = redocPath();
  if (path === null) return null;
  // Its footer would load a picture from another host.
  const text = readFileSync(path, 'utf8').replaceAll(
    /https:\/\/cdn\.redoc\.ly\/redoc\/logo-mini\.svg/g,
    'data:,',
  );
  return Buffer.from(text);
}

function redocPath(): URL | string | null {
  const built = new URL('./assets/redoc.standalone.js', import.meta.url);
  if (existsSync(built)) return built;
  try {
    return createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js');
  } catch {
    return null;
  }
}

/** The page that loads Redoc. */
const redocPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Latchkey API</title>
<link rel="icon" href="data:,">
<style>body { margin: 0; }</style>
</head>
<body>
<redoc spec-url="/openapi.json" hide-loading></redoc>
<script src="/redoc/redoc.js"></script>
</body>
</html>
`;

/** What stands there instead in a clone that was installed without its development dependencies. */
const redocMissing = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Latchkey API</title><link rel="icon" href="data:,"></head>
<body><p>The reading page is not installed here: run <code>npm ci</code> without <code>--omit=dev</code>. Every route is also at <a href="/docs">/docs</a>.</p></body>
</html>
`;
