/** Minutes instead of seconds: whether a server stays as it is at a share of its capacity, with churn. */
import { isOneProcess, isScalable } from '../lab/deployment/list-stages.ts';
import { search, thousandClients } from '../lab/shapes/capacity/capacity.ts';
import { type SoakExperiment, soak } from '../lab/shapes/soak/soak.ts';
import { variantOfStage } from '../lab/trial/variant.ts';

/** Of extra connections, each for a second. Chosen, not measured: a fifth of the clients in a minute. */
const churnPerSecond = 10;

export const soakTest: SoakExperiment = {
  ...thousandClients,
  name: '020-soak',
  question:
    'Do memory, descriptors and latency stay the same over 20 minutes at 50 and 80 % of the capacity, while connections come and go?',
  shape: soak,
  // Short: the shares need no more than about where the edge is.
  search: { ...search, start: 2000, precision: 0.2, trialsMax: 10 },
  method: { kind: 'soak', minutes: 20, shares: [0.5, 0.8], loads: [] },
  workloadAt: (load) => ({ ...thousandClients.workloadAt(load), churnPerSecond }),
  // The last stage of one process contains the changes of those before it.
  variants: (stages) => {
    const [single] = stages.filter(isOneProcess).slice(-1);
    return [...(single === undefined ? [] : [single]), ...stages.filter(isScalable)].map(variantOfStage);
  },
  notes: [
    `Beside the 1,000 clients of the room, ${churnPerSecond} connections a second join, stay for a second and leave; they are not audited.`,
    'Loads are shares of a capacity that a short search found at the beginning of the same run, with the same churn.',
  ],
};
