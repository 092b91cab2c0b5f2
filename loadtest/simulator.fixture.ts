/** For tests: the simulator as a process, and retries of tests that measure times. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/**
 * Starts the simulator with arguments that are separated by blanks, after a command of the shell if one is
 * given, such as `ulimit`. `ended` waits for all its processes.
 */
export function startSimulator(args: string, environment: Record<string, string> = {}, first = 'true') {
  const main = new URL('./main.ts', import.meta.url).pathname;
  const env = { ...process.env, ...environment };
  const shell = ['-c', `${first} && exec "$@"`, 'sh'];
  const child = spawn('sh', [...shell, process.execPath, main, ...args.split(' ')], { env });
  const outputs = Promise.all([text(child.stdout), text(child.stderr)]);
  const ended = once(child, 'close').then(async ([code]) => {
    const [stdout, stderr] = await outputs;
    return { code: code as number | null, stdout, stderr };
  });
  return { child, ended };
}

/** Tries up to three times: a busy machine disturbs tests of times sometimes, a wrong simulator always. */
export async function withRetries(body: () => Promise<void>, attemptsLeft = 2): Promise<void> {
  return body().catch((error: Error) => {
    if (attemptsLeft === 0) throw error;
    console.error(`${attemptsLeft} more attempts: ${error.message}`);
    return withRetries(body, attemptsLeft - 1);
  });
}
