/** Another commit of this repository in a temporary directory, with its dependencies. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from '#host/child-process.ts';
import { InputError } from '../input-error.ts';

/** Disposing it removes the directory. It is removed too when this process ends before that. */
export type Checkout = Disposable & { root: string; commit: string };

const repository = fileURLToPath(new URL('../../../', import.meta.url));
/** As the Dockerfile installs: without the runtime, because this process's own is used. */
const install = ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
/** Chosen, not measured: longer than git takes to remove what it has written. */
const stopGraceMs = 5000;

/**
 * Checks a branch, tag or commit out with `git worktree`. Its dependencies are those of this checkout where
 * package-lock.json is the same, else they are installed. Throws an `InputError` where that is not possible.
 */
export async function checkOut(
  ref: string,
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<Checkout> {
  const commit = commitOf(ref);
  const parent = mkdtempSync(join(tmpdir(), 'chat-lab-ref-'));
  const root = join(parent, 'tree');
  let isRemoved = false;
  const remove = () => {
    if (isRemoved) return;
    isRemoved = true;
    process.off('exit', remove);
    try {
      execFileSync('git', ['worktree', 'remove', '--force', root], { cwd: repository, stdio: 'ignore' });
    } catch {
      // It was interrupted before git knew of the directory.
    }
    rmSync(parent, { recursive: true, force: true });
  };
  process.on('exit', remove);
  try {
    print(`checking out ${ref} (${commit.slice(0, 12)}) …`);
    await finish('git', ['-C', repository, 'worktree', 'add', '--detach', root, commit], signal);
    if (!existsSync(join(root, 'server', 'main.ts')))
      throw new InputError([`Name a version with a server: required server/main.ts; given ${ref}.`]);
    await addDependencies(root, ref, signal, print);
    return { root, commit, [Symbol.dispose]: remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function commitOf(ref: string): string {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`];
  try {
    return execFileSync('git', args, { cwd: repository, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    throw new InputError([
      `Name a version of this repository: required a branch, tag or commit that git knows; given ${ref}.`,
    ]);
  }
}

async function addDependencies(
  root: string,
  ref: string,
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<void> {
  const lockOf = (directory: string) => {
    const path = join(directory, 'package-lock.json');
    return existsSync(path) ? readFileSync(path, 'utf8') : null;
  };
  if (lockOf(root) === lockOf(repository)) {
    symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'), 'dir');
    return;
  }
  print(`npm ci for ${ref}, whose dependencies are not those of this checkout …`);
  try {
    await finish('npm', ['--prefix', root, ...install], signal);
  } catch (error) {
    signal.throwIfAborted();
    const reason = (error as Error).message.replaceAll('\n', ' ');
    throw new InputError([
      `Name a version whose dependencies can be installed: required npm ci to succeed; given ${ref}: ${reason}`,
    ]);
  }
}

/** Rejects with its last lines where it fails. An abort stops it, and rejects once it is gone. */
async function finish(command: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const child = await startChild({ command, args, onLine: () => {} });
  const stop = () => void child.stop('SIGTERM', stopGraceMs);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const code = await child.exit;
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (code !== 0) throw new Error(child.lastLines());
}
