/** A message as one line of text. Control characters in it are made harmless. Pure. */
import { styleText } from 'node:util';
import type { ChatMessage } from '#protocol';
import type { ChatEvents } from '../core/chat-client.ts';

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

/** The text with harmful characters made visible: `␛` for escape, `\u{9b}` where no such sign exists. */
export function neutralise(text: string): string {
  return text.replace(harmfulOrOrdinary, (character, kept?: string) => {
    if (kept !== undefined) return kept;
    const code = character.codePointAt(0)!;
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? '\u2421' : `\\u{${code.toString(16)}}`;
  });
}

/** One line for a program: `clientId: Message`. */
export function plainLine(message: ChatMessage): string {
  return `${neutralise(message.clientId)}: ${neutralise(message.Message)}`;
}

/** One line of JSON that parses to the exact message and is safe to print on a terminal. */
export function jsonLine({ clientId, Message }: ChatMessage): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify({ clientId, Message }).replace(
    harmfulOrOrdinary,
    (character, kept?: string) => kept ?? character.split('').map(escaped).join(''),
  );
}

type Style = Parameters<typeof styleText>[0];

/** Colours that are readable on dark and on light backgrounds; red is kept for warnings. */
const nameStyles = ['cyan', 'green', 'yellow', 'blue', 'magenta', 'blueBright', 'magentaBright'] as const;

/** Formats the lines of an interactive terminal, with or without colours. */
export class LineStyle {
  readonly #colours: boolean;

  constructor(colours: boolean) {
    this.#colours = colours;
  }

  /** `12:01:03 alice: hello`; one colour per clientId, one's own marked `(you)` and bold. */
  message(message: ChatMessage, own: boolean, at: Date): string {
    const name = own ? `${neutralise(message.clientId)} (you)` : neutralise(message.clientId);
    const style = nameStyles[hash(message.clientId) % nameStyles.length]!;
    const painted = this.#paint(own ? ['bold', style] : style, name);
    return `${this.#paint('dim', clockTime(at))} ${painted}: ${neutralise(message.Message)}`;
  }

  /** A line of the client itself, unlike any message. */
  notice(text: string, at: Date): string {
    return this.#paint('dim', `${clockTime(at)} * ${neutralise(text)}`);
  }

  warning(text: string, at: Date): string {
    return `${this.#paint('dim', clockTime(at))} ${this.#paint('red', `* ${neutralise(text)}`)}`;
  }

  #paint(style: Style, text: string): string {
    return this.#colours ? styleText(style, text, { validateStream: false }) : text;
  }
}

/** A wait in seconds: `0.4 s`, `12 s`. */
export function seconds(waitMs: number): string {
  return waitMs < 9_950 ? `${(waitMs / 1000).toFixed(1)} s` : `${Math.round(waitMs / 1000)} s`;
}

/** `1 attempt`, `2 attempts`. */
export function attempts(count: number): string {
  return count === 1 ? '1 attempt' : `${count} attempts`;
}

/** Whether a client that was away missed messages, in words. */
export function resumption({ complete, lateCount }: ChatEvents['resumed']): string {
  if (!complete) return 'messages may be missing here';
  if (lateCount === 0) return 'you missed nothing';
  return `you missed nothing: ${lateCount === 1 ? '1 message' : `${lateCount} messages`} came late`;
}

function clockTime(at: Date): string {
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
}

/** FNV-1a: a clientId has the same colour on every screen. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}
