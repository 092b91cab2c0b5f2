/**
 * The backplane over Redis streams: a partition of the rooms is a stream, and a node a cursor in those in
 * which it has sessions. The messages of one turn of the event loop are one entry in each partition that they
 * touch.
 *
 * Order: one for all in a room. Redis appends one entry after the other, and every node, the appending one
 * included, delivers what it reads back.
 *
 * What can go wrong, and what becomes of it:
 * - Redis is frozen, restarts with its data, or a connection breaks: delay. Each entry names the one before,
 *   so a node that reads on from its cursor knows that it has all of them; a batch is sent again under its
 *   number.
 * - Redis does not take messages for too long, or is full: `publish` refuses, and what was accepted is
 *   dropped at last, with a gap for the rooms of that partition.
 * - Redis lost the log, or its newest entries: a new epoch, and a gap. Positions of before are not recovered.
 * - The log was trimmed beyond a cursor: a gap. Positions that it still holds are recovered.
 *
 * On Redis Cluster the partitions are cut into groups, each in one slot, with two connections of its own. A
 * promoted replica may lack the newest entries, which nobody can tell: it is a new epoch.
 *
 * A Redis that keeps its data must write every command to disk (`appendfsync always`), or none at all: one
 * that comes back with an older state is noticed only by the nodes that had read further.
 */
import { isNotNow } from '../redis/cluster.ts';
import { groupsOf, type RedisGroup } from '../redis/groups.ts';
import type { BackplaneEvents, LogBackplane, Recovery, ResumeRequest } from './backplane.ts';
import { type BackplaneMeter, countGaps, createBackplaneMeter, meterOfPart } from './meter.ts';
import { partitionOf } from './partition.ts';
import type { PartitionLog } from './partition-log.ts';
import { createPartitionMeter } from './partition-meter.ts';
import { StreamAppender } from './stream-appender.ts';
import { type StreamOptions, streamDefaults } from './stream-options.ts';
import { StreamPartition } from './stream-partition.ts';
import { StreamReader } from './stream-reader.ts';
import { newEpoch } from './stream-scripts.ts';
import { waitFor } from './timing.ts';

/** `url`: of one Redis, or of several nodes of one cluster. */
export type RedisStreamsOptions = Partial<Omit<StreamOptions, 'place'>> & { url: string };

/** Chosen, not measured. */
const defaults = {
  ...streamDefaults,
  channel: 'chat:1',
  secret: '',
  batchBytesMax: 64 * 1024,
  queueBytesMax: 8 * 1024 * 1024,
  heartbeatIntervalMs: 500,
  silentTicksMax: 4,
  patienceTicks: 20,
  lingerTicks: 10,
  entriesPerRead: 16,
  publisherMs: 86_400_000,
  startDeadlineMs: 10_000,
  closeDeadlineMs: 2_000,
};

/**
 * Heartbeats in which Redis is asked once about each partition where nothing waits for the answer, so that a
 * log that was lost is noticed in silence too. All of 64 at each heartbeat were 128 scripts per
 * second and node, in bursts that a node of 0.2 CPU felt. Chosen, not measured.
 */
const ticksPerLook = 4;

/** A log as the reader sees it: one that broke off meanwhile is not the one that was asked for. */
class Reading {
  readonly partition: StreamPartition;
  readonly log: PartitionLog;
  readonly stream: string;

  constructor(partition: StreamPartition, log: PartitionLog) {
    this.partition = partition;
    this.log = log;
    this.stream = partition.keys.stream;
  }

  get cursor(): string {
    return this.partition.readFrom;
  }
}

/** The connections to a group of the partitions: on a cluster, one read or one round cannot cross slots. */
type Lines = { appender: StreamAppender; reader: StreamReader<Reading>; group: RedisGroup };

type Running = { lines: readonly Lines[]; heartbeat: NodeJS.Timeout; events: BackplaneEvents };

export class RedisStreamsBackplane implements LogBackplane {
  readonly #options: Omit<StreamOptions, 'place'>;
  readonly #groups: readonly RedisGroup[];
  readonly #partitions = new Map<number, StreamPartition>();
  #running: Running | undefined;
  #closing = false;
  #ticks = 0;
  /** Bytes of all tails at the last count, and what was received since then. */
  #tailBytesAbout = 0;

  constructor({ url, ...options }: RedisStreamsOptions) {
    const meters = { meter: createBackplaneMeter(), partitionMeter: createPartitionMeter() };
    this.#options = { ...meters, ...defaults, ...options };
    this.#groups = groupsOf(url, this.#options.channel, this.#options.partitions);
  }

  /** On a cluster: every group can be written and read. The rooms of those that can go on meanwhile. */
  get ready(): boolean {
    if (!this.#running || this.#closing) return false;
    return this.#running.lines.every(areReady);
  }

  get congested(): boolean {
    return this.#running?.lines.some(({ appender }) => appender.congested) ?? false;
  }

  get waitsFor(): string {
    return `Redis at ${this.#groups[0]!.place.shown}: ${this.#lastFailure}`;
  }

  /** The reason for which the connection that is missing could not be made. */
  get #lastFailure(): string {
    const { appender, reader } = this.#running?.lines.find((lines) => !areReady(lines)) ?? {};
    const link = appender?.link.client ? reader?.link : appender?.link;
    return link?.lastFailure ?? 'closed';
  }

  async start(events: BackplaneEvents): Promise<void> {
    for (const { appender, reader } of this.#run(events).lines) {
      appender.link.open();
      reader.link.open();
    }
    if (await waitFor(() => this.ready, this.#options.startDeadlineMs)) return;
    const failure = this.#lastFailure;
    this.#stop();
    throw new Error(`Redis at ${this.#groups[0]!.place.shown} cannot be used: ${failure}`);
  }

  prepare(room: string, request: ResumeRequest | undefined, done: (prepared: boolean) => void): void {
    if (!this.#running) return done(false);
    this.#partitionOf(room).wait(room, request, done);
  }

  recover(room: string, request: ResumeRequest): Recovery {
    // With a position that nobody can come back to, where there is no log at all.
    if (!this.#running) return { epoch: newEpoch(), offset: 0, recovered: false, missed: [] };
    const recovery = this.#partitionOf(room).recover(room, request);
    this.#options.partitionMeter.resumes.inc({ outcome: recovery.outcome });
    return recovery;
  }

  want(room: string): void {
    if (this.#running) this.#partitionOf(room).want(room);
  }

  unwant(room: string): void {
    const partition = this.#partitions.get(partitionOf(room, this.#options.partitions));
    partition?.unwant(room);
  }

  publish(room: string, payload: Buffer): boolean {
    if (!this.#running || this.#closing) return false;
    const partition = partitionOf(room, this.#options.partitions);
    return linesOf(this.#running, partition).appender.publish(partition, room, payload);
  }

  async close(): Promise<void> {
    if (!this.#running || this.#closing) return;
    this.#closing = true;
    const { lines } = this.#running;
    await waitFor(() => lines.every(({ appender }) => appender.idle), this.#options.closeDeadlineMs);
    this.#stop();
  }

  #run(events: BackplaneEvents): Running {
    const { meter, heartbeatIntervalMs } = this.#options;
    const isOne = this.#groups.length === 1;
    const lines = this.#groups.map((group) => this.#linesTo(group, isOne ? meter : meterOfPart(meter)));
    const heartbeat = setInterval(() => this.#tick(), heartbeatIntervalMs);
    this.#running = { lines, heartbeat, events: countGaps(events, meter) };
    return this.#running;
  }

  #linesTo(group: RedisGroup, meter: BackplaneMeter): Lines {
    const options = { ...this.#options, ...group, meter };
    const appender = new StreamAppender({
      ...options,
      dropped: (partition) => this.#partition(partition).break('not_appended'),
      broken: (partition) => this.#partition(partition).break('foreign_write'),
      up: () => {
        for (const [number, partition] of this.#partitions)
          if (linesOf(this.#running!, number).appender === appender) partition.tick();
      },
    });
    const reader: StreamReader<Reading> = new StreamReader({
      ...options,
      id: appender.id,
      readable: () => this.#readable(reader),
      receive: ({ partition, log }, entries) => {
        const bytesBefore = log.bytes;
        partition.receive(log, entries);
        this.#tailBytesAbout += log.bytes - bytesBefore;
        if (this.#tailBytesAbout > this.#options.tailBytesMax) this.#boundTails();
      },
      unblocker: () => appender.link.client,
    });
    return { appender, reader, group };
  }

  #stop(): void {
    clearInterval(this.#running?.heartbeat);
    for (const { appender, reader } of this.#running?.lines ?? []) {
      appender.link.close();
      reader.link.close();
    }
    this.#running = undefined;
    for (const partition of this.#partitions.values()) partition.close();
    this.#partitions.clear();
  }

  #tick(): void {
    for (const { appender, reader } of this.#running!.lines) {
      appender.tick();
      reader.tick();
    }
    let [logBytes, lagBytes] = [0, 0];
    this.#ticks++;
    for (const [number, partition] of this.#partitions) {
      partition.tick((number + this.#ticks) % ticksPerLook === 0);
      logBytes += partition.logBytes;
      lagBytes += partition.lagBytes;
      if (partition.idleTicks <= this.#options.lingerTicks) continue;
      partition.close();
      this.#partitions.delete(number);
    }
    const { partitionMeter } = this.#options;
    partitionMeter.read.set(this.#partitions.size);
    partitionMeter.logBytes.set(logBytes);
    partitionMeter.lagBytes.set(lagBytes);
    partitionMeter.tailBytes.set(this.#boundTails());
  }

  #partitionOf(room: string): StreamPartition {
    return this.#partition(partitionOf(room, this.#options.partitions));
  }

  #partition(number: number): StreamPartition {
    let partition = this.#partitions.get(number);
    if (!partition) {
      const { appender, reader, group } = linesOf(this.#running!, number);
      partition = new StreamPartition(number, {
        ...this.#options,
        ...group,
        events: this.#running!.events,
        publisher: appender.id,
        client: () => appender.link.client,
        server: () => appender.server,
        failed: (error, client) => isNotNow(error) || appender.link.fail(error.message, client),
        logChanged: (log) => (log ? reader.wake() : reader.changed()),
        mayReadBack: () => this.#tailBytes() < 2 * this.#options.tailBytesMax,
      });
      this.#partitions.set(number, partition);
    }
    return partition;
  }

  #readable(reader: Lines['reader']): Reading[] {
    const readings: Reading[] = [];
    for (const [number, partition] of this.#partitions) {
      const { log } = partition;
      if (log && linesOf(this.#running!, number).reader === reader)
        readings.push(new Reading(partition, log));
    }
    return readings;
  }

  #tailBytes(): number {
    let bytes = 0;
    for (const { log } of this.#partitions.values()) bytes += log?.bytes ?? 0;
    return bytes;
  }

  /** Gives the oldest entries up while all of them exceed the bound: the largest tail first. */
  #boundTails(): number {
    let bytes = this.#tailBytes();
    while (bytes > this.#options.tailBytesMax) {
      let largest: PartitionLog | undefined;
      for (const { log, isAwaited } of this.#partitions.values())
        if (log && !isAwaited && log.bytes > (largest?.bytes ?? 0)) largest = log;
      if (!largest) break;
      const before = largest.bytes;
      largest.forgetOldest();
      bytes -= before - largest.bytes;
    }
    this.#tailBytesAbout = bytes;
    return bytes;
  }
}

/** The connections that a partition uses. */
const linesOf = ({ lines }: Running, partition: number): Lines => lines[partition % lines.length]!;

const areReady = ({ appender, reader }: Lines) => appender.ready && reader.link.client !== undefined;
