/**
 * The directories of the workers' sockets, below the one for temporary files. A supervisor or worker that was
 * killed cannot remove its own, so the next supervisor does.
 */
import { chmodSync, mkdtempSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'chat-cores-';
/** A directory may be so new that nobody listens in it yet; chosen, not measured. */
const abandonedAfterMs = 60_000;

/** Makes a directory that only this user can enter. */
export function makeSocketDirectory(parent = tmpdir()): string {
  const directory = mkdtempSync(join(parent, prefix));
  chmodSync(directory, 0o700);
  return directory;
}

/** Removes the directories of this user in which nobody listens any more; resolves with their paths. */
export async function removeAbandonedDirectories(parent = tmpdir(), nowMs = Date.now()): Promise<string[]> {
  const removed: string[] = [];
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(prefix))) {
    const directory = join(parent, name);
    try {
      const { uid, mtimeMs } = statSync(directory);
      if (uid !== process.getuid?.() || nowMs - mtimeMs < abandonedAfterMs) continue;
      const sockets = readdirSync(directory);
      if ((await Promise.all(sockets.map((socket) => isListening(join(directory, socket))))).some(Boolean))
        continue;
      rmSync(directory, { recursive: true, force: true });
      removed.push(directory);
    } catch {
      // Another supervisor has removed it meanwhile, or it is not ours to remove.
    }
  }
  return removed;
}

/** Removes a directory if it is empty: the last worker of a supervisor that was killed does so. */
export function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Others are still there, or it is gone.
  }
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
