/** The names that a client has had: echoes of a name of before may still be under way. */

/** Names that are remembered. Chosen, not measured. */
const namesMax = 8;

export class OwnNames {
  #names: readonly string[];

  constructor(first: string) {
    this.#names = [first];
  }

  /** The name of the next message. */
  get now(): string {
    return this.#names.at(-1)!;
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  add(name: string): void {
    this.#names = [...this.#names, name].slice(-namesMax);
  }
}
