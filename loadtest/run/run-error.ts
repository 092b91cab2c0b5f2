/** The error of a run that has no result: by input that the operator can change, by a failure of the simulator, or by Ctrl-C. */
export class RunError extends Error {
  readonly kind: 'input' | 'void' | 'interrupted';

  constructor(kind: RunError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}
