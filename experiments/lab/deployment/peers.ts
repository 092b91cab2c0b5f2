/** Servers of others: what an experiment declares of them, and the packages that only they need. */
import { execFile } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from '#host/readiness.ts';

/**
 * A program that speaks our wire. It listens at CHAT_HOST and CHAT_PORT, answers any request at
 * CHAT_INTERNAL_HOST and CHAT_INTERNAL_PORT, and then prints the line `listening`, as our server does.
 */
export type PeerProgram = {
  /** Below `experiments/`: the file to run, then those that it imports. It may also import `#protocol`. */
  files: readonly [string, ...string[]];
  /** Packages of npm that the project does not have, each as `name@version`. */
  packages: readonly string[];
  /** What runs the file: a pattern below the `node_modules` of these packages; null is Node. */
  runtime: string | null;
};

/** A peer that cannot be had on this machine: its variant is skipped. */
export class PeerUnavailable extends StartError {}

/** Arguments of npm before the packages. Nothing of a package runs at its installation. */
const npmInstall = [
  ...['install', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=0'],
] as const;

/** Chosen, not measured: ten times what 100 MB took here. */
const installDeadlineMs = 60_000;

/**
 * Resolves with the program that runs the peer on this machine. Installs its packages at the first use, into
 * a directory of the user's cache (XDG_CACHE_HOME). Rejects with `PeerUnavailable` where that fails.
 */
export async function installPeer(
  { packages, runtime }: PeerProgram,
  signal: AbortSignal,
  cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'chat-scaling-lab'),
): Promise<string> {
  if (runtime === null) return process.execPath;
  const home = join(cache, packages.join('+').replaceAll('/', '-'));
  const run = promisify(execFile);
  try {
    if (!existsSync(home)) await install(home, packages, signal);
    const [program] = globSync(join(home, 'node_modules', runtime));
    if (program === undefined) throw new Error(`there is no ${runtime} for this machine among them`);
    // A binary may have been built for another processor or another C library.
    await run(program, ['--version'], { signal });
    return program;
  } catch (error) {
    signal.throwIfAborted();
    throw new PeerUnavailable(`it needs ${packages.join(', ')} of npm: ${reasonOf(error as Error)}`);
  }
}

/** The first line of npm that names an error, such as `npm error code ECONNREFUSED`; else the message. */
function reasonOf(error: Error & { stderr?: string }): string {
  return error.stderr?.split('\n').find((line) => line.startsWith('npm error')) ?? error.message;
}

/** Under a name of its own first, so that an installation that was interrupted is never used. */
async function install(home: string, packages: readonly string[], signal: AbortSignal): Promise<void> {
  const making = `${home}.${process.pid}`;
  await mkdir(making, { recursive: true });
  await writeFile(join(making, 'package.json'), '{"private":true}');
  try {
    const args = [...npmInstall, '--prefix', making, ...packages];
    await promisify(execFile)('npm', args, { signal, timeout: installDeadlineMs });
    await rename(making, home);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}
