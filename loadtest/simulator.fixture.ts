/** For tests: the simulator as a process, and retries of tests that measure times. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export type SimulatorRun = {
  child: ChildProcess;
  /** Resolves when all its processes have ended. */
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
};

/** Starts the simulator with arguments that are separated by blanks. */
export function startSimulator(args: string, environment: Record<string, string> = {}): SimulatorRun {
  const main = new URL('./main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [main, ...args.split(' ')], {
    env: { ...process.env, ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  return { child, ended: once(child, 'close').then(([code]) => ({ code, stdout, stderr })) };
}

/**
 * Runs the body until it passes, at most three times. Rejects with the last failure. A busy machine disturbs
 * tests of times sometimes; a wrong simulator fails always.
 */
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
