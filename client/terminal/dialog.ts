/** Questions in the input line: the next line is the answer, and not a message. */
import type { Screen } from './screen.ts';

export class Dialog {
  readonly #screen: Screen;
  #answer: ((line: string | undefined) => void) | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
    screen.lines.on('close', () => this.cancel());
  }

  /** The line that the person types; undefined if they give up, or something else is asked. */
  ask(question: string): Promise<string | undefined> {
    this.cancel();
    this.#screen.ask(question);
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  /** As `ask`, and what is typed is not shown. */
  askSecret(question: string): Promise<string | undefined> {
    this.cancel();
    return this.#screen.askSecret(question);
  }

  /** Takes a line for the answer; false where nothing was asked. */
  take(line: string): boolean {
    return this.#end(line);
  }

  /** Ends the question without an answer; false where nothing was asked. */
  cancel(): boolean {
    return this.#end(undefined);
  }

  #end(line: string | undefined): boolean {
    const answer = this.#answer;
    this.#answer = undefined;
    if (!answer) return false;
    this.#screen.ask('');
    answer(line);
    return true;
  }
}
