import { backplaneContract } from './backplane.contract.ts';
import { MemoryBackplane } from './memory.ts';

backplaneContract({
  name: 'memory',
  create: (count) => Array.from({ length: count }, () => new MemoryBackplane()),
  oneOrderForAll: true,
  crossesProcesses: false,
});
