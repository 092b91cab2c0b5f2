/** One partition that this node reads: its log, the rooms that are wanted, and those who wait to join. */
import type { ResumeRequest } from './backplane.ts';
import { BatchError, visitBatch } from './batch.ts';
import { type BreakReason, breakTexts, endsEpoch } from './break-reason.ts';
import { keysOf, type PartitionKeys } from './partition.ts';
import { type JudgedRecovery, PartitionLog } from './partition-log.ts';
import { RoomTail } from './room-tail.ts';
import { SignatureError } from './signature.ts';
import { isBehind, positionOf, type RawEntry, type ReadEntry, readBack, readEntry } from './stream-entry.ts';
import type { PartitionOptions } from './stream-options.ts';
import { type Look, lookAt, newEpoch } from './stream-scripts.ts';
import type { Waiting, WaitingState } from './stream-waiting.ts';
import { oncePerTurn } from './timing.ts';

/** Rooms in one look; chosen. */
const roomsPerLook = 500;

export class StreamPartition {
  readonly keys: PartitionKeys;
  readonly #options: PartitionOptions;
  #log: PartitionLog | undefined;
  readonly #wanted = new Set<string>();
  readonly #waiting = new Map<string, Set<Waiting>>();
  /** The id from which to read on. It is that of a refused entry where the log's cursor is not. */
  readFrom = '0-0';
  /** Heartbeats since anybody was here. */
  idleTicks = 0;
  /** Bytes of the log in Redis, and those behind the cursor, at the last look. */
  logBytes = 0;
  lagBytes = 0;
  #looking = false;
  readonly #scheduleLook = oncePerTurn(() => {
    if (!this.#looking && !this.#found) void this.#look();
  });
  #readingBack = false;
  /** The log that broke off last, where its epoch must end unless it was only trimmed beyond `at`. */
  #broken: { readonly epoch: string; readonly at: number } | undefined;
  #endingEpoch: string | undefined;
  /** What was found of rooms, up to an entry that has not been read yet. */
  #found: Look | undefined;
  /** The rooms that were asked for. */
  #asked: ReadonlySet<string> = new Set();
  /** Those who waited when it was asked. */
  #askedBy: readonly Waiting[] = [];

  constructor(partition: number, options: PartitionOptions) {
    this.#options = options;
    this.keys = keysOf(options.channel, partition);
  }

  /** Undefined until Redis was asked for its end, and after it broke off. */
  get log(): PartitionLog | undefined {
    return this.#log;
  }

  get isIdle(): boolean {
    return this.#wanted.size === 0 && this.#waiting.size === 0;
  }

  /** True while somebody waits: the entries that were read back for them must stay. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  want(room: string): void {
    this.#wanted.add(room);
    if (!this.log) this.#scheduleLook();
  }

  unwant(room: string): void {
    this.#wanted.delete(room);
    this.log?.release(room);
  }

  wait(room: string, request: ResumeRequest | undefined, done: (prepared: boolean) => void): void {
    const deadlineAtMs = performance.now() + this.#options.resumeDeadlineMs;
    const all = this.#waiting.get(room) ?? new Set();
    const waiting = { request, done, deadlineAtMs, isUpToDate: false };
    this.#waiting.set(room, all.add(waiting));
    this.#help(this.#stateOf(room, waiting));
  }

  /** Answers those who wait and can be answered, and asks Redis for what the others need. */
  settle(): void {
    const states = new Set<WaitingState>();
    for (const [room, all] of this.#waiting)
      for (const waiting of all) states.add(this.#stateOf(room, waiting));
    for (const state of states) this.#help(state);
  }

  recover(room: string, request: ResumeRequest): JudgedRecovery {
    const tail = this.log?.rooms.get(room);
    if (!this.log || !tail)
      return { epoch: newEpoch(), offset: 0, recovered: false, outcome: 'late', missed: [] };
    const recovery = this.#judge(this.log, room, tail, request);
    return recovery === 'older' ? this.log.giveUp(room, tail) : recovery;
  }

  /** Takes entries that were read from `log`, oldest first. */
  receive(log: PartitionLog, entries: readonly RawEntry[]): void {
    for (const raw of entries) {
      if (this.log !== log) return; // It broke off: the next look begins anew.
      this.readFrom = raw[0].toString('latin1');
      const read = this.#read(raw);
      if (read === undefined) continue;
      if (log.append(read)) this.#deliver(read);
      else this.break(read.epoch === log.epoch ? 'trimmed' : 'epoch');
    }
    if (this.#found) this.#learn();
    if (this.#waiting.size > 0) this.settle();
  }

  /**
   * Call at every heartbeat: finds out who has waited too long and, now and then (`looks`) or where something
   * waits for the answer, whether the log is still the same.
   */
  tick(looks = true): void {
    this.idleTicks = this.isIdle ? this.idleTicks + 1 : 0;
    this.#found = undefined; // It waits for an entry that may never come, and is asked for again.
    const nowMs = performance.now();
    for (const [room, all] of this.#waiting) {
      for (const waiting of all) {
        if (waiting.deadlineAtMs > nowMs) continue;
        const known = this.log !== undefined && (!waiting.request || this.log.rooms.has(room));
        this.#answer(room, waiting, known);
      }
    }
    if (looks || !this.log || this.isAwaited) this.#scheduleLook();
    this.settle();
  }

  /** The log cannot be followed any more: whoever is here may have missed something. */
  break(reason: BreakReason): void {
    const { events, partitionMeter } = this.#options;
    partitionMeter.gaps.inc({ reason });
    if (reason !== 'not_appended') {
      const { log } = this;
      if (log && endsEpoch.has(reason)) this.#broken = { epoch: log.epoch, at: positionOf(log.cursor) };
      this.#follow(undefined);
      this.#found = undefined;
    }
    const rooms = new Set(this.#wanted);
    if (rooms.size > 0) events.gap(breakTexts[reason], (room) => rooms.has(room));
    this.#scheduleLook();
  }

  /** Nothing is read any more; nobody is here. */
  close(): void {
    this.#follow(undefined);
    for (const [room, all] of this.#waiting) for (const waiting of all) this.#answer(room, waiting, false);
  }

  /** Answers somebody who waits, or says what is missing. */
  #stateOf(room: string, waiting: Waiting): WaitingState {
    const { log } = this;
    const { request } = waiting;
    const tail = log?.rooms.get(room);
    if (!log || (request && !tail)) return 'unknown';
    if (request) {
      const judged = this.#judge(log, room, tail!, request);
      if (judged === 'older') return 'older';
      // Another node may have read further than this one: its people know newer positions.
      if (judged.outcome === 'future' && !waiting.isUpToDate) return 'unknown';
    }
    this.#answer(room, waiting, true);
    return 'answered';
  }

  #judge(log: PartitionLog, room: string, tail: RoomTail, { position }: ResumeRequest) {
    return log.recover(room, tail, position, this.#options.resumeBytesMax);
  }

  #help(state: WaitingState): void {
    if (state === 'unknown') this.#scheduleLook();
    if (state === 'older') void this.#readBack();
  }

  #answer(room: string, waiting: Waiting, prepared: boolean): void {
    const all = this.#waiting.get(room);
    all?.delete(waiting);
    if (all?.size === 0) this.#waiting.delete(room);
    waiting.done(prepared);
    this.log?.release(room);
  }

  /** Reads an entry; undefined where it is refused. */
  #read(raw: RawEntry): ReadEntry | undefined {
    const { secret, meter } = this.#options;
    try {
      return readEntry(raw, this.keys.stream, secret);
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      meter.refused.inc({ reason: error instanceof SignatureError ? 'signature' : 'unreadable' });
      // It has a place in the log, so people will count it. Else somebody wrote it who knows no better.
      const previous = raw[1][3]?.toString('latin1').split(' ', 2)[1];
      if (previous === this.log?.cursor) this.break('unreadable');
      return undefined;
    }
  }

  #deliver({ entry: { batch, runs }, header }: ReadEntry): void {
    const { events, meter, partitionMeter, publisher } = this.#options;
    partitionMeter.entries.inc();
    partitionMeter.bytes.inc(batch.length);
    if (header.publisher === publisher) meter.observeLag(header.publishedAtMs);
    let used = false;
    for (const { room } of runs) used ||= this.#wanted.has(room);
    if (!used) return partitionMeter.entriesUnused.inc();
    meter.messagesRead.inc(visitBatch(batch, (room, payload) => events.deliver(room, payload)));
  }

  async #look(): Promise<void> {
    const client = this.#options.client();
    if (!client) return; // The next heartbeat asks again.
    const { log } = this;
    const cursorBefore = log?.cursor;
    const unknown = [...this.#waiting.keys()].filter((room) => !log?.rooms.has(room));
    const names = unknown.slice(0, roomsPerLook);
    this.#asked = new Set(names);
    this.#askedBy = [...this.#waiting.values()].flatMap((all) => [...all]);
    const ending = this.#endingEpoch;
    this.#looking = true;
    const { logRoomsMax: roomsMax, server } = this.#options;
    const asked = lookAt(client, this.keys, { ending, roomsMax, server: server(), names });
    const look = await asked.catch((error: Error) => {
      // A full Redis refuses to make what is not there yet; the next heartbeat asks again.
      if (!error.message.includes('OOM')) this.#options.failed(error, client);
    });
    this.#looking = false;
    if (!look) return;
    if (this.log !== log) return this.#scheduleLook();
    if (log === undefined) this.#open(look);
    else if (look.epoch !== log.epoch) return this.break('epoch');
    else if (isBehind(look.last, cursorBefore!)) return this.break('behind');
    if (!this.log) return;
    this.logBytes = look.logBytes;
    this.lagBytes = Math.max(0, positionOf(look.last) - positionOf(this.log.cursor));
    this.#found = look;
    this.#learn();
    this.settle();
  }

  /** Begins at the end of the log in Redis. */
  #open({ epoch, last, logBytes }: Look): void {
    if (this.#broken?.epoch === epoch && positionOf(last) - logBytes <= this.#broken.at) {
      // It was not trimmed, so its entries are not those that were read: positions in it mean nothing.
      this.#endingEpoch = epoch;
      return this.#scheduleLook();
    }
    this.#broken = undefined;
    this.#endingEpoch = undefined;
    const isNeeded = (room: string) =>
      this.#wanted.has(room) || this.#waiting.has(room) || this.#asked.has(room);
    this.readFrom = last;
    this.#follow(new PartitionLog(epoch, last, isNeeded));
  }

  #follow(log: PartitionLog | undefined): void {
    this.#log = log;
    this.#options.logChanged(log);
  }

  /** Takes over what was found of rooms, as soon as the cursor has come as far. */
  #learn(): void {
    if (!this.#found || !this.log?.hasRead(this.#found.last)) return;
    const { rooms } = this.log;
    const names = [...this.#asked];
    for (const [index, [base, messages]] of this.#found.places.entries()) {
      // An entry that came since says it better.
      if (!rooms.has(names[index]!)) rooms.set(names[index]!, new RoomTail(names[index]!, base, messages));
    }
    this.#found = undefined;
    this.#asked = new Set();
    for (const waiting of this.#askedBy) waiting.isUpToDate = true;
    this.#askedBy = [];
    for (const name of names) this.log.release(name);
  }

  /** Reads older entries, for all who miss some of them, until they have them or there are no more. */
  async #readBack(): Promise<void> {
    const client = this.#options.client();
    const { log } = this;
    if (!client || !log || this.#readingBack || !this.#options.mayReadBack()) return;
    this.#readingBack = true;
    const from = log.before;
    const asked = readBack(client, this.keys.stream, from, this.#options.secret);
    const found = await asked.catch((error: Error) => this.#options.failed(error, client));
    this.#readingBack = false;
    if (!found) return; // The next heartbeat asks again.
    if (this.log !== log || log.before !== from) return this.settle();
    const { partitionMeter } = this.#options;
    partitionMeter.historyReads.inc();
    partitionMeter.historyBytes.inc(found.entries.reduce((sum, { entry }) => sum + entry.batch.length, 0));
    log.prepend(found.entries);
    if (found.isEnd || log.before === from) log.isWhole = true;
    this.settle();
  }
}
