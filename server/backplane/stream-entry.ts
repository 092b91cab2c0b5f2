/**
 * Hot path. An entry of a partition's stream: a batch, and the place of its messages in the logs of rooms.
 */
import { isUtf8 } from 'node:buffer';
import type { Redis } from 'ioredis';
import { BatchError, type BatchHeader, isDestination, readBatchHeader, visitBatch } from './batch.ts';
import { verify } from './signature.ts';

/** The messages of one room in one entry. */
export type RoomRun = {
  readonly entry: StreamEntry;
  /** One text for all of a room, as soon as its tail has the run. */
  room: string;
  /** The position at which the room was first counted. */
  base: number;
  /** Messages of the room before these, since then. */
  first: number;
  messages: number;
};

/** What is kept of an entry. Thousands are: each object more is work for the collector of garbage. */
export type StreamEntry = {
  readonly id: string;
  /** A view of what was read, until the entry is kept. */
  batch: Buffer;
  /** One for each room, in the order of their first messages. */
  readonly runs: readonly RoomRun[];
};

/** An entry as it was read. */
export type ReadEntry = {
  readonly entry: StreamEntry;
  /** The id of the entry before it. */
  readonly previous: string;
  readonly epoch: string;
  readonly header: BatchHeader;
};

/** An entry as Redis returns it: its id, and its fields and values in turn. */
export type RawEntry = readonly [id: Buffer, fields: readonly Buffer[]];

/** The position in an entry's id. */
export function positionOf(id: string): number {
  return Number.parseInt(id, 10);
}

/** True when the newest entry of a log lies before one that was read, or is another one at its place. */
export function isBehind(last: string, cursor: string): boolean {
  return (
    positionOf(last) < positionOf(cursor) || (positionOf(last) === positionOf(cursor) && last !== cursor)
  );
}

/** The messages of a batch by room, in the order of their first messages. Throws a `BatchError`. */
export function countByRoom(batch: Buffer): Map<string, number> {
  const counts = new Map<string, number>();
  let latest = '';
  let messages = 0;
  visitBatch(batch, (room, payload) => {
    if (!isUtf8(payload)) throw new BatchError('a message is not UTF-8');
    if (room === latest && messages > 0) return void messages++;
    if (messages > 0) counts.set(latest, messages);
    if (!isDestination(room)) throw new BatchError('a room has a name that none can have');
    latest = room;
    messages = (counts.get(room) ?? 0) + 1;
    if (messages === 1) counts.set(room, 0); // Its place among the rooms.
  });
  if (messages > 0) counts.set(latest, messages);
  return counts;
}

/**
 * Reads an entry; `stream` and `secret` as for `sign`. Throws a `BatchError` where no node can have made it.
 */
export function readEntry([id, fields]: RawEntry, stream: string, secret: string): ReadEntry {
  const [batchField, signed, metaField, meta] = fields;
  if (batchField?.toString() !== 'b' || metaField?.toString() !== 'm' || fields.length !== 4)
    throw new BatchError('its fields are not those of an entry');
  const batch = verify(signed!, stream, secret);
  const header = readBatchHeader(batch);
  const counts = countByRoom(batch);
  const [epoch = '', previous = '', ...places] = meta!.toString('latin1').split(' ');
  if (places.length !== 2 * counts.size) throw new BatchError('its rooms are not those of its batch');
  // Of its full length: an array that grows takes places for 17 at once.
  const runs = new Array<RoomRun>(counts.size);
  const entry: StreamEntry = { id: id.toString('latin1'), batch, runs };
  let at = 0;
  for (const [room, messages] of counts) {
    const [base, first] = [Number(places[2 * at]), Number(places[2 * at + 1])];
    if (!Number.isSafeInteger(base) || !Number.isSafeInteger(first))
      throw new BatchError('an offset is no number');
    runs[at++] = { entry, room, base, first, messages };
  }
  return { entry, previous, epoch, header };
}

/** Entries in one step back; chosen, so that a reply stays below some megabytes. */
const entriesPerStepBack = 64;

/**
 * Reads some entries backwards, newest first, beginning with the one of this id. Those that nobody of this
 * chat can have made are left out: one that is missing shows, because each names the one before. `isEnd`: the
 * log goes back no further.
 */
export async function readBack(
  client: Redis,
  stream: string,
  from: string,
  secret: string,
): Promise<{ entries: ReadEntry[]; isEnd: boolean }> {
  const range = [stream, from, '-', 'COUNT', entriesPerStepBack];
  const reply = (await client.callBuffer('XREVRANGE', range)) as RawEntry[];
  const entries = reply.flatMap((raw) => {
    try {
      return [readEntry(raw, stream, secret)];
    } catch (error) {
      if (error instanceof BatchError) return [];
      throw error;
    }
  });
  return { entries, isEnd: reply.length < entriesPerStepBack };
}
