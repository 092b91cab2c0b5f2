/**
 * A child process that cannot be left behind: it leads a process group of its own, is stopped gently and then hard, and
 * is killed with the lab if the lab dies of an error.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export type Child = AsyncDisposable & {
  pid: number;
  /** `exited with code 134`, `killed by SIGKILL`; null while it runs. */
  ended(): string | null;
  /** Resolves with the exit code, null where a signal ended it. Never rejects. */
  exit: Promise<number | null>;
  /** The last lines of standard output and error together, oldest first. */
  lastLines(): string;
  /** To the whole group; does nothing when it is gone. */
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal, waits, and kills the group after the grace. Resolves when the child is gone; may be called twice. */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<void>;
};

export type ChildOptions = {
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  onLine: (line: string, stream: 'stdout' | 'stderr') => void;
};

const linesKept = 12;
const stopGraceMs = 2000;
const groups = new Set<number>();
let exitHook = false;

/** Starts a child; rejects when the command cannot be run at all. */
export async function startChild(options: ChildOptions): Promise<Child> {
  killGroupsWithTheLab();
  const { promise: exit, resolve: resolveExit } = Promise.withResolvers<number | null>();
  const spawnOptions: SpawnOptions = {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: options.env,
    cwd: options.cwd,
  };
  const child = spawn(options.command, options.args, spawnOptions);
  const lines = followLines(child, options.onLine);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const pid = child.pid!;
  groups.add(pid);
  let ended: string | null = null;
  child.once('exit', (code, signal) => {
    ended = signal === null ? `exited with code ${code}` : `killed by ${signal}`;
    // Descendants that outlive their leader would also hold its output open, and 'close' would never come.
    signalGroup(pid, 'SIGKILL');
  });
  // 'close' comes after the last line of output, so whoever waits for the exit has seen everything that was said.
  child.once('close', (code) => {
    groups.delete(pid);
    resolveExit(code);
  });
  const stop = async (signal: NodeJS.Signals, graceMs: number) => {
    if (!groups.has(pid)) return;
    signalGroup(pid, signal);
    const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs);
    await exit;
    clearTimeout(timer);
  };
  return {
    pid,
    ended: () => ended,
    exit,
    lastLines: () => lines.join('\n'),
    signal: (signal) => signalGroup(pid, signal),
    stop,
    [Symbol.asyncDispose]: () => stop('SIGTERM', stopGraceMs),
  };
}

function followLines(child: ChildProcess, onLine: ChildOptions['onLine']): string[] {
  const kept: string[] = [];
  for (const name of ['stdout', 'stderr'] as const) {
    createInterface({ input: child[name]! }).on('line', (line) => {
      kept.push(line.slice(0, 400));
      if (kept.length > linesKept) kept.shift();
      onLine(line, name);
    });
  }
  return kept;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Without this an uncaught error in the lab would leave servers running, because their groups outlive it. */
function killGroupsWithTheLab(): void {
  if (exitHook) return;
  exitHook = true;
  process.on('exit', () => {
    for (const pid of groups) signalGroup(pid, 'SIGKILL');
  });
}
