/** Text of others, made harmless to show. It is the same on a terminal and on a page. Pure. */

/**
 * Control characters (C0, DEL, C1) could move the cursor, set the clipboard or break a line. Some separators
 * break lines too, and bidirectional overrides display text in another order. Characters that are not shown
 * (zero-width ones, tags, fillers, selectors) make two names look the same, or hide a text.
 */
const harmful = String.raw`[\p{Cc}\p{Default_Ignorable_Code_Point}\u2028\u2029\ufff9-\ufffb]`;
/** Scripts in which an invisible joiner between two letters changes how they are written. */
const joining = [
  'Arab',
  'Syrc',
  'Deva',
  'Beng',
  'Guru',
  'Gujr',
  'Orya',
  'Taml',
  'Telu',
  'Knda',
  'Mlym',
  'Sinh',
]
  .map((script) => String.raw`\p{Script=${script}}`)
  .join('');
/** Where such characters belong to ordinary text: in emoji, and between letters that join. */
const ordinary = [
  String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])\u200d(?=\p{Extended_Pictographic})`,
  String.raw`(?<=[\p{Extended_Pictographic}#*0-9])\ufe0f`,
  String.raw`(?<=[${joining}])[\u200c\u200d](?=[${joining}])`,
].join('|');
const harmfulOrOrdinary = new RegExp(`(${ordinary})|${harmful}`, 'gu');

/** The text with every harmful character replaced by what `show` makes of it. */
export function replaceHarmful(text: string, show: (character: string) => string): string {
  return text.replace(harmfulOrOrdinary, (character, kept?: string) => kept ?? show(character));
}

/** The text with harmful characters made visible: `␛` for escape, `\u{9b}` where no such sign exists. */
export function neutralise(text: string): string {
  return replaceHarmful(text, (character) => {
    const code = character.codePointAt(0)!;
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? '\u2421' : `\\u{${code.toString(16)}}`;
  });
}

/** One of `count` colours for a clientId, from 0; the same on every screen (FNV-1a). */
export function colourOf(clientId: string, count: number): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < clientId.length; index++) {
    value = Math.imul(value ^ clientId.charCodeAt(index), 0x01000193);
  }
  return (value >>> 0) % count;
}
