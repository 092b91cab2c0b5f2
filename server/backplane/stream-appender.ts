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
import { keysOf } from './partition.ts';
import { RedisLink } from './redis-link.ts';
import { sign } from './signature.ts';
import { countByRoom } from './stream-entry.ts';
import type { StreamOptions } from './stream-options.ts';
import { defineScripts, newEpoch, serverArgument } from './stream-scripts.ts';
import { oncePerTurn, Pace } from './timing.ts';

type AppenderOptions = StreamOptions & {
  /** Messages for this partition that were accepted have been dropped. */
  dropped(partition: number): void;
  /** The log cannot take an entry any more: something else wrote into its keys. */
  broken(partition: number): void;
  /** The connection is in service. */
  up(): void;
};

/** The arguments of `appendBatch`, made once for a batch. */
type Pending = { readonly args: (string | Buffer | number)[]; readonly bytes: number };

type Lane = {
  readonly queue: BatchQueue;
  number: number;
  pending: Pending | undefined;
  waitingTicks: number;
};

export class StreamAppender {
  readonly #options: AppenderOptions;
  readonly link: RedisLink;
  /** Random id of this process: 16 hexadecimal digits. */
  readonly id = randomBytes(8).toString('hex');
  readonly #lanes = new Map<number, Lane>();
  #bytes = 0;
  /** Batches of the present round without an answer. */
  #unanswered = 0;
  readonly #flushSoon = oncePerTurn(() => this.#flush());
  readonly #pace: Pace;
  #flushTimer: NodeJS.Timeout | undefined;
  #downTicks = 0;
  /** Redis is full: it takes nothing. */
  #isFull = false;
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
        this.#unanswered = 0;
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
      lane = { queue: new BatchQueue(), number: 0, pending: undefined, waitingTicks: 0 };
      this.#lanes.set(partition, lane);
    }
    const bytesBefore = lane.queue.bytes;
    lane.queue.push(room, payload);
    this.#bytes += lane.queue.bytes - bytesBefore;
    this.#flushSoon();
    return true;
  }

  /** Call at every heartbeat: tries again, and drops what Redis does not take for too long. */
  tick(): void {
    this.link.tick();
    const { client } = this.link;
    this.#downTicks = client ? 0 : this.#downTicks + 1;
    for (const [partition, lane] of this.#lanes) {
      const waits = lane.pending !== undefined || lane.queue.messages > 0;
      lane.waitingTicks = waits ? lane.waitingTicks + 1 : 0;
      if (lane.waitingTicks > this.#options.patienceTicks) this.#drop(partition, lane);
    }
    if (!client) return;
    agreeOnVersion(client, this.#options).catch((error: Error) => this.link.fail(error.message, client));
    if (this.#isFull) this.#probe(client);
    this.#flush();
    if (this.#unanswered === 0) this.link.ping();
  }

  #drop(partition: number, lane: Lane): void {
    this.#bytes -= lane.queue.bytes + (lane.pending?.bytes ?? 0);
    lane.queue.clear();
    lane.pending = undefined;
    lane.waitingTicks = 0;
    this.#options.dropped(partition);
  }

  /** Begins the next round, unless one is on its way; soon, where the last one has just begun. */
  #flush(): void {
    const { client } = this.link;
    this.#options.meter.queueBytes.set(this.#bytes);
    if (!client || this.#unanswered > 0 || this.#bytes === 0 || this.#flushTimer) return;
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
    // One system call for the commands of all partitions.
    client.stream.cork();
    for (const [partition, lane] of this.#lanes) {
      if (!lane.pending && lane.queue.messages > 0) lane.pending = this.#take(partition, lane);
      if (lane.pending) this.#send(client, partition, lane, lane.pending);
    }
    client.stream.uncork();
  }

  #take(partition: number, lane: Lane): Pending {
    const { channel, secret, batchBytesMax, meter } = this.#options;
    const { queue } = lane;
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
    const { stream, state, rooms, olderRooms } = keysOf(channel, partition);
    const { logBytesPerPartition, logAgeMs, logRoomsMax, publisherMs } = this.#options;
    const nonce = randomBytes(4).readUInt32BE();
    const bounds = [logBytesPerPartition, logAgeMs, logRoomsMax, publisherMs];
    const keys = [stream, state, rooms, olderRooms, `${stream}:by:${this.id}`];
    const args = [...keys, sign(batch, stream, secret), lane.number, nonce, newEpoch(), ...bounds, ''];
    for (const [room, messages] of countByRoom(batch)) args.push(room, messages);
    return { args, bytes: waitingBytes - queue.bytes };
  }

  #send(client: Redis, partition: number, lane: Lane, pending: Pending): void {
    this.#unanswered++;
    pending.args[serverArgument] = this.server;
    client.appendBatch(...pending.args).then(
      () => {
        this.#isHeld = false;
        if (lane.pending === pending) {
          lane.pending = undefined;
          lane.waitingTicks = 0;
          this.#bytes -= pending.bytes;
        }
        this.#answered(client);
      },
      (error: Error) => {
        this.#refused(client, partition, error);
        this.#answered(client, false);
      },
    );
  }

  #answered(client: Redis, flush = true): void {
    if (!this.link.isPresent(client)) return;
    this.link.signOfLife();
    // What was refused is sent again at the next heartbeat.
    if (--this.#unanswered === 0 && flush) this.#flush();
  }

  #refused(client: Redis, partition: number, error: Error): void {
    const { message } = error;
    if (message.includes('OOM')) this.#isFull = true;
    else if (isNotNow(error)) this.#isHeld = true;
    else if (message.includes('equal or smaller than')) this.#options.broken(partition);
    else this.link.fail(message, client);
  }

  /** Asks a full Redis whether it takes a few bytes again. */
  #probe(client: Redis): void {
    client.set(`${this.#options.channel}:probe`, '1', 'PX', 1000).then(
      () => {
        this.#isFull = false;
        this.#flush();
      },
      () => undefined, // It is still full, or the connection is closing.
    );
  }
}
