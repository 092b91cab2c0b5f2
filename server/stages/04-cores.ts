/**
 * 04-cores: one process per core, sharing nothing but the port; frames cross between them in batches. Asked for by
 * experiments/001-ladder: one event loop is one core, and 03-cursor fills it.
 */
import { CoresBackplane } from '../backplane/socket-mesh.ts';
import { RelayedChat } from '../chat/chat.ts';
import { CursorFanOut } from '../chat/fan-out.ts';
import { createBackplaneMeter } from '../ops/metrics.ts';
import type { Stage } from './stage.ts';

export const cores: Stage = {
  name: '04-cores',
  summary: 'one process per core on one port, frames cross between them in batches',
  needs: [],
  bounded: true,
  perCore: true,
  compose: (config, metrics) => {
    if (!config.worker) throw new Error('a worker of 04-cores is started by its supervisor');
    const backplane = new CoresBackplane({ ...config.worker, meter: createBackplaneMeter(metrics.registry) });
    return new RelayedChat(backplane, new CursorFanOut(config, metrics));
  },
};
