/** The error of a run without a result: bad input, a failure of the simulator, or Ctrl-C. */
export class RunError extends Error {
  readonly kind: 'input' | 'void' | 'interrupted';

  constructor(kind: RunError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}
