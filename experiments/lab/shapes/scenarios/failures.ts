/** Failures of parts: those of the `faults` shape, and harder ones. Its clients are the neighbours here. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { time } from '#host/units.ts';
import type { DeployedNode, Deployment } from '../../deployment/deployment.ts';
import {
  isPerCore,
  isScalable,
  needsRedis,
  type StageInfo,
  usesPubSub,
} from '../../deployment/list-stages.ts';
import {
  cutMs,
  cutsNetwork,
  type Scenario as Failure,
  freezesNode,
  freezesRedis,
  scenarios as known,
  ownRedis,
} from '../faults/scenarios.ts';

export type HardFailure = Failure & {
  /** Nothing is left to recover; everybody must be told. */
  isFinal?: true;
  /** It may cost nobody anything: that it took place is checked by itself, and not by what was felt. */
  mayBeUnfelt?: true;
  settings?: Readonly<Record<string, string>>;
};

const isAlone = (stage: StageInfo) => !isScalable(stage) && !isPerCore(stage);
const drainDeadlineMs = 1000;
const forgedBatchBytes = 8 * 2 ** 20;

/** Stopped and continued: the process neither knows nor has ended. */
const stopped = (seconds: number, appliesTo: Failure['appliesTo'], nodes: number): HardFailure => ({
  name: `server stopped for ${seconds} s`,
  about: `all processes of ${nodes === 1 ? 'the server' : 'one of two nodes'} are stopped for ${seconds} s`,
  appliesTo,
  nodes,
  inject: freezesNode(seconds * 1000),
});

const workerStopped = (seconds: number): HardFailure => ({
  name: `worker stopped for ${seconds} s`,
  about: `one of two workers is stopped with SIGSTOP for ${seconds} s, unless its supervisor replaces it`,
  appliesTo: isPerCore,
  nodes: 1,
  inject: async ({ nodes }, signal) => {
    await nodes[0]!.signalWorker(0, 'SIGSTOP');
    await sleep(seconds * 1000, undefined, { signal }).finally(() => nodes[0]!.signalWorker(0, 'SIGCONT'));
  },
});

const cut = (direction: 'to' | 'from'): HardFailure => ({
  name: `network cut one way: nothing ${direction} Redis`,
  about: `for ${cutMs / 1000} s nothing passes ${direction} Redis, and everything the other way`,
  appliesTo: needsRedis,
  nodes: 2,
  breakableNetwork: true,
  inject: cutsNetwork(direction),
});

/** An administrator of Redis, who leaves in any case. */
const atRedis = (
  name: string,
  about: string,
  act: (admin: Redis, deployment: Deployment) => Promise<void>,
): HardFailure => ({
  name,
  about,
  appliesTo: needsRedis,
  nodes: 2,
  mayBeUnfelt: true,
  inject: async (deployment) => {
    const admin = new Redis(ownRedis(deployment).url);
    try {
      await act(admin, deployment);
    } finally {
      admin.disconnect();
    }
  },
});

async function killClients(admin: Redis): Promise<void> {
  let killed = 0;
  for (const kind of ['pubsub', 'normal'])
    killed += Number(await admin.call('CLIENT', 'KILL', 'TYPE', kind, 'SKIPME', 'yes'));
  if (killed === 0) throw new Error('Redis had no connection of a node');
}

/** Rejects unless Redis refuses a command with that error. */
async function assertRefused(command: Promise<unknown>, error: string): Promise<void> {
  const answer = await command.catch(({ message }: Error) => message);
  if (!String(answer).startsWith(error)) throw new Error(`Redis answered ${answer}; required: ${error}`);
}

/** Bytes that no node has sent, and bytes that one has, on every channel that is listened to. */
async function forge(admin: Redis, { nodes }: Deployment): Promise<void> {
  const channels = (await admin.call('PUBSUB', 'CHANNELS', 'chat:*')) as string[];
  const ear = admin.duplicate();
  const heard: Buffer[] = [];
  ear.on('messageBuffer', (_channel: Buffer, batch: Buffer) => heard.push(batch));
  try {
    await ear.subscribe(...channels);
    await sleep(1000);
    const real = heard.at(-1);
    if (real === undefined) throw new Error('no batch of a node was heard');
    const ahead = Buffer.from(real);
    // The sequence of a batch: bytes 10 to 15 (server/backplane/batch.ts).
    ahead.writeUIntBE(ahead.readUIntBE(10, 6) + 1000, 10, 6);
    const foreign = [Buffer.alloc(0), Buffer.from('garbage'), Buffer.alloc(forgedBatchBytes, 1)];
    const cutShort = [real.subarray(0, 20), real.subarray(0, real.length - 1)];
    for (const bytes of [...foreign, ...cutShort, ...heard, ...heard.toReversed(), ahead])
      for (const channel of channels) await admin.publish(channel, bytes);
    for (const { name, internalUrl } of nodes) {
      const metrics = await (await fetch(`${internalUrl}/metrics`)).text();
      if (!/^chat_backplane_refused_batches_total\{.*\} [1-9]/m.test(metrics))
        throw new Error(`${name} refused nothing`);
    }
  } finally {
    ear.disconnect();
  }
}

/** Resolves when a node has ended by itself; rejects where it takes longer. */
async function endsWithin(node: DeployedNode, deadlineMs: number): Promise<void> {
  const late = sleep(deadlineMs, 'late', { ref: false });
  if ((await Promise.race([node.ended, late])) === 'late')
    throw new Error(`${node.name} had not ended ${deadlineMs} ms after the signal`);
}

/** Peers that neither read nor answer a close frame are still there when the drain's deadline comes. */
async function drainWithStuckPeers({ nodes }: Deployment): Promise<void> {
  const { RawPeer } = await import('#host/raw-peer.ts');
  const [node] = nodes;
  const peers = await Promise.all(Array.from({ length: 20 }, () => RawPeer.join(node!.chatUrl)));
  try {
    for (const peer of peers) peer.pause();
    const beganMs = performance.now();
    await node!.signal('SIGTERM');
    await endsWithin(node!, drainDeadlineMs + 4000);
    const tookMs = performance.now() - beganMs;
    if (tookMs < drainDeadlineMs) throw new Error(`nobody held it up: it had ended after ${tookMs} ms`);
  } finally {
    for (const peer of peers) peer.destroy();
  }
}

export const failures: readonly HardFailure[] = [
  ...known,
  stopped(5, isAlone, 1),
  stopped(5, isScalable, 2),
  stopped(30, isScalable, 2),
  workerStopped(5),
  workerStopped(30),
  {
    name: 'server killed',
    about: 'the only process is killed with SIGKILL: everybody is told',
    appliesTo: isAlone,
    nodes: 1,
    isFinal: true,
    inject: ({ nodes }) => nodes[0]!.signal('SIGKILL'),
  },
  {
    name: 'supervisor killed',
    about: 'the supervisor is killed with SIGKILL: its workers must end, and everybody is told',
    appliesTo: isPerCore,
    nodes: 1,
    isFinal: true,
    inject: ({ nodes }) => nodes[0]!.signal('SIGKILL'),
  },
  {
    name: 'drain past its deadline',
    about:
      'SIGTERM while 20 peers neither read nor answer a close frame: it ends in time, and tells the others',
    appliesTo: () => true,
    nodes: 1,
    isFinal: true,
    // The deadline comes before the end of the grace in which a peer may answer a close frame.
    settings: { 'drain-deadline': time.format(drainDeadlineMs), 'eviction-grace': '60s' },
    inject: drainWithStuckPeers,
  },
  {
    name: 'Redis frozen for 30 s',
    about: 'Redis is stopped with SIGSTOP for 30 s',
    appliesTo: needsRedis,
    nodes: 2,
    inject: freezesRedis(30_000),
  },
  cut('to'),
  cut('from'),
  atRedis(
    'clients of Redis killed',
    'CLIENT KILL of all connections of the nodes, three times',
    async (admin) => {
      for (let turn = 0; turn < 3; turn++) {
        await killClients(admin);
        await sleep(200);
      }
    },
  ),
  atRedis(
    'Redis full',
    'for 3 s Redis has used up its memory and evicts nothing (noeviction)',
    async (admin) => {
      await admin.config('SET', 'maxmemory-policy', 'noeviction');
      await admin.config('SET', 'maxmemory', '1');
      await assertRefused(admin.set('probe', 'x'), 'OOM');
      await sleep(3000).finally(() => admin.config('SET', 'maxmemory', '0'));
    },
  ),
  atRedis(
    'password of Redis changed',
    'Redis demands a password that the nodes do not have, and cuts their connections; after 3 s it no longer does',
    async (admin) => {
      await admin.config('SET', 'requirepass', 'changed');
      await killClients(admin);
      const stranger = admin.duplicate();
      stranger.on('error', () => {}); // The refusal of its greeting; that of its command follows.
      await assertRefused(stranger.ping(), 'NOAUTH').finally(() => stranger.disconnect());
      await sleep(3000).finally(() => admin.config('SET', 'requirepass', ''));
    },
  ),
  {
    ...atRedis(
      'forged batches',
      'foreign, truncated, oversized, replayed and forged batches on the channel of the nodes',
      forge,
    ),
    appliesTo: usesPubSub,
  },
];
