// Finds passwords that are typed by sliding a finger: along rows and columns of keyboards, digits, the alphabet.

/** What a finger slides along: QWERTY, QWERTZ and AZERTY by row and by column, shifted digits, number pads, digits and alphabet. */
const lines = [
  '01234567890123456789',
  'abcdefghijklmnopqrstuvwxyz',
  '`1234567890-=',
  '~!@#$%^&*()_+',
  'qwertyuiop[]\\',
  "asdfghjkl;'",
  'zxcvbnm,./',
  'qwertzuiopü+',
  'asdfghjklöä#',
  'yxcvbnm,.-',
  'azertyuiop^$',
  'qsdfghjklmù*',
  'wxcvbn,;:!',
  '1qaz',
  '2wsx',
  '3edc',
  '4rfv',
  '5tgb',
  '6yhn',
  '7ujm',
  '8ik,',
  '9ol.',
  '0p;/',
  '147',
  '258',
  '369',
];

const slides = lines.flatMap((line) => [line, [...line].reverse().join('')]);

/** The shortest slide that is no chance: two neighbouring keys stand in most words. */
const shortestSlide = 3;

/** Whether a lower-case text is nothing but slides of three keys or more, such as `qwertyuiop`, `1qaz2wsx` or `4321abcd1111`. */
export function isRunOfKeys(text: string): boolean {
  const characters = [...text];
  // ends[n]: the first n characters can be cut into slides.
  const ends = [true];
  for (let start = 0; start < characters.length; start += 1) {
    if (!ends[start]) continue;
    const longest = Math.max(sameAfter(characters, start), slideAfter(characters, start));
    for (let length = shortestSlide; length <= longest; length += 1) ends[start + length] = true;
  }
  return ends[characters.length] === true;
}

/** Whether a text is one character, again and again. */
export function isOneCharacter(text: string): boolean {
  return new Set(text).size === 1;
}

/** How many characters from `start` on are the same one. */
function sameAfter(characters: readonly string[], start: number): number {
  let length = 1;
  while (characters[start + length] === characters[start]) length += 1;
  return length;
}

/** How many characters from `start` on lie side by side on one line. */
function slideAfter(characters: readonly string[], start: number): number {
  let length = 1;
  while (start + length < characters.length && isSlide(characters.slice(start, start + length + 1)))
    length += 1;
  return length;
}

function isSlide(characters: readonly string[]): boolean {
  const text = characters.join('');
  return slides.some((line) => line.includes(text));
}
