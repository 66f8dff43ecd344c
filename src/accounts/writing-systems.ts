// The writing systems that a username may be in, one for each name: a Cyrillic а among Latin letters is refused here.
// A name that is wholly in another script and only looks Latin passes; that is for the reader of a page to see.

// The scripts of recommended and of limited use (UAX 31, tables 5 and 7). Those that nobody writes any more are left out:
// they would only serve to look like others.
const scripts = [
  ...['Latin', 'Cyrillic', 'Greek', 'Arabic', 'Armenian', 'Bengali', 'Devanagari', 'Ethiopic', 'Georgian'],
  ...['Gujarati', 'Gurmukhi', 'Hebrew', 'Kannada', 'Khmer', 'Lao', 'Malayalam', 'Myanmar', 'Oriya'],
  ...['Sinhala', 'Tamil', 'Telugu', 'Thaana', 'Thai', 'Tibetan'],
  ...['Adlam', 'Balinese', 'Bamum', 'Batak', 'Canadian_Aboriginal', 'Chakma', 'Cham', 'Cherokee'],
  ...['Hanifi_Rohingya', 'Javanese', 'Kayah_Li', 'Lepcha', 'Limbu', 'Lisu', 'Mandaic', 'Meetei_Mayek'],
  ...['Miao', 'New_Tai_Lue', 'Newa', 'Nko', 'Nyiakeng_Puachue_Hmong', 'Ol_Chiki', 'Osage', 'Saurashtra'],
  ...['Sundanese', 'Syloti_Nagri', 'Syriac', 'Tai_Le', 'Tai_Tham', 'Tai_Viet', 'Tifinagh', 'Vai', 'Wancho'],
  'Yi',
];

// Scripts that are written together (UTS 39 section 5.1): Japanese, Chinese with Bopomofo, Korean.
const together = [
  ['Han', 'Hiragana', 'Katakana'],
  ['Han', 'Bopomofo'],
  ['Han', 'Hangul'],
];

const marks = '._\\-';
// Letters that show nothing, such as the Hangul fillers.
const invisible = '\\p{Default_Ignorable_Code_Point}';

const systems: readonly RegExp[] = [...scripts.map((script) => [script]), ...together].map(systemOf);

function systemOf(names: readonly string[]): RegExp {
  const script = `[${names.map((name) => `\\p{Script=${name}}`).join('')}]`;
  // The long mark of Japanese belongs to two scripts, so Unicode calls it common.
  const long = names.includes('Katakana') ? 'ー' : '';
  const letters = `[[\\p{L}&&${script}]--${invisible}]${long}`;
  // Digits of one row in a name: ASCII, or the script's own. Arabic has two rows that look alike.
  const digits = ['0-9', ...(names.includes('Arabic') ? ['٠-٩', '۰-۹'] : [`[\\p{Nd}&&${script}]`])];
  return new RegExp(`^(?:${digits.map((own) => `[${letters}${own}${marks}]+`).join('|')})$`, 'v');
}

const permitted = new RegExp(`^[[\\p{L}\\p{Nd}${marks}]--${invisible}]+$`, 'v');

/** Whether every character is a letter, a digit or one of `.` `_` `-`, whatever its script. */
export function hasOnlyNameCharacters(name: string): boolean {
  return permitted.test(name);
}

/** Whether all letters of a name in NFKC are of one writing system, and its digits ASCII or of the same. */
export function isOneWritingSystem(name: string): boolean {
  return systems.some((system) => system.test(name));
}
