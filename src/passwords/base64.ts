// The base64 of hash strings: standard alphabet, no padding (the PHC string format), and one text for the same bytes only.

/** Bytes as PHC base64. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '');
}

/** The bytes of a PHC base64 text; undefined if it is empty or not written in the one way that `encodeBase64` would. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length > 0 && encodeBase64(bytes) === text ? bytes : undefined;
}
