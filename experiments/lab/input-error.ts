/** A mistake that the operator can correct; the program ends with exit code 2. */
export class InputError extends Error {
  /** One sentence for each mistake: the correction, the requirement, the given value. */
  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'));
  }
}
