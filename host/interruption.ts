/** How a running measurement is interrupted. */

/** One Ctrl-C arrives twice under npm, which passes it on; a closing terminal sends two signals at once. */
const insistAfterMs = 1000;
/**
 * An interrupted program stops what it has started, each with a grace of a few seconds. One that has not
 * ended after this time waits for something that will not come. Chosen, not measured.
 */
const patienceMs = 30_000;
export const interruptedCode = 130;

/**
 * Aborted by the first Ctrl-C. The process ends at once, and its children with it, at a second Ctrl-C, or if
 * it has not ended within `withinMs` of the first.
 */
export function interruption(withinMs = patienceMs): AbortSignal {
  const controller = new AbortController();
  let firstAtMs = 0;
  const end = () => process.exit(interruptedCode);
  const abort = (why: string) => {
    if (controller.signal.aborted) return;
    firstAtMs = performance.now();
    setTimeout(end, withinMs).unref();
    controller.abort(new Error(why));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted && performance.now() - firstAtMs > insistAfterMs) end();
      abort(`interrupted by ${signal}`);
    });
  }
  // The terminal was closed, or the reader of a pipe ended: the run stops, and its results until then stay.
  process.stdout.on('error', () => abort('standard output is closed'));
  return controller.signal;
}
