/**
 * The stamp at the beginning of every message of the simulator, and the message around it. The stamp has a
 * fixed width and is safe in JSON, so that a receiver reads it at a known offset without parsing. Sender and
 * filler follow from it, so that a receiver can tell whether a single byte has changed. Hot path.
 *
 *     run 3 · room 3 · number 5 · due 6 · lag 5 · checksum 5      digits of base 64, most significant first
 */
import { payloadBytesMin } from '../workload.ts';
import { seededRandom } from './schedule.ts';

/** The fields of a stamp: where a message belongs and when it was due. */
export type Stamp = {
  /** Even for measured messages, see `runIdOfStep`; the odd number after it for probes. Below 2^18. */
  runId: number;
  room: number;
  /** Position in the room's schedule. The sender follows from it. */
  number: number;
  /** Microseconds since the schedule began. */
  dueUs: number;
  /** Microseconds from the due time to the actual send. */
  lagUs: number;
};

export const stampChars = 27;
export const runIdMax = 2 ** 18 - 1;

/** The run id of a step, counted from 0: the even numbers from that of the first step on, and round again. */
export function runIdOfStep(firstRunId: number, step: number): number {
  return (firstRunId + 2 * step) & runIdMax;
}

/** The step whose messages or probes have this run id. A very high one means another run. */
export function stepOfRunId(firstRunId: number, runId: number): number {
  return ((runId - firstRunId) & runIdMax) >> 1;
}

const lagUsMax = 2 ** 30 - 1;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const digitOf = new Uint8Array(256);
const charOf = new Uint8Array(64);
for (let digit = 0; digit < 64; digit++) {
  charOf[digit] = alphabet.charCodeAt(digit);
  digitOf[alphabet.charCodeAt(digit)] = digit;
}
const clientIdAt = 13;
const clientIdDigits = 6;
/** Offset of the stamp in the JSON that is sent. A server that relays it unchanged keeps it there. */
export const stampAt = clientIdAt + 1 + clientIdDigits + 13;

/** Writes the 27 bytes of a stamp. A lag above 2^30 µs is written as 2^30 − 1. */
export function writeStamp(target: Uint8Array, at: number, stamp: Stamp): void {
  const lagUs = Math.min(Math.max(stamp.lagUs, 0), lagUsMax);
  const dueHigh = Math.floor(stamp.dueUs / 2 ** 30);
  const dueLow = stamp.dueUs % 2 ** 30;
  writeDigits(target, at, 3, stamp.runId);
  writeDigits(target, at + 3, 3, stamp.room);
  writeDigits(target, at + 6, 5, stamp.number);
  writeDigits(target, at + 11, 1, dueHigh);
  writeDigits(target, at + 12, 5, dueLow);
  writeDigits(target, at + 17, 5, lagUs);
  writeDigits(target, at + 22, 5, checksum(stamp.runId, stamp.room, stamp.number, dueHigh, dueLow, lagUs));
}

/** Reads a stamp into `into`. False if the checksum does not fit. */
export function readStamp(bytes: Uint8Array, at: number, into: Stamp): boolean {
  const dueHigh = readDigits(bytes, at + 11, 1);
  const dueLow = readDigits(bytes, at + 12, 5);
  into.runId = readDigits(bytes, at, 3);
  into.room = readDigits(bytes, at + 3, 3);
  into.number = readStampNumber(bytes, at);
  into.dueUs = dueHigh * 2 ** 30 + dueLow;
  into.lagUs = readDigits(bytes, at + 17, 5);
  const expected = checksum(into.runId, into.room, into.number, dueHigh, dueLow, into.lagUs);
  return readDigits(bytes, at + 22, 5) === expected;
}

/** The message number of a stamp, without any check of the stamp. */
export function readStampNumber(bytes: Uint8Array, at: number): number {
  return readDigits(bytes, at + 6, 5);
}

function writeDigits(target: Uint8Array, at: number, count: number, value: number): void {
  for (let i = at + count - 1; i >= at; i--) {
    target[i] = charOf[value & 63]!;
    value >>>= 6;
  }
}

function readDigits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) value = (value << 6) | digitOf[bytes[i]!]!;
  return value;
}

/** 30 bits. Each step is invertible, so that a change in one field changes the state before the last fold. */
function checksum(
  runId: number,
  room: number,
  number: number,
  dueHigh: number,
  dueLow: number,
  lagUs: number,
) {
  let h = Math.imul(runId ^ 0x5bd1e995, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15) ^ room, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ number, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16) ^ dueHigh, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 15) ^ dueLow, 0x165667b1);
  h = Math.imul(h ^ (h >>> 13) ^ lagUs, 0x9e3779b1);
  return (h ^ (h >>> 17)) & 0x3fffffff;
}

/**
 * The source of all fillers: random text, in which each message has an offset of its own. In one room, the
 * offsets of so many successive messages all differ. Chosen, not measured.
 */
const sourceBytes = 2 ** 18;
let source: Buffer | undefined;
/** The end of a filler: 5 digits of the message number, 3 of the room, both encrypted with the seal. */
const fillerEndChars = 8;

/**
 * Two random numbers of 32 bits that the workers of a run share. The end of each message follows from them
 * and from its whole stamp: a server that does not know them cannot write another stamp that fits. They
 * withstand a program that changes messages, not an analyst. A message of less than 70 B has no such end.
 */
export type Seal = readonly [number, number];

/**
 * Writes and checks whole messages of one size. The filler of a message follows from its run, room and
 * number: a part of one message and a part of another never make a third that passes as intact.
 */
export class MessageFormat {
  readonly payloadBytes: number;
  readonly #seal: Seal;
  readonly #template: Buffer;
  readonly #expected: Buffer;

  constructor(payloadBytes: number, seal: Seal) {
    const fillerBytes = payloadBytes - payloadBytesMin;
    if (fillerBytes < 0)
      throw new RangeError(`a payload holds at least ${payloadBytesMin} bytes, not ${payloadBytes}`);
    const id = `u${'0'.repeat(clientIdDigits)}`;
    const filler = 'A'.repeat(stampChars + fillerBytes);
    this.payloadBytes = payloadBytes;
    this.#seal = seal;
    this.#template = Buffer.from(`{"clientId":"${id}","Message":"${filler}"}`);
    source ??= newSource();
    this.#expected = Buffer.from(this.#template);
  }

  /** Writes the JSON of one message: `payloadBytes` bytes at `at`. */
  write(target: Buffer, at: number, user: number, stamp: Stamp): void {
    this.#template.copy(target, at);
    writeUser(target, at + clientIdAt + 1, user);
    writeStamp(target, at + stampAt, stamp);
    writeFiller(target, at + stampAt + stampChars, at + this.payloadBytes - 2, stamp, this.#seal);
  }

  /** True if the bytes are exactly the message that this user sends with this stamp. */
  isIntact(bytes: Buffer, start: number, end: number, user: number, stamp: Stamp): boolean {
    if (end - start !== this.payloadBytes) return false;
    this.#expect(user, stamp);
    return this.#expected.compare(bytes, start, end) === 0;
  }

  /** The same check for a server that writes its JSON differently: of the two strings. */
  isSame(clientId: string, message: string, user: number, stamp: Stamp): boolean {
    this.#expect(user, stamp);
    const { clientId: id, Message: text } = JSON.parse(this.#expected.toString('latin1'));
    return clientId === id && message === text;
  }

  #expect(user: number, stamp: Stamp): void {
    this.write(this.#expected, 0, user, stamp);
  }
}

function writeUser(target: Buffer, at: number, user: number): void {
  for (let i = at + clientIdDigits - 1; i >= at; i--) {
    target[i] = 48 + (user % 10);
    user = Math.floor(user / 10);
  }
}

/** Writes the filler from `at` to `end`. Where it is long enough, it ends with the number and the room. */
function writeFiller(target: Buffer, at: number, end: number, stamp: Stamp, seal: Seal): void {
  const { runId, room, number } = stamp;
  // The multiplier of the number is odd: successive numbers take all offsets before one comes again.
  const hash = Math.imul(runId, 0x9e3779b1) ^ Math.imul(room, 0x85ebca6b);
  let from = (Math.imul(number, 0x2c1b3) + (hash ^ (hash >>> 15))) & (sourceBytes - 1);
  const isLong = end - at >= fillerEndChars;
  for (const textEnd = isLong ? end - fillerEndChars : end; at < textEnd; from = 0)
    at += source!.copy(target, at, from, from + textEnd - at);
  if (!isLong) return;
  writeDigits(target, at, 5, number ^ sealed(seal[0], stamp));
  writeDigits(target, at + 5, 3, room ^ sealed(seal[1], stamp));
}

/** A hash of all fields, keyed with one half of the seal. */
function sealed(key: number, { runId, room, number, dueUs, lagUs }: Stamp): number {
  let h = Math.imul(key ^ runId, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15) ^ room, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ number, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16) ^ key ^ Math.floor(dueUs / 2 ** 30), 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 15) ^ (dueUs % 2 ** 30), 0x165667b1);
  h = Math.imul(h ^ (h >>> 13) ^ Math.min(Math.max(lagUs, 0), lagUsMax), 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16) ^ key, 0x85ebca6b);
  return h ^ (h >>> 15);
}

function newSource(): Buffer {
  const random = seededRandom(1);
  return Buffer.from(Array.from({ length: sourceBytes }, () => charOf[Math.floor(random() * 64)]!));
}
