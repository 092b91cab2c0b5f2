/**
 * 04-cores: one process per core, sharing nothing but the port; frames cross between them in batches. Made
 * necessary by experiments/001-ladder: one event loop is one core, and 03-cursor fills it.
 */
import { createBackplaneMeter } from '../backplane/meter.ts';
import { SocketMeshBackplane } from '../backplane/socket-mesh.ts';
import { CursorFanOut } from '../chat/fan-out.ts';
import { cursor } from './03-cursor.ts';
import { boundedParts, type Stage } from './stage.ts';

export const cores: Stage = {
  name: '04-cores',
  summary: 'one process per core on one port, frames cross between them in batches',
  processes: [{ role: 'server', count: 'one per core' }],
  services: [],
  limits: cursor.limits,
  order: 'per sender',
  delivery: 'at most once',
  compose: (config, metrics, worker) => {
    if (!worker) throw new Error('a worker of 04-cores is started by its supervisor');
    const backplane = new SocketMeshBackplane({ ...worker, meter: createBackplaneMeter(metrics.registry) });
    return boundedParts(config, backplane, new CursorFanOut(config, metrics));
  },
};
