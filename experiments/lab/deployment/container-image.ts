/** The image of server and simulator: built from the Dockerfile, once for each state of the files in it. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, matchesGlob, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartError } from '#host/readiness.ts';
import type { Engine } from './container-engine.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Resolves with the name of an image of exactly the files of a checkout, this one by default. Where there is
 * none, calls `onBuild` and builds it, which takes up to a minute. Rejects with a `StartError` that holds the
 * engine's message.
 */
export async function ensureImage(
  engine: Engine,
  signal: AbortSignal,
  onBuild: (name: string) => void = () => {},
  root = repository,
): Promise<string> {
  const name = `chat-scaling-lab:${contentTag(root)}`;
  await ensureBuilt(engine, { name, context: root, src: imageFiles(root) }, signal, onBuild);
  return name;
}

/** What an image is built of: these files of the context, without those that its `.dockerignore` excludes. */
type Build = {
  name: string;
  context: string;
  src: string[];
  /** `Dockerfile` where left out. */
  dockerfile?: string;
  buildargs?: Record<string, string>;
};

/** Builds an image, unless there is one of that name. Rejects as `ensureImage` does. */
export async function ensureBuilt(
  engine: Engine,
  { name, context, src, ...options }: Build,
  signal: AbortSignal,
  onBuild: (name: string) => void = () => {},
): Promise<void> {
  const { dockerode } = engine.client.container;
  const images = await dockerode.listImages({ filters: { reference: [name] } });
  if (images.length > 0) return;
  onBuild(name);
  const stream = await dockerode.buildImage({ context, src }, { t: name, abortSignal: signal, ...options });
  const messages = await new Promise<{ error?: string }[]>((resolve, reject) =>
    dockerode.modem.followProgress(stream, (error, output) => (error ? reject(error) : resolve(output))),
  ).catch((error: Error) => {
    signal.throwIfAborted();
    throw new StartError(`The image could not be built: ${error.message}`);
  });
  const failure = messages.find((message) => message.error !== undefined);
  if (failure) throw new StartError(`The image could not be built: ${failure.error}`);
}

/** Twelve hexadecimal digits that change when any file of the image does. */
export function contentTag(directory: string): string {
  const hash = createHash('sha256');
  for (const file of imageFiles(directory)) {
    hash.update(`${file}\0`).update(readFileSync(join(directory, file)));
    hash.update('\0');
  }
  return hash.digest('hex').slice(0, 12);
}

/** The files that `.dockerignore` leaves: lines with `!` are included, patterns are left out again. */
function imageFiles(directory: string): string[] {
  const lines = readFileSync(join(directory, '.dockerignore'), 'utf8').split('\n');
  const inputs = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const excluded = lines.filter((line) => line.startsWith('**'));
  return inputs
    .flatMap((input) => filesBelow(directory, input))
    .filter((file) => !excluded.some((pattern) => matchesGlob(file, pattern)))
    .sort();
}

function filesBelow(directory: string, input: string): string[] {
  const path = join(directory, input);
  if (statSync(path).isFile()) return [input];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)));
}
