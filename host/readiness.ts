/** Starts a program and waits until its output says that it is ready. */

/** A program that has been started. Disposing it stops it. */
export type Program = AsyncDisposable & {
  /** Resolves with how it ended, in words. Never rejects. */
  ended: Promise<string>;
  /** The last lines that it wrote, oldest first. */
  lastLines(): string;
};

export type OnLine = (line: string, stream: 'stdout' | 'stderr') => void;

export type Readiness<T> = {
  /** Of the program, for messages. */
  name: string;
  /** Reads one line of output. Any value but undefined means that the program is ready. */
  readLine(line: string): T | undefined;
  deadlineMs: number;
  /** Aborting it stops the program. */
  signal?: AbortSignal | undefined;
};

/** A program that did not become ready. The message says why and ends with the last lines of its output. */
export class StartError extends Error {}

/**
 * Resolves once a line says that the program is ready. Otherwise stops the program and rejects: with a
 * `StartError` when it ends first or is late, with the signal's reason when that is aborted.
 */
export async function startUntilReady<P extends Program, T>(
  start: (onLine: OnLine) => Promise<P>,
  { name, readLine, deadlineMs, signal }: Readiness<T>,
): Promise<{ program: P; ready: T }> {
  signal?.throwIfAborted();
  const ready = Promise.withResolvers<T>();
  ready.promise.catch(() => {}); // Several events may reject it before it is awaited.
  const program = await start((line) => {
    const value = readLine(line);
    if (value !== undefined) ready.resolve(value);
  });
  const refuse = (why: string) =>
    ready.reject(new StartError(`${name} ${why}. Its last output:\n${program.lastLines()}`));
  void program.ended.then((how) => refuse(`ended before it was ready (${how})`));
  const timer = setTimeout(() => refuse(`was not ready within ${deadlineMs / 1000} s`), deadlineMs);
  const abort = () => ready.reject(signal?.reason);
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  try {
    return { program, ready: await ready.promise };
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
