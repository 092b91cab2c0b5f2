/** A message as one line of text. Harmful characters in it are made visible. Pure. */
import { styleText } from 'node:util';
import type { ChatMessage } from '#protocol';
import { colourOf, neutralise, replaceHarmful } from '../core/visible-text.ts';

/** One line for a program: `clientId: Message`. */
export function plainLine(message: ChatMessage): string {
  return `${neutralise(message.clientId)}: ${neutralise(message.Message)}`;
}

/** One line of JSON that parses to the exact message and is safe to print on a terminal. */
export function jsonLine({ clientId, Message }: ChatMessage): string {
  return escapedJson({ clientId, Message });
}

/** A value as one line of JSON in which harmful characters are escaped. */
export function escapedJson(value: unknown): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return replaceHarmful(JSON.stringify(value), (character) => character.split('').map(escaped).join(''));
}

type Style = Parameters<typeof styleText>[0];

/** Colours that are readable on dark and on light backgrounds; red is kept for warnings. */
const nameStyles = ['cyan', 'green', 'yellow', 'blue', 'magenta', 'blueBright', 'magentaBright'] as const;

/** A message to one person, or from one; `mark` says how far one's own has come. */
export type DirectLine = {
  readonly who: string;
  readonly to: string;
  readonly text: string;
  readonly mark?: string;
  readonly sentAtMs?: number;
};

export const noBreak = '\u00a0';
/** A message that was sent so long before it came was waiting. */
const lateMs = 60_000;

/** Formats the lines of an interactive terminal, with or without colours. */
export class LineStyle {
  readonly #colours: boolean;

  constructor(colours: boolean) {
    this.#colours = colours;
  }

  /**
   * `12:01:03 alice: hello`; one colour per clientId, one's own marked `(you)` and bold. With `columns`, it
   * breaks at spaces within that width, and goes on below the name.
   */
  message(message: ChatMessage, own: boolean, at: Date, columns = Number.POSITIVE_INFINITY): string {
    const name = own ? `${neutralise(message.clientId)} (you)` : neutralise(message.clientId);
    const style = nameStyles[colourOf(message.clientId, nameStyles.length)]!;
    const painted = this.#paint(own ? ['bold', style] : style, name);
    const text = wrapped(neutralise(message.Message), columns, timeWidth + cellsOf(`${name}: `));
    return `${this.#paint('dim', clockTime(at))} ${painted}: ${text}`;
  }

  /**
   * A message to one person, and how far it has come: `12:01:03 alice (you) → bob: hello · read`. One that
   * came: `12:01:03 bob → you: hello`, and when it was sent, where that was more than a minute before.
   */
  direct(
    { who, to, text, mark, sentAtMs }: DirectLine,
    at: Date,
    columns = Number.POSITIVE_INFINITY,
  ): string {
    const own = mark !== undefined;
    const [from, other] = own ? [`${neutralise(who)} (you)`, neutralise(to)] : [neutralise(who), 'you'];
    const style = nameStyles[colourOf(own ? to : who, nameStyles.length)]!;
    const head = `${from} → ${other}`;
    const late = sentAtMs !== undefined && at.getTime() - sentAtMs > lateMs;
    const about = own ? `· ${mark}` : late ? `· sent ${dayTime(new Date(sentAtMs), at)}` : '';
    // It stays together where the line breaks.
    const tail = about.replaceAll(' ', noBreak);
    const body = wrapped(`${neutralise(text)} ${tail}`.trimEnd(), columns, timeWidth + cellsOf(`${head}: `));
    const said = `${body.slice(0, body.length - tail.length)}${tail === '' ? '' : this.#paint('dim', about)}`;
    return `${this.#paint('dim', clockTime(at))} ${this.#paint(['bold', style], head)}: ${said}`;
  }

  /** A line of the client itself, unlike any message; its other lines begin where the `name` ends. */
  notice(text: string, at: Date, columns = Number.POSITIVE_INFINITY, name = ''): string {
    const begin = timeWidth + 2 + name.length;
    const lines = wrapped(neutralise(text), columns, begin, name === '' ? timeWidth : begin);
    return this.#paint('dim', `${clockTime(at)} * ${name}${lines.replaceAll(noBreak, ' ')}`);
  }

  warning(text: string, at: Date, columns = Number.POSITIVE_INFINITY): string {
    const lines = wrapped(neutralise(text), columns, timeWidth + 2);
    return `${this.#paint('dim', clockTime(at))} ${this.#paint('red', `* ${lines}`)}`;
  }

  /** The state of the connection above the input line: one line, cut to that width. */
  status(text: string, columns: number): string {
    return this.#paint('red', neutralise(text).slice(0, Math.max(1, columns - 1)));
  }

  /** Something that will pass, in the same place. */
  hint(text: string, columns: number): string {
    return this.#paint('dim', neutralise(text).slice(0, Math.max(1, columns - 1)));
  }

  #paint(style: Style, text: string): string {
    return this.#colours ? styleText(style, text, { validateStream: false }) : text;
  }
}

/** Of `12:01:03 ` before each line, and of the lines that go on. */
const timeWidth = 9;

/** A text whose first line begins `offset` columns from the left, and the others `indent`. */
function wrapped(text: string, columns: number, offset: number, indent = timeWidth): string {
  const words = text.split(' ');
  const lines = [words.shift() ?? ''];
  for (const word of words) {
    const last = lines.at(-1)!;
    const before = lines.length === 1 ? offset : indent;
    if (before + cellsOf(`${last} ${word}`) > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}

/** Columns that a text takes: two for wide characters, none for combining ones. An estimate. */
function cellsOf(text: string): number {
  let cells = 0;
  for (const character of text) cells += none.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return cells;
}

const none = /^(\p{M}|\u200c|\u200d|\ufe0f)$/u;
const wide =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff01-\uff60]$/u;

/** A wait in seconds: `0.4 s`, `12 s`. */
export function seconds(waitMs: number): string {
  return waitMs < 9_950 ? `${(waitMs / 1000).toFixed(1)} s` : `${Math.round(waitMs / 1000)} s`;
}

/** `1 attempt`, `2 attempts`. */
export function attempts(count: number): string {
  return count === 1 ? '1 attempt' : `${count} attempts`;
}

/** `09:15` of today, `21 Nov 09:15` of another day. */
export function dayTime(at: Date, now: Date): string {
  const time = clockTime(at).slice(0, 5);
  if (at.toDateString() === now.toDateString()) return time;
  return `${at.getDate()} ${at.toLocaleString('en', { month: 'short' })} ${time}`;
}

function clockTime(at: Date): string {
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
}
