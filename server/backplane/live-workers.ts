/** The workers that run, as their supervisor says. A missing socket does not show whether its worker runs. */

export class LiveWorkers {
  #numbers: ReadonlySet<number> = new Set();
  /** Called when the supervisor has said who runs. */
  changed: () => void = () => {};

  has(workerNumber: number): boolean {
    return this.#numbers.has(workerNumber);
  }

  set(numbers: readonly number[]): void {
    this.#numbers = new Set(numbers);
    this.changed();
  }
}
