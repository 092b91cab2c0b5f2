/**
 * The envelope: what one process says to all others in one piece, the messages of one turn of its event loop.
 *
 * | bytes | field                                                             |
 * |-------|-------------------------------------------------------------------|
 * | 1     | version, 1                                                        |
 * | 1     | kind: 0 messages (none of them is a heartbeat), 1 goodbye         |
 * | 8     | publisher, drawn at random when its process starts                |
 * | 6     | sequence, big-endian: 1, 2, 3 … per publisher, without gaps       |
 * | 8     | published at, milliseconds of the epoch, double                   |
 * | …     | per message: room bytes (1), room, payload bytes (4), payload     |
 */

/** Bytes before the first message. */
export const envelopeHeaderBytes = 24;

/** What a room name and a payload cost beside themselves, in bytes. */
const entryOverheadBytes = 5;

const version = 1;
const kinds = ['messages', 'goodbye'] as const;

export type EnvelopeHeader = {
  readonly kind: (typeof kinds)[number];
  /** 16 hexadecimal digits. */
  readonly publisher: string;
  readonly sequence: number;
  readonly publishedAtMs: number;
};

/** An envelope that this version cannot read: from another version, cut short, or not an envelope at all. */
export class EnvelopeError extends Error {}

/** Messages waiting for the next envelope, in order, and how many bytes they will take. */
export class EnvelopeQueue {
  #rooms: string[] = [];
  #payloads: Buffer[] = [];
  #next = 0;
  #bytes = 0;

  /** Bytes that the waiting messages will take in envelopes, headers not counted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Messages waiting. */
  get messages(): number {
    return this.#payloads.length - this.#next;
  }

  push(room: string, payload: Buffer): void {
    this.#rooms.push(room);
    this.#payloads.push(payload);
    this.#bytes += entryBytes(room, payload);
  }

  /** The next envelope: as many messages as fit into `bytesMax`, one at least if there is one. */
  take(header: EnvelopeHeader, bytesMax: number): Buffer {
    const end = this.#fitting(bytesMax - envelopeHeaderBytes);
    let bytes = envelopeHeaderBytes;
    for (let index = this.#next; index < end; index++) {
      bytes += entryBytes(this.#rooms[index]!, this.#payloads[index]!);
    }
    const envelope = Buffer.allocUnsafe(bytes);
    let offset = writeHeader(envelope, header);
    for (let index = this.#next; index < end; index++) {
      offset = writeEntry(envelope, offset, this.#rooms[index]!, this.#payloads[index]!);
    }
    this.#bytes -= bytes - envelopeHeaderBytes;
    this.#next = end;
    if (end === this.#payloads.length) this.clear();
    return envelope;
  }

  clear(): void {
    this.#rooms = [];
    this.#payloads = [];
    this.#next = 0;
    this.#bytes = 0;
  }

  #fitting(bytesMax: number): number {
    let end = this.#next;
    let bytes = 0;
    while (end < this.#payloads.length) {
      bytes += entryBytes(this.#rooms[end]!, this.#payloads[end]!);
      if (bytes > bytesMax && end > this.#next) break;
      end++;
    }
    return end;
  }
}

/** Reads the header alone. Throws an `EnvelopeError` when these bytes are no envelope of this version. */
export function readEnvelopeHeader(envelope: Buffer): EnvelopeHeader {
  if (envelope.length < envelopeHeaderBytes)
    throw new EnvelopeError(`${envelope.length} bytes are no envelope`);
  const kind = kinds[envelope[1]!];
  if (envelope[0] !== version || kind === undefined) {
    throw new EnvelopeError(`envelope version ${envelope[0]}, kind ${envelope[1]} is not known here`);
  }
  return {
    kind,
    publisher: envelope.toString('hex', 2, 10),
    sequence: envelope.readUIntBE(10, 6),
    publishedAtMs: envelope.readDoubleBE(16),
  };
}

/** Visits the messages in order; payloads are views of the envelope. Throws an `EnvelopeError` when it is cut short. */
export function visitEnvelope(envelope: Buffer, visit: (room: string, payload: Buffer) => void): void {
  let offset = envelopeHeaderBytes;
  while (offset < envelope.length) {
    const roomEnd = offset + 1 + envelope[offset]!;
    if (roomEnd + 4 > envelope.length) throw new EnvelopeError('the envelope ends inside a room name');
    const room = envelope.toString('latin1', offset + 1, roomEnd);
    const end = roomEnd + 4 + envelope.readUInt32BE(roomEnd);
    if (end > envelope.length) throw new EnvelopeError('the envelope ends inside a message');
    visit(room, envelope.subarray(roomEnd + 4, end));
    offset = end;
  }
}

function writeHeader(envelope: Buffer, header: EnvelopeHeader): number {
  envelope[0] = version;
  envelope[1] = kinds.indexOf(header.kind);
  envelope.write(header.publisher, 2, 8, 'hex');
  envelope.writeUIntBE(header.sequence, 10, 6);
  envelope.writeDoubleBE(header.publishedAtMs, 16);
  return envelopeHeaderBytes;
}

function writeEntry(envelope: Buffer, offset: number, room: string, payload: Buffer): number {
  envelope[offset] = room.length;
  envelope.write(room, offset + 1, 'latin1');
  const payloadAt = offset + 1 + room.length + 4;
  envelope.writeUInt32BE(payload.length, payloadAt - 4);
  payload.copy(envelope, payloadAt);
  return payloadAt + payload.length;
}

/** Room names are ASCII (the protocol says so), so characters are bytes. */
function entryBytes(room: string, payload: Buffer): number {
  return entryOverheadBytes + room.length + payload.length;
}
