/** For tests of times: a busy machine disturbs them sometimes, a wrong simulator fails always. */

/** Runs the body until it passes, at most three times. Rejects with the last failure. */
export async function withRetries(body: () => Promise<void>): Promise<void> {
  for (let attempt = 1; attempt < 3; attempt++) {
    try {
      return await body();
    } catch (error) {
      console.error(`attempt ${attempt}: ${(error as Error).message}`);
    }
  }
  await body();
}
