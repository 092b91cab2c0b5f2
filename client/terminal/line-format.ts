/** What a message looks like as a line. Whatever others wrote comes out harmless. Pure. */
import { styleText } from 'node:util';
import type { ChatMessage } from '#protocol';

/**
 * Control characters (C0, DEL, C1) would let anybody move our cursor, set our clipboard or break our lines; line and
 * paragraph separators break lines in some terminals; bidirectional overrides make text read as it was not written.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const harmful = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** The text with every harmful character replaced by a visible one: `␛` for escape, `\u{9b}` where none exists. */
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

/** One line of JSON that parses to the exact message, and still is safe to show on a terminal. */
export function jsonLine({ clientId, Message }: ChatMessage): string {
  return JSON.stringify({ clientId, Message }).replace(
    harmful,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

type Style = Parameters<typeof styleText>[0];

/** The colours that read well on dark and on light backgrounds alike; red is left for trouble. */
const nameStyles: readonly Style[] = [
  'cyan',
  'green',
  'yellow',
  'blue',
  'magenta',
  'blueBright',
  'magentaBright',
];

/** Writes the lines of an interactive terminal, with colours or without. */
export class LineStyle {
  readonly #colours: boolean;

  constructor(colours: boolean) {
    this.#colours = colours;
  }

  /** `12:01:03 alice: hello`; one colour per clientId, our own marked `(you)` and bold. */
  message(message: ChatMessage, own: boolean, at: Date): string {
    const name = own ? `${neutralise(message.clientId)} (you)` : neutralise(message.clientId);
    const style = nameStyles[hash(message.clientId) % nameStyles.length] ?? 'cyan';
    const styles = (own ? ['bold', style] : style) as Style;
    return `${this.#paint('dim', clockTime(at))} ${this.#paint(styles, name)}: ${neutralise(message.Message)}`;
  }

  /** A line of the program's own, set apart from what people say. */
  notice(text: string, at: Date): string {
    return this.#paint('dim', `${clockTime(at)} * ${neutralise(text)}`);
  }

  trouble(text: string, at: Date): string {
    return `${this.#paint('dim', clockTime(at))} ${this.#paint('red', `* ${neutralise(text)}`)}`;
  }

  #paint(style: Style, text: string): string {
    return this.#colours ? styleText(style, text, { validateStream: false }) : text;
  }
}

/** A wait as a person says it: `0.4 s`, `12 s`. */
export function seconds(waitMs: number): string {
  return waitMs < 9_950 ? `${(waitMs / 1000).toFixed(1)} s` : `${Math.round(waitMs / 1000)} s`;
}

function clockTime(at: Date): string {
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
}

/** FNV-1a: the same person has the same colour on every screen. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}
