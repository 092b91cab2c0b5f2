/** The image of a server of others: that of this project, with the peer in layers of its own. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartError } from '#host/readiness.ts';
import type { Engine } from './container-engine.ts';
import { ensureBuilt } from './container-image.ts';
import { type PeerProgram, PeerUnavailable } from './peers.ts';

const context = fileURLToPath(new URL('../../', import.meta.url));
const dockerfile = 'lab/deployment/peer.Dockerfile';

/**
 * Resolves with the name of an image that runs the peer, and builds it where there is none. It has the
 * scripts of `base`, by which limits are read. Rejects with `PeerUnavailable` where it cannot be built.
 */
export async function ensurePeerImage(
  engine: Engine,
  base: string,
  { files, packages, runtime }: PeerProgram,
  signal: AbortSignal,
): Promise<string> {
  const src = [dockerfile, ...files];
  const buildargs = {
    BASE: base,
    PACKAGES: packages.join(' '),
    RUNTIME: runtime === null ? '' : `/opt/peer/node_modules/${runtime}`,
  };
  const hash = createHash('sha256').update(JSON.stringify({ src, buildargs }));
  for (const file of src) hash.update(readFileSync(join(context, file)));
  const name = `chat-scaling-lab-peer:${hash.digest('hex').slice(0, 12)}`;
  try {
    await ensureBuilt(engine, { name, context, src, dockerfile, buildargs }, signal);
  } catch (error) {
    if (error instanceof StartError) throw new PeerUnavailable(error.message);
    throw error;
  }
  return name;
}
