// The front page: what this is, where to go from here, and the first three requests.
import { createHash } from 'node:crypto';

const style = `
:root { color-scheme: light dark; --ink: #1d2330; --paper: #fbfaf7; --line: #d9d5cb; --link: #0b5c8a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --paper: #16181d; --line: #343842; --link: #7cc4f0; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.6 system-ui, sans-serif; }
main { max-width: 42rem; margin: 0 auto; padding: 4rem 1.5rem; }
h1 { font-size: 2.2rem; margin: 0 0 .25rem; letter-spacing: -.02em; }
p { margin: 0 0 1.5rem; }
ul { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
li { border-bottom: 1px solid var(--line); padding: .7rem 0; display: flex; gap: 1rem; flex-wrap: wrap; }
li a { min-width: 15rem; }
a { color: var(--link); }
pre { background: color-mix(in srgb, var(--line) 35%, transparent); padding: 1rem; overflow-x: auto; border-radius: 6px; font-size: 14px; line-height: 1.5; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem; }
`;

/** The policy of the front page: its one style, by its hash, and nothing else. */
export const frontPolicy: string = `default-src 'none'; img-src data:; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

/** The front page of a server at `url`. */
export function frontPage(url: string): string {
  const at = escapeHtml(url);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Latchkey</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
<h1>Latchkey</h1>
<p>The log-in half of an API: sign up, log in, be let in, refresh, leave.</p>
<ul>
<li><a href="/docs">/docs</a> try every route</li>
<li><a href="/redoc">/redoc</a> read about every route</li>
<li><a href="/openapi.json">/openapi.json</a> the same for programs</li>
<li><a href="/.well-known/jwks.json">/.well-known/jwks.json</a> the keys that tokens are signed with</li>
</ul>
<h2>The first token</h2>
<pre>curl ${at}/signup -H 'content-type: application/json' \\
  -d '{"username":"jonathan","password":"correct horse battery"}'
TOKEN=$(curl -s ${at}/login -u 'jonathan:correct horse battery' | cut -d '"' -f 4)
curl ${at}/users/me -H "authorization: Bearer $TOKEN"</pre>
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
