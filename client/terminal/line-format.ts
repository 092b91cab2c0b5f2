/** A message as one line of text. Control characters in it are made harmless. Pure. */
import { styleText } from 'node:util';
import type { ChatMessage } from '#protocol';

/**
 * Control characters (C0, DEL, C1) could move the cursor, set the clipboard or break a line. Some separators
 * break lines too, and bidirectional overrides display text in another order.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it matches control characters
const harmful = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** The text with harmful characters made visible: `␛` for escape, `\u{9b}` where no such sign exists. */
export function neutralise(text: string): string {
  return text.replace(harmful, (character) => {
    const code = character.charCodeAt(0);
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
  return JSON.stringify({ clientId, Message }).replace(
    harmful,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
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
