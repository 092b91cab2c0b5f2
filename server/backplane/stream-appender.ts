/**
 * The appending side of the stream backplane. One round of batches is on its way, at most one batch for each
 * partition, and the next round gathers behind it. A batch keeps its number until Redis has answered, so that
 * one that is sent again is not appended twice. This connection also runs the short commands of the reader.
 */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { isNotNow } from '../redis/cluster.ts';
import { refuseClusterNode } from '../redis/groups.ts';
import { congestedBytes } from './backplane.ts';
import { BatchQueue, epochMs } from './batch.ts';
import { agreeOnVersion } from './batch-version.ts';
import { keysOf, type PartitionKeys } from './partition.ts';
import { RedisLink } from './redis-link.ts';
import { sign } from './signature.ts';
import { countByRoom } from './stream-entry.ts';
import type { StreamOptions } from './stream-options.ts';
import { type AppendedBatch, appendedBatch, appendRound, defineScripts } from './stream-scripts.ts';
import { oncePerTurn, Pace } from './timing.ts';

type AppenderOptions = StreamOptions & {
  /** Messages for this partition that were accepted have been dropped. */
  dropped(partition: number): void;
  /** The log cannot take an entry any more: something else wrote into its keys. */
  broken(partition: number): void;
  /** The connection is in service. */
  up(): void;
};

/** A batch on its way, made once; `bytes`: of its messages in the queue. */
type Pending = { readonly batch: AppendedBatch; readonly bytes: number };

type Lane = {
  readonly partition: number;
  readonly keys: PartitionKeys;
  readonly queue: BatchQueue;
  number: number;
  pending: Pending | undefined;
  waitingTicks: number;
  /** Redis refused its batch since the last heartbeat: it is sent again at the next one. */
  isRefused: boolean;
};

/** A full Redis is asked so often: what it refused waits no longer than that. Chosen, not measured. */
const probeIntervalMs = 50;

export class StreamAppender {
  readonly #options: AppenderOptions;
  readonly link: RedisLink;
  /** Random id of this process: 16 hexadecimal digits. */
  readonly id = randomBytes(8).toString('hex');
  readonly #lanes = new Map<number, Lane>();
  /** Those of which messages wait or are on their way: a few of all, in most rounds. */
  readonly #busy = new Set<Lane>();
  #bytes = 0;
  /** A round is on its way. */
  #isAsking = false;
  readonly #flushSoon = oncePerTurn(() => this.#flush());
  readonly #pace: Pace;
  #flushTimer: NodeJS.Timeout | undefined;
  #downTicks = 0;
  /** Redis is full: it takes nothing. */
  #isFull = false;
  #isProbing = false;
  /** The cluster does not take anything at present: it is asked again at every heartbeat. */
  #isHeld = false;
  /** A name of the server of a cluster; empty for one Redis. */
  server = '';

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#pace = new Pace(options.batchIntervalMs);
    this.link = new RedisLink({
      ...options,
      name: `chat-append-${this.id}`,
      prepare: async (client) => {
        defineScripts(client);
        if (options.place.isSharded) {
          const { server, fault } = await options.place.check(client);
          if (fault !== undefined) throw new Error(fault);
          this.server = server;
        } else await refuseClusterNode(client);
        await agreeOnVersion(client, options);
      },
      up: () => {
        this.#isAsking = false;
        this.#downTicks = 0;
        this.#isHeld = false;
        options.up();
        this.#flush();
      },
      lost: () => options.meter.reconnects.inc(),
    });
  }

  get ready(): boolean {
    return this.link.client !== undefined && !this.#isFull && !this.#isHeld;
  }

  /** True when Redis has taken every accepted message. */
  get idle(): boolean {
    return this.#bytes === 0;
  }

  get congested(): boolean {
    return this.#bytes > congestedBytes(this.#options.queueBytesMax);
  }

  publish(partition: number, room: string, payload: Buffer): boolean {
    const { queueBytesMax, patienceTicks } = this.#options;
    if (this.#isFull || this.#downTicks > patienceTicks) return false;
    if (this.#bytes + payload.length > queueBytesMax) return false;
    let lane = this.#lanes.get(partition);
    if (!lane) {
      const keys = keysOf(this.#options.channel, partition);
      const queue = new BatchQueue();
      lane = { partition, keys, queue, number: 0, pending: undefined, waitingTicks: 0, isRefused: false };
      this.#lanes.set(partition, lane);
    }
    const bytesBefore = lane.queue.bytes;
    lane.queue.push(room, payload);
    this.#bytes += lane.queue.bytes - bytesBefore;
    this.#busy.add(lane);
    this.#flushSoon();
    return true;
  }

  /** Call at every heartbeat: tries again, and drops what Redis does not take for too long. */
  tick(): void {
    this.link.tick();
    const { client } = this.link;
    this.#downTicks = client ? 0 : this.#downTicks + 1;
    for (const lane of this.#busy) {
      lane.isRefused = false;
      lane.waitingTicks++;
      if (lane.waitingTicks > this.#options.patienceTicks) this.#drop(lane);
    }
    if (!client) return;
    agreeOnVersion(client, this.#options).catch((error: Error) => this.link.fail(error.message, client));
    if (this.#isFull) this.#probe(client);
    this.#flush();
    if (!this.#isAsking) this.link.ping();
  }

  #drop(lane: Lane): void {
    this.#bytes -= lane.queue.bytes + (lane.pending?.bytes ?? 0);
    lane.queue.clear();
    lane.pending = undefined;
    lane.waitingTicks = 0;
    this.#busy.delete(lane);
    this.#options.dropped(lane.partition);
  }

  /** Begins the next round, unless one is on its way; soon, where the last one has just begun. */
  #flush(): void {
    const { client } = this.link;
    this.#options.meter.queueBytes.set(this.#bytes);
    if (!client || this.#isAsking || this.#bytes === 0 || this.#flushTimer) return;
    const nowMs = performance.now();
    const waitMs = this.#pace.waitMs(nowMs);
    if (waitMs > 0) {
      this.#flushTimer = setTimeout(() => {
        this.#flushTimer = undefined;
        this.#flush();
      }, waitMs);
      return;
    }
    this.#pace.begin(nowMs);
    void this.#append(client);
  }

  #take(lane: Lane): Pending {
    const { secret, batchBytesMax, meter } = this.#options;
    const { keys, queue } = lane;
    lane.number++;
    const waiting = queue.messages;
    const waitingBytes = queue.bytes;
    const header = {
      kind: 'messages',
      publisher: this.id,
      sequence: lane.number,
      publishedAtMs: epochMs(),
    } as const;
    const batch = queue.take(header, batchBytesMax);
    meter.batchMessages.observe(waiting - queue.messages);
    const signed = sign(batch, keys.stream, secret);
    const parts = { publisher: this.id, number: lane.number, batch: signed, rooms: countByRoom(batch) };
    return { batch: appendedBatch(keys, parts), bytes: waitingBytes - queue.bytes };
  }

  /** Sends a round: what waits in each partition, and what was sent before and not answered. */
  async #append(client: Redis): Promise<void> {
    const round: { lane: Lane; pending: Pending }[] = [];
    for (const lane of this.#busy) {
      lane.pending ??= this.#take(lane);
      if (!lane.isRefused) round.push({ lane, pending: lane.pending });
    }
    if (round.length === 0) return;
    this.#isAsking = true;
    const batches = round.map(({ pending }) => pending.batch);
    const asked = appendRound(client, batches, { ...this.#options, server: this.server });
    const faults = await asked.catch((error: Error) => this.#refused(client, error));
    if (faults) this.#isHeld = false;
    for (const [index, { lane, pending }] of round.entries()) {
      const fault = faults?.[index];
      if (fault === '') this.#done(lane, pending);
      else if (fault !== undefined) {
        lane.isRefused = true;
        this.#refused(client, new Error(fault), lane.partition);
      }
    }
    if (!this.link.isPresent(client)) return;
    this.link.signOfLife();
    this.#isAsking = false;
    if (faults) this.#flush();
  }

  #done(lane: Lane, pending: Pending): void {
    if (lane.pending !== pending) return; // It was dropped meanwhile.
    lane.pending = undefined;
    lane.waitingTicks = 0;
    this.#bytes -= pending.bytes;
    if (lane.queue.messages === 0) this.#busy.delete(lane);
  }

  /** Redis did not append the batch of that partition, or did not run the round at all. */
  #refused(client: Redis, error: Error, partition?: number): void {
    const { message } = error;
    if (message.includes('OOM')) {
      this.#isFull = true;
      this.#probe(client);
    } else if (isNotNow(error)) this.#isHeld = true;
    else if (partition !== undefined && message.includes('equal or smaller than'))
      this.#options.broken(partition);
    else this.link.fail(message, client);
  }

  /** Asks a full Redis, until it takes a few bytes again or the connection ends. */
  #probe(client: Redis): void {
    if (this.#isProbing) return;
    this.#isProbing = true;
    client.set(`${this.#options.channel}:probe`, '1', 'PX', 1000).then(
      () => {
        this.#isProbing = false;
        this.#isFull = false;
        // At once: a sender that was closed meanwhile may come back on another node, and go on there.
        for (const lane of this.#busy) lane.isRefused = false;
        this.#flush();
      },
      () => {
        const again = () => {
          this.#isProbing = false;
          if (this.link.client === client) this.#probe(client);
        };
        setTimeout(again, probeIntervalMs).unref();
      },
    );
  }
}
