/** A mistake that the operator can correct; the program ends with exit code 2. */

/** Its message has one sentence for each mistake: the correction, the requirement, the given value. */
export class InputError extends Error {
  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'));
  }
}
