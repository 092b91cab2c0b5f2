/** How a run ends that has no result. */

/** Raised where no result is possible: for what the user can mend, for a failure of the simulator, or by Ctrl-C. */
export class RunError extends Error {
  readonly kind: 'input' | 'void' | 'interrupted';

  constructor(kind: RunError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}
