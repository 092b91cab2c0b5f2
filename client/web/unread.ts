/** Counts the messages that came while nobody looked, and shows the number in the title. */

export class Unread {
  readonly #title: string;
  readonly #sees: () => boolean;
  readonly #onChange: (count: number) => void;
  #count = 0;
  #elsewhere = 0;

  /** `sees`: whether a message that comes now is seen at once. */
  constructor(title: string, sees: () => boolean, onChange: (count: number) => void) {
    this.#title = title;
    this.#sees = sees;
    this.#onChange = onChange;
    this.#set(0);
  }

  /** True for the first of them: there the person stopped reading. */
  came(): boolean {
    if (this.#sees()) return false;
    this.#set(this.#count + 1);
    return this.#count === 1;
  }

  /** The person may look again. */
  look(): void {
    if (this.#count > 0 && this.#sees()) this.#set(0);
  }

  /** Unread messages of the room. */
  get count(): number {
    return this.#count;
  }

  /** Unread messages elsewhere, which the title counts too. */
  alsoCount(elsewhere: number): void {
    this.#elsewhere = elsewhere;
    this.#showTitle();
  }

  #set(count: number): void {
    this.#count = count;
    this.#showTitle();
    this.#onChange(count);
  }

  #showTitle(): void {
    const count = this.#count + this.#elsewhere;
    document.title = count === 0 ? this.#title : `(${count.toLocaleString('en')}) ${this.#title}`;
  }
}
