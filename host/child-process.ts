/**
 * A child process that cannot be left behind: it leads a process group of its own, is stopped gently and then
 * hard, and is killed when this process ends, even if that ends by an uncaught error or by SIGKILL.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { unwatchGroup, watchGroup } from './group-watch.ts';
import { type OnLine, type Readiness, startUntilReady } from './readiness.ts';

export type Child = AsyncDisposable & {
  pid: number;
  /** Resolves with the exit code, null where a signal ended it. Never rejects. */
  exit: Promise<number | null>;
  /** Resolves with how it ended, e.g. `exited with code 134` or `killed by SIGKILL`. Never rejects. */
  ended: Promise<string>;
  /** The same, now; null while it runs. */
  howEnded(): string | null;
  /** The last lines of standard output and error together, oldest first. */
  lastLines(): string;
  /** Writes to its standard input, which `takesInput` asked for. Does nothing when it is gone. */
  write(text: string): void;
  /** Sends a signal to the child alone, not to its group. Does nothing when it is gone. */
  signal(name: NodeJS.Signals): void;
  /** Sends a signal to the child and all that it has started. Does nothing when it is gone. */
  signalGroup(name: NodeJS.Signals): void;
  /** Sends the group a signal, and kills it after the grace. Resolves when the child is gone. */
  stop(name: NodeJS.Signals, graceMs: number): Promise<void>;
};

export type ChildOptions = {
  command: string;
  args: readonly string[];
  /** The environment of this process where left out. */
  env?: NodeJS.ProcessEnv;
  onLine: OnLine;
  /** Gives it a standard input to write to; without it, it reads the end of its input at once. */
  takesInput?: boolean;
  /** Leaves the rest of the group alone when the child ends by itself: for tests of how a program ends. */
  keepGroup?: boolean;
};

/** Chosen, not measured: enough for an error message with its stack. */
const linesKept = 12;
const lineCharsMax = 400;
const stopGraceMs = 2000;
/** Groups outlive the process that made them. */
const groups = new Set<number>();
process.on('exit', () => {
  for (const pid of groups) send(-pid, 'SIGKILL');
});

/** Starts a child; rejects when the command cannot be run at all. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { command, args, env } = options;
  const input = options.takesInput === true ? 'pipe' : 'ignore';
  const child = spawn(command, args, { detached: true, stdio: [input, 'pipe', 'pipe'], env });
  // A child that has ended breaks the pipe: how it ended is told by `exit`.
  child.stdin?.on('error', () => {});
  const lines = followLines(child, options.onLine);
  await once(child, 'spawn');
  const pid = child.pid!;
  groups.add(pid);
  watchGroup(pid);
  let howEnded: string | null = null;
  child.once('exit', (code, signal) => {
    howEnded = signal === null ? `exited with code ${code}` : `killed by ${signal}`;
    // A descendant that outlives the child would also hold its output open, and 'close' would never come.
    if (!options.keepGroup) send(-pid, 'SIGKILL');
  });
  // 'close' follows the last line of output: after `exit` there are no more lines.
  const exit = once(child, 'close').then(([code]: (number | null)[]) => {
    groups.delete(pid);
    unwatchGroup(pid);
    return code ?? null;
  });
  const stop = async (name: NodeJS.Signals, graceMs: number) => {
    if (!groups.has(pid)) return;
    send(-pid, name);
    const timer = setTimeout(() => send(-pid, 'SIGKILL'), graceMs);
    await exit;
    clearTimeout(timer);
  };
  return {
    pid,
    exit,
    ended: exit.then(() => howEnded!),
    howEnded: () => howEnded,
    lastLines: () => lines.join('\n'),
    write: (text) => void child.stdin?.write(text),
    signal: (name) => howEnded ?? send(pid, name),
    signalGroup: (name) => howEnded ?? send(-pid, name),
    stop,
    [Symbol.asyncDispose]: () => stop('SIGTERM', stopGraceMs),
  };
}

/** Starts a child and resolves once a line of its output says that it is ready, as `startUntilReady` does. */
export async function startChildUntil<T>(
  options: Omit<ChildOptions, 'onLine'> & { onLine?: OnLine },
  readiness: Readiness<T>,
): Promise<{ child: Child; ready: T }> {
  const start = (readLine: OnLine) => {
    const onLine: OnLine = (line, stream) => {
      options.onLine?.(line, stream);
      readLine(line, stream);
    };
    return startChild({ ...options, onLine });
  };
  const { program, ready } = await startUntilReady(start, readiness);
  return { child: program, ready };
}

function followLines(child: ChildProcess, onLine: OnLine): string[] {
  const kept: string[] = [];
  for (const name of ['stdout', 'stderr'] as const) {
    createInterface({ input: child[name]! }).on('line', (line) => {
      kept.push(line.slice(0, lineCharsMax));
      if (kept.length > linesKept) kept.shift();
      onLine(line, name);
    });
  }
  return kept;
}

/** To a process, or with a negative number to its group. */
function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
