/** For tests of times: a machine that is busy with something else disturbs them, a dishonest instrument fails always. */

/** Runs the body until it holds, at most three times; the last failure counts. */
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
