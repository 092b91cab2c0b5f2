/** The image that server and simulator run from: built from the Dockerfile, once for each state of the files in it. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine } from './container-engine.ts';
import { TargetError } from './deployment.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
/** What the Dockerfile copies, and the Dockerfile; without the tests among it, as `.dockerignore` says. */
const inputs = ['Dockerfile', 'package.json', 'package-lock.json', 'host', 'server', 'loadtest'];
const testFile = /\.(test|integration|contract)\.ts$/;

type BuildMessage = { error?: string; stream?: string };

/**
 * Name of an image of exactly these files, building it if the engine has none, which takes up to a minute and is told
 * first. Rejects with the engine's own words.
 */
export async function ensureImage(
  engine: Engine,
  signal: AbortSignal,
  onBuild: (name: string) => void = () => {},
): Promise<string> {
  const name = `chat-scaling-lab:${contentTag(repository)}`;
  const { dockerode } = engine.client.container;
  const images = await dockerode.listImages({ filters: { reference: [name] } });
  if (images.length > 0) return name;
  onBuild(name);
  const stream = await dockerode.buildImage(
    { context: repository, src: imageFiles(repository) },
    { t: name, abortSignal: signal },
  );
  const messages = await new Promise<BuildMessage[]>((resolve, reject) =>
    dockerode.modem.followProgress(stream, (error, output) => (error ? reject(error) : resolve(output))),
  ).catch((error: Error) => {
    signal.throwIfAborted();
    throw new TargetError(`The image could not be built: ${error.message}`);
  });
  const failure = messages.find((message) => message.error !== undefined);
  if (failure) throw new TargetError(`The image could not be built: ${failure.error}`);
  return name;
}

/** Twelve hexadecimal digits that change when any file of the image does. */
export function contentTag(directory: string): string {
  const hash = createHash('sha256');
  for (const file of imageFiles(directory))
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(directory, file)))
      .update('\0');
  return hash.digest('hex').slice(0, 12);
}

function imageFiles(directory: string): string[] {
  return inputs.flatMap((input) => filesBelow(directory, input)).sort();
}

function filesBelow(directory: string, input: string): string[] {
  const path = join(directory, input);
  if (statSync(path).isFile()) return [input];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !testFile.test(entry.name))
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)));
}
