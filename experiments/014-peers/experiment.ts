/** Capacity of the same chat as others build it, beside our stages of one process. */
import { isOneProcess, type StageInfo } from '../lab/deployment/list-stages.ts';
import { type CapacityExperiment, search, thousandClients } from '../lab/shapes/capacity/capacity.ts';
import { variantOfStage } from '../lab/trial/variant.ts';

const folder = '014-peers';

/** Both are one event loop that sends each message to all clients before it reads the next. */
const peer = { processes: [{ role: 'server', count: 'one' }], services: [], order: 'one for all' } as const;

export const wsBroadcast: StageInfo = {
  ...peer,
  name: 'ws-broadcast',
  summary: 'ws for Node: the loop over all clients of its README, one encoding per message',
  limits: { messageBytesMax: 4096, outboundBytesMax: null },
  delivery: 'at most once',
  // The project itself has ws.
  program: { files: [`${folder}/ws-broadcast.ts`, `${folder}/announce.ts`], packages: [], runtime: null },
};

export const bunUwebsockets: StageInfo = {
  ...peer,
  name: 'bun-uwebsockets',
  summary: 'uWebSockets as shipped in Bun: server.publish to the topic of the room',
  // The default of its backpressureLimit. What exceeds it is dropped, and the session stays.
  limits: { messageBytesMax: 4096, outboundBytesMax: 16 * 2 ** 20 },
  delivery: 'at most once',
  program: {
    files: [`${folder}/bun-uwebsockets.ts`, `${folder}/announce.ts`],
    packages: ['bun@1.4.4'],
    runtime: '@oven/bun-*/bin/bun',
  },
};

export const peers: CapacityExperiment = {
  ...thousandClients,
  name: '014-peers',
  question:
    'How many messages per second does the same chat carry as others build it: uWebSockets, and ws with one encoding?',
  method: { ...search, start: 100, trialsMax: 10 },
  // From the slowest to the fastest, as far as they are known: each search starts where the one before ended.
  variants: (stages) => [wsBroadcast, ...stages.filter(isOneProcess), bunUwebsockets].map(variantOfStage),
  notes: [
    'All clients are in one room, so that each message is delivered 1,000 times.',
    'Each peer is one file beside this report, written as the documentation of its library recommends. It reads, checks and encodes a message once, with the functions that our stages use, and relays it to all.',
    'bun-uwebsockets is Bun 1.4.4 of npm, installed for this experiment only; its WebSocket server is uWebSockets. A client that is more than 16 MiB behind loses messages, which is its default; its session stays.',
    'ws-broadcast has no bound on what a slow client leaves behind. Neither peer closes dead sessions, limits rates or drains: less than 02-bounded and 03-cursor do for each message.',
    'A peer serves no metrics: the figures of its event loop are absent, and CPU and memory are read from outside, as for ours.',
  ],
};
