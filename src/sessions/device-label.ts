// What a device is called in the list of sessions, made from a User-Agent.
// The label is put together from the words below and never quotes more of the header than one product name.

// Order matters: nearly every browser also claims to be Chrome, Safari and Mozilla.
const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\/|\bOPT\/|\bOpera\b/, 'Opera'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\bElectron\//, 'Electron'],
  [/\bChrome\/|\bCriOS\/|\bChromium\//, 'Chrome'],
  [/\bVersion\/[^ ]+ (?:Mobile\/[^ ]+ )?Safari\//, 'Safari'],
];

// An iPhone says "like Mac OS X", Android and ChromeOS say "Linux".
const systems: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bLinux\b|\bX11\b/, 'Linux'],
];

/** A short label for people, such as `Firefox on Linux` or `curl`; null when the header says nothing usable. At most 40 characters, letters and digits of ASCII. */
export function deviceLabel(userAgent: string | undefined): string | null {
  if (userAgent === undefined) return null;
  // The names stand near the front; what a client may append is not searched.
  const text = userAgent.slice(0, 512);
  const browser = named(browsers, text);
  const system = named(systems, text);
  if (browser !== null && system !== null) return `${browser} on ${system}`;
  return browser ?? productName(text) ?? system;
}

function named(table: readonly (readonly [RegExp, string])[], text: string): string | null {
  return table.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

/** The first product of the header (RFC 9110 section 10.1.5), without its version: `curl/8.5.0` is curl. */
function productName(text: string): string | null {
  const name = /^[A-Za-z][A-Za-z0-9._-]{0,39}(?=$|[/ ])/.exec(text)?.[0];
  return name === undefined || name === 'Mozilla' ? null : name;
}
