/** Capacity in messages from person to person, with each way in which Redis keeps them. */
import { allocate } from '../lab/deployment/allocation.ts';
import type { Persistence } from '../lab/deployment/deployment.ts';
import { hasMailboxes } from '../lab/deployment/list-stages.ts';
import { cheapPasswords, cheapPasswordsNote, withoutRates } from '../lab/people/settings.ts';
import { type CapacityExperiment, capacity, search } from '../lab/shapes/capacity/capacity.ts';
import { exactDelivery } from '../lab/shapes/load-trials.ts';

const serverCpus = 0.5;
const people = 500;
/** The first is the one that loses nothing. */
const modes: readonly { persistence: Persistence; name: string }[] = [
  { persistence: 'always', name: 'always' },
  { persistence: 'everysec', name: 'everysec' },
  { persistence: 'none', name: 'nothing on disk' },
];

export const mailbox: CapacityExperiment = {
  name: '015-mailbox',
  question: `How many messages per second from person to person does one node of ${serverCpus} CPU store and deliver, with each persistence of Redis?`,
  shape: capacity,
  // Without its quota a node would take what the simulator needs.
  target: 'container',
  varied: { quantity: 'direct messages', unit: 'messages/s' },
  method: { ...search, start: 1000, loadMin: 20, loadMax: 50_000 },
  minutes: 4,
  limits: [
    ...['p99<250ms', 'ack.p99<250ms', 'growth<50ms'],
    ...exactDelivery,
    ...['unanswered=0', 'unknown=0', 'full=0', 'busy=0'],
  ],
  timing: { warmUpSeconds: 0.8, measureSeconds: 3, drainSeconds: 1 },
  workloadAt: (load) => ({ people, ratePerSecond: load, payloadBytes: 128 }),
  variants: (stages) =>
    stages.filter(hasMailboxes).flatMap((stage) =>
      modes.map(({ persistence, name }) => ({
        name: `${stage.name}, ${name}`,
        stage,
        settings: { ...withoutRates, ...cheapPasswords },
        nodes: 1,
        persistence,
        allocation: allocate(serverCpus),
      })),
    ),
  notes: [
    `${people} people with one device each, all of them connected, write to each other at random. Each message is stored, acknowledged to its sender, delivered, reported as received, and the sender is told.`,
    'Redis has what the node leaves of its cores, on the disk of the container engine. How long a sync takes depends on that disk: always is as slow as it is.',
    'always: synced to the disk before the answer; everysec: written before the answer, and synced once a second; nothing on disk: in memory alone. What each loses is in 021-mailbox-kill.',
    cheapPasswordsNote,
  ],
};
