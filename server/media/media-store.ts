/**
 * The directory of the images. An upload is written into `quarantine/` and gets its name when it is whole and
 * on the disk; under its name it never changes. Symbolic links in the directory are not followed.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readdir, realpath, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SettingsError } from '../settings.ts';

const quarantineName = 'quarantine';
/** Only the user of the media server reads the images: all others ask the server. */
const directoryMode = 0o700;
const fileMode = 0o600;
/** A pipe in place of an image must not make the server wait for somebody who writes. */
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** An image that is not yet published. */
export type Quarantined = { readonly handle: FileHandle; readonly file: string };

/** A directory of the images is a link, or anything else that leads elsewhere. */
export class MisplacedError extends Error {}

export class MediaStore {
  readonly #root: string;
  readonly #quarantine: string;

  private constructor(root: string) {
    this.#root = root;
    this.#quarantine = join(root, quarantineName);
  }

  /** Makes the directory where it is missing. Rejects with a `SettingsError` where it cannot be written. */
  static async open(directory: string): Promise<MediaStore> {
    try {
      await mkdir(directory, { recursive: true, mode: directoryMode });
      const store = new MediaStore(await realpath(directory));
      await makeDirectory(store.#quarantine);
      const { handle, file } = await store.create();
      await handle.close();
      await rm(file);
      return store;
    } catch (error) {
      const { code = (error as Error).message } = error as NodeJS.ErrnoException;
      throw new SettingsError(
        `Set --media-directory to a directory in which files can be made; given was "${directory}" (${code}).`,
      );
    }
  }

  /** A new empty file in quarantine, which nobody else has. */
  async create(): Promise<Quarantined> {
    const file = join(this.#quarantine, randomBytes(16).toString('hex'));
    return { handle: await open(file, 'wx', fileMode), file };
  }

  /**
   * Gives a file that is written and closed its path. False: the path is taken, and what it has stays. Once
   * it resolves with true, the image has its name also after a loss of power.
   */
  async publish({ file }: Quarantined, path: string): Promise<boolean> {
    const target = this.#fileOf(path);
    const directories = [dirname(dirname(target)), dirname(target)];
    for (const directory of directories) {
      if (await makeDirectory(directory)) await syncDirectory(dirname(directory));
    }
    try {
      // Unlike a rename, a link never takes the place of another file.
      await link(file, target);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
    await syncDirectory(dirname(target));
    return true;
  }

  /** Removes a file from quarantine; a file that was published keeps its name. Never rejects. */
  async discard({ handle, file }: Quarantined): Promise<void> {
    await handle.close().catch(() => {});
    await rm(file, { force: true }).catch(() => {});
  }

  /** Opens the image at a path; undefined where there is none. The caller closes it. */
  async find(path: string): Promise<{ handle: FileHandle; bytes: number } | undefined> {
    const file = this.#fileOf(path);
    let handle: FileHandle;
    try {
      handle = await open(file, readFlags);
    } catch (error) {
      if (isNoFile(error)) return undefined;
      throw error;
    }
    try {
      const stats = await handle.stat();
      if (stats.isFile() && (await realpath(file)) === file) return { handle, bytes: stats.size };
    } catch (error) {
      if (!isNoFile(error)) throw await closed(handle, error);
    }
    await handle.close();
    return undefined;
  }

  /** Whether a path is taken, by whatever. */
  async has(path: string): Promise<boolean> {
    try {
      await lstat(this.#fileOf(path));
      return true;
    } catch (error) {
      if (isNoFile(error)) return false;
      throw error;
    }
  }

  /** Removes what has been in quarantine for longer; resolves with the number of files. */
  async sweep(ageMsMin: number, nowMs = Date.now()): Promise<number> {
    let removed = 0;
    for (const name of await readdir(this.#quarantine)) {
      const file = join(this.#quarantine, name);
      const stats = await lstat(file).catch(() => undefined);
      if (stats === undefined || nowMs - stats.mtimeMs < ageMsMin) continue;
      const isRemoved = await rm(file).then(
        () => true,
        () => false,
      );
      if (isRemoved) removed += 1;
    }
    return removed;
  }

  /** Space of the disk that this user may still take, in bytes. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#root);
    return bavail * bsize;
  }

  /** The path must be one that `typeOfPath` knows. */
  #fileOf(path: string): string {
    return this.#root + path;
  }
}

/** True where it was made. Rejects where its place is taken by something else, a link to a directory too. */
async function makeDirectory(directory: string): Promise<boolean> {
  try {
    await mkdir(directory, { mode: directoryMode });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if ((await lstat(directory)).isDirectory()) return false;
  throw new MisplacedError('a directory of the images is none, or a link');
}

/** The names in a directory are on the disk only once it was synced itself (fsync(2)). */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function closed(handle: FileHandle, error: unknown): Promise<unknown> {
  await handle.close();
  return error;
}

/** ELOOP: a link, which is not followed. ENXIO: a socket. */
function isNoFile(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? '');
}
