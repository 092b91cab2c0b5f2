/** Files that are written whole or not at all: a full disk leaves the older file as it was. */
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';

/** A file could not be written. The message is one clause with the path and the reason of the system. */
export class WriteError extends Error {
  constructor(path: string, cause: unknown) {
    super(`${path}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Why nothing can be written to a path, as one clause; null if it can. The check makes an empty file beside
 * the path and removes it, because neither a read-only file system nor a full one shows in the permissions.
 */
export function writeFault(path: string): string | null {
  if (path === '') return 'the name is empty';
  const target = resolved(path);
  const stats = statOf(target);
  if (stats?.isDirectory()) return 'it is a directory';
  if (stats !== null && !isAllowed(target)) return 'it may not be written';
  // A device or a pipe is written to, never replaced.
  if (stats !== null && !stats.isFile()) return null;
  const directory = dirname(target);
  if (!statOf(directory)?.isDirectory()) return `its directory ${directory} does not exist`;
  const beside = besideOf(target);
  try {
    closeSync(openSync(beside, 'wx'));
    rmSync(beside);
    return null;
  } catch (error) {
    return `no file can be made in ${directory} (${(error as NodeJS.ErrnoException).code})`;
  }
}

/**
 * Makes a directory with those above it. Throws a `WriteError`. The recursive way of Node 24 never returns
 * where a file system says that there is no such place, as /proc does.
 */
export function makeDirectory(path: string): void {
  const missing: string[] = [];
  for (let at = resolve(path); statOf(at) === null; at = dirname(at)) missing.unshift(at);
  for (const directory of missing) {
    try {
      mkdirSync(directory);
    } catch (error) {
      // Another program may have made it meanwhile.
      if (statOf(directory) === null) throw new WriteError(path, error);
    }
  }
}

/** Writes a file beside the path and renames it. Throws a `WriteError`; the older file is whole then. */
export function writeWhole(path: string, text: string): void {
  const target = resolved(path);
  const stats = statOf(target);
  const beside = stats === null || stats.isFile() ? besideOf(target) : null;
  try {
    const file = openSync(beside ?? target, 'w', stats?.mode);
    try {
      writeFileSync(file, text);
      if (beside !== null) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (beside !== null) renameSync(beside, target);
  } catch (error) {
    if (beside !== null) rmSync(beside, { force: true });
    throw new WriteError(path, error);
  }
}

/** Two programs may write the same file at the same time, each beside it. */
function besideOf(path: string): string {
  return `${path}.${process.pid}.new`;
}

/** Where symbolic links lead: a rename would replace the link. */
function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // There is nothing yet.
  }
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null; // It is not there, or may not be looked at.
  }
}

function isAllowed(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
