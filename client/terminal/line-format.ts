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
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return replaceHarmful(JSON.stringify({ clientId, Message }), (character) =>
    character.split('').map(escaped).join(''),
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
    const style = nameStyles[colourOf(message.clientId, nameStyles.length)]!;
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

function clockTime(at: Date): string {
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
}
