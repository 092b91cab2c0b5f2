/**
 * A batch: the messages of one turn of a process's event loop, sent to all other processes in one piece.
 *
 * | bytes | field                                                             |
 * |-------|-------------------------------------------------------------------|
 * | 1     | version, 1                                                        |
 * | 1     | kind: 0 messages, 1 goodbye; one without messages is a heartbeat  |
 * | 8     | publisher, a random id of its process                             |
 * | 6     | sequence, big-endian: 1, 2, 3 … per publisher, without gaps       |
 * | 8     | published at, milliseconds of the epoch, double                   |
 * | …     | per message: room bytes (1), room, payload bytes (4), payload     |
 */
import { isUtf8 } from 'node:buffer';
import { globalRoom, isRoomName } from '#protocol';
import { isSignalName } from './signals.ts';

/** Bytes before the first message. */
export const batchHeaderBytes = 24;

/** Bytes of an entry beside its room name and its payload. */
const entryOverheadBytes = 5;

/**
 * The first byte of a batch. Another layout takes another number: then the two builds do not run side by side
 * (batch-version.ts).
 */
export const batchVersion = 1;
const kinds = ['messages', 'goodbye'] as const;

export type BatchHeader = {
  readonly kind: (typeof kinds)[number];
  /** 16 hexadecimal digits. */
  readonly publisher: string;
  readonly sequence: number;
  readonly publishedAtMs: number;
};

/** These bytes are no batch that this version can read: another version, cut short, or something else. */
export class BatchError extends Error {}

/** Messages that wait for the next batch, in order. */
export class BatchQueue {
  #rooms: string[] = [];
  #payloads: Buffer[] = [];
  #next = 0;
  /** Bytes that the waiting messages will take in batches, without the headers of these. */
  bytes = 0;

  /** Messages that wait. */
  get messages(): number {
    return this.#payloads.length - this.#next;
  }

  push(room: string, payload: Buffer): void {
    this.#rooms.push(room);
    this.#payloads.push(payload);
    this.bytes += entryBytes(room, payload);
  }

  /** Takes the next batch: as many messages as fit into `bytesMax`, but at least one if there is one. */
  take(header: BatchHeader, bytesMax: number): Buffer {
    const start = this.#next;
    let bytes = batchHeaderBytes;
    for (; this.#next < this.#payloads.length; this.#next++) {
      const more = entryBytes(this.#rooms[this.#next]!, this.#payloads[this.#next]!);
      if (bytes + more > bytesMax && this.#next > start) break;
      bytes += more;
    }
    const batch = Buffer.allocUnsafe(bytes);
    writeHeader(batch, header);
    let offset = batchHeaderBytes;
    for (let index = start; index < this.#next; index++) {
      offset = writeEntry(batch, offset, this.#rooms[index]!, this.#payloads[index]!);
    }
    this.bytes -= bytes - batchHeaderBytes;
    if (this.#next === this.#payloads.length) this.clear();
    return batch;
  }

  clear(): void {
    this.#rooms = [];
    this.#payloads = [];
    this.#next = 0;
    this.bytes = 0;
  }
}

/** The time as a batch states it: milliseconds of the epoch, with fractions. */
export const epochMs = () => performance.timeOrigin + performance.now();

/** Reads only the header. Throws a `BatchError` when these bytes are no batch of this version. */
export function readBatchHeader(batch: Buffer): BatchHeader {
  if (batch.length < batchHeaderBytes) throw new BatchError(`${batch.length} bytes are no batch`);
  const kind = kinds[batch[1]!];
  if (batch[0] !== batchVersion || kind === undefined) {
    throw new BatchError(`batch version ${batch[0]}, kind ${batch[1]} is not known here`);
  }
  const publishedAtMs = batch.readDoubleBE(16);
  if (!Number.isFinite(publishedAtMs)) throw new BatchError('the time of the batch is no number');
  return { kind, publisher: batch.toString('hex', 2, 10), sequence: batch.readUIntBE(10, 6), publishedAtMs };
}

/** Throws a `BatchError` unless all messages are whole, in UTF-8 and for rooms or signals that can exist. */
export function checkBatch(batch: Buffer): void {
  visitBatch(batch, (room, payload) => {
    if (!isDestination(room)) throw new BatchError('a room has a name that none can have');
    if (!isUtf8(payload)) throw new BatchError('a message is not UTF-8');
  });
}

/** True for what a message can be for: the name of a room, or of a signal. */
export function isDestination(name: string): boolean {
  return name === globalRoom || isRoomName(name) || isSignalName(name);
}

/** Visits the messages in order, and counts them; payloads are views. Throws a `BatchError` if cut short. */
export function visitBatch(batch: Buffer, visit: (room: string, payload: Buffer) => void): number {
  let messages = 0;
  let offset = batchHeaderBytes;
  while (offset < batch.length) {
    const roomEnd = offset + 1 + batch[offset]!;
    if (roomEnd + 4 > batch.length) throw new BatchError('the batch ends inside a room name');
    const room = batch.toString('latin1', offset + 1, roomEnd);
    const end = roomEnd + 4 + batch.readUInt32BE(roomEnd);
    if (end > batch.length) throw new BatchError('the batch ends inside a message');
    visit(room, batch.subarray(roomEnd + 4, end));
    offset = end;
    messages += 1;
  }
  return messages;
}

function writeHeader(batch: Buffer, header: BatchHeader): void {
  batch[0] = batchVersion;
  batch[1] = kinds.indexOf(header.kind);
  batch.write(header.publisher, 2, 8, 'hex');
  batch.writeUIntBE(header.sequence, 10, 6);
  batch.writeDoubleBE(header.publishedAtMs, 16);
}

function writeEntry(batch: Buffer, offset: number, room: string, payload: Buffer): number {
  batch[offset] = room.length;
  batch.write(room, offset + 1, 'latin1');
  const payloadAt = offset + 1 + room.length + 4;
  batch.writeUInt32BE(payload.length, payloadAt - 4);
  payload.copy(batch, payloadAt);
  return payloadAt + payload.length;
}

/** The protocol allows only ASCII in room names, so a character is a byte. */
function entryBytes(room: string, payload: Buffer): number {
  return entryOverheadBytes + room.length + payload.length;
}
