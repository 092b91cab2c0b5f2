/** How a running experiment is interrupted. */

/** One Ctrl-C arrives twice under npm, which passes it on; a closing terminal sends two signals at once. */
const insistAfterMs = 1000;

/** Aborted by the first Ctrl-C; a second one ends the process at once, and its children with it. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  let firstAtMs = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) firstAtMs = performance.now();
      else if (performance.now() - firstAtMs > insistAfterMs) process.exit(130);
      controller.abort(new Error(`interrupted by ${signal}`));
    });
  }
  // The terminal was closed, or the reader of a pipe ended: the run stops, and its results until then stay.
  process.stdout.on('error', () => controller.abort(new Error('standard output is closed')));
  return controller.signal;
}
