import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { backplaneContract } from './backplane.contract.ts';
import { SocketMeshBackplane } from './socket-mesh.ts';

const directory = mkdtempSync(join(tmpdir(), 'chat-cores-'));
after(() => rmSync(directory, { recursive: true }));

backplaneContract({
  name: 'socket mesh',
  create: (count, queueBytesMax) => {
    const options = { directory, workers: count, ...(queueBytesMax && { queueBytesMax }) };
    return Array.from({ length: count }, (_, slot) => new SocketMeshBackplane({ ...options, slot }));
  },
  oneOrderForAll: false,
  crossesProcesses: true,
});
