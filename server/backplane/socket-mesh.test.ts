import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { backplaneContract } from './backplane.contract.ts';
import { CoresBackplane } from './socket-mesh.ts';

const directory = mkdtempSync(join(tmpdir(), 'chat-cores-'));
after(() => rmSync(directory, { recursive: true }));

backplaneContract({
  name: 'cores',
  create: (count, queueBytesMax) =>
    Array.from(
      { length: count },
      (_, slot) =>
        new CoresBackplane({ directory, slot, workers: count, ...(queueBytesMax && { queueBytesMax }) }),
    ),
  oneOrderForAll: false,
  crossesProcesses: true,
});
