// What makes two spellings one name: NFKC and full case folding. JavaScript has no case folding of its own, so it is made
// here of lower, upper and lower case, one code point at a time, which gives Unicode's classes exactly.

/** NFKC (UAX 15): the compatibility form in which names are kept. */
export function nfkc(text: string): string {
  return text.normalize('NFKC');
}

/**
 * Full case folding, the lines C and F of Unicode's CaseFolding.txt: two texts that differ in case alone give one text.
 * Its representative is the small letter, for Cherokee too, where the file takes the capital; nobody sees it but the index.
 */
export function caseFold(text: string): string {
  let folded = '';
  // One code point at a time: over a whole text `toLowerCase` makes the last sigma of a word another letter.
  for (const character of text) folded += foldCharacter(character);
  return folded;
}

function foldCharacter(character: string): string {
  // Upper case would make the dotless i of Turkish a plain one, which folding does not.
  if (character === 'ı') return character;
  // Lower case first: ẞ is its own capital, and only as ß does it open into SS.
  return character.toLowerCase().toUpperCase().toLowerCase();
}

/** The text under which a username is found and is unique. A key is its own key. */
export function usernameKey(text: string): string {
  // Beyond the standard, the four letters i of Turkish (I ı İ i) are one: whoever signs up as İbrahim may log in as ibrahim,
  // and the key of İ, which folding makes an i with a combining dot, cannot pass for another name on a screen.
  return nfkc(caseFold(nfkc(text))).replaceAll(/ı|i\u0307/g, 'i');
}

/** The text under which the local part of an address is found and is unique; exactly NFKC and case folding. */
export function localPartKey(text: string): string {
  return nfkc(caseFold(text));
}
