/** The line that a person writes, and the lines that are not in the room yet. */
import { defaultMessageLimits, utf8Bytes } from '#protocol';
import { neutralise } from '../core/visible-text.ts';
import { find, make, showText } from './elements.ts';

/** The most lines that may wait for a connection, as on the command line. Chosen, not measured. */
const waitingMax = 100;
/** Sent lines that the up arrow recalls. */
const recalledMax = 50;

export class Composer {
  readonly #form = find('composer', HTMLFormElement);
  readonly #line = find('line', HTMLInputElement);
  readonly #problem = find('line-problem', HTMLElement);
  readonly #pending = find('pending', HTMLElement);
  readonly #sent: string[] = [];
  #recalled = 0;
  /** What is not sent yet, by conversation. */
  readonly #drafts = new Map<string, string>();
  #conversation = '';

  /**
   * `send` gets each line that can be sent; true: it is pending until `settle`. `onWrite`: a key was
   * pressed.
   */
  constructor(send: (line: string) => boolean, onWrite: () => void) {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const line = this.#line.value;
      const problem = this.#problemOf(line);
      showText(this.#problem, problem);
      this.#line.focus();
      if (problem !== '' || line.trim() === '') return;
      this.#line.value = '';
      this.#sent.push(line);
      if (this.#sent.length > recalledMax) this.#sent.shift();
      this.#recalled = this.#sent.length;
      if (send(line)) this.pend(line);
    });
    this.#line.addEventListener('input', () => {
      showText(this.#problem, '');
      if (this.#line.value.trim() !== '') onWrite();
    });
    this.#line.addEventListener('keydown', (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (step === undefined || event.isComposing) return;
      // What is being written is not lost.
      if (this.#line.value !== (this.#sent[this.#recalled] ?? '')) return;
      event.preventDefault();
      this.#recalled = Math.min(this.#sent.length, Math.max(0, this.#recalled + step));
      this.#line.value = this.#sent[this.#recalled] ?? '';
    });
  }

  /** The line is on its way to the room. */
  pend(line: string): void {
    this.#pending.append(make('li', '', neutralise(line)));
  }

  /** The room has the line, or will never have it: it is not pending any more. */
  settle(line: string): void {
    const shown = neutralise(line);
    for (const row of this.#pending.children) if (row.textContent === shown) return row.remove();
  }

  /** Forgets what the person of another conversation has written. */
  reset(): void {
    this.#pending.replaceChildren();
    this.#sent.length = 0;
    this.#drafts.clear();
    this.#conversation = '';
    this.#recalled = 0;
    this.#line.value = '';
    showText(this.#problem, '');
  }

  /** Hidden where nothing can be said. */
  show(isShown: boolean): void {
    this.#form.hidden = !isShown;
  }

  /** Keeps what was written in one conversation, and goes on with what was written in another. */
  switchTo(conversation: string): void {
    this.#drafts.set(this.#conversation, this.#line.value);
    this.#conversation = conversation;
    this.#line.value = this.#drafts.get(conversation) ?? '';
    this.#recalled = this.#sent.length;
    showText(this.#problem, '');
  }

  focus(): void {
    this.#line.focus();
  }

  /** Why a line is not sent, in words; empty where it can be. */
  #problemOf(line: string): string {
    const bytes = utf8Bytes(line);
    const { messageBytesMax } = defaultMessageLimits;
    if (bytes > messageBytesMax) return `Not sent: it has ${bytes} bytes, the limit is ${messageBytesMax}.`;
    return this.#pending.childElementCount < waitingMax ? '' : `Not sent: ${waitingMax} lines are waiting.`;
  }
}
