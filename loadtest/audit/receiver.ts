/** What a worker does with the bytes that its virtual users receive: follow the room's stream, audit, record. Hot path. */

import { readStampNumber } from '../model/stamp.ts';
import { type Recorder, type StreamTimes, secondSlotOf, type Timeline } from '../record/recorder.ts';
import type { FrameScanner, FrameSink } from '../wire/frame-scanner.ts';
import type { Interleavings } from './interleavings.ts';
import { equalPrefix, isEqual, type Reference } from './reference.ts';
import { arrival, type RoomAudit } from './room-audit.ts';
import type { Verifier } from './verifier.ts';

/** The part of a room that lives in this worker. */
export type LocalRoom = {
  index: number;
  audit: RoomAudit;
  interleavings: Interleavings;
};

/** What the receive path needs of a virtual user. */
export type Listener = {
  readonly room: LocalRoom;
  /** Its row in the room's audit. */
  readonly member: number;
  readonly scanner: FrameScanner;
  /** Of the room's interleavings the one it follows, and where it stands there: `within` bytes into `frame`; −1 where it does not follow. */
  reference: Reference;
  frame: number;
  within: number;
  /** It fell out of its reference too often in the last chunk. */
  isMisfit: boolean;
  /** Whether it has heard a probe. */
  heard: boolean;
  /** The server sent a control frame or broke the protocol. */
  pinged(payload: Buffer): void;
  closed(code: number, reason: string): void;
  failed(detail: string): void;
};

/** Exact counts over everything this worker received; deliveries and losses are the recorder's. */
export type Tally = {
  duplicated: number;
  reordered: number;
  misrouted: number;
  /** Of those misrouted, the ones of another run. */
  foreign: number;
  corrupted: number;
  heard: number;
};

export type ReceiverSettings = {
  runId: number;
  verifier: Verifier;
  timeline: Timeline;
  recorder: Recorder;
};

/**
 * To look at a difference costs about as much as reading so many frames one by one. Each chunk may spend a few
 * differences more than the frames followed have saved; then the rest of it is read frame by frame. Chosen, not measured.
 */
const framesPerDifference = 4;
const framesInAdvance = 16;
/** After a chunk with so many differences another reference may suit better. */
const differencesOfMisfit = 4;
/** Messages of the next chunk that are remembered to find out which. */
const heardMax = 256;

export class Receiver implements FrameSink {
  readonly tally: Tally = { duplicated: 0, reordered: 0, misrouted: 0, foreign: 0, corrupted: 0, heard: 0 };
  /** A stream of one frame, for a message that the reference does not hold. */
  readonly #single: StreamTimes = {
    mask: 0,
    slots: new Int32Array(1),
    dueUs: new Int32Array(1),
    sentUs: new Int32Array(1),
  };
  readonly #settings: ReceiverSettings;
  readonly #recorder: Recorder;
  #listener!: Listener;
  /** Time of the chunk in µs since the schedule began, negative before; all frames of a chunk arrived by then. */
  #nowUs = 0;
  /** Numbers of the messages of the chunk that were read frame by frame, in the order of their arrival. */
  readonly #heard = new Int32Array(heardMax);
  #heardCount = 0;

  constructor(settings: ReceiverSettings) {
    this.#settings = settings;
    this.#recorder = settings.recorder;
  }

  /** Takes `bytes` from `at` to `end`, received by one virtual user, `nowUs` after the schedule began. */
  receive(listener: Listener, bytes: Buffer, at: number, end: number, nowUs: number): void {
    this.#listener = listener;
    this.#nowUs = nowUs;
    let differences = 0;
    let credit = framesInAdvance;
    let isSample = listener.isMisfit;
    if (isSample) this.#beginSample(listener);
    while (at < end) {
      if (listener.frame !== -1 && credit > 0 && listener.scanner.idle && !isSample) {
        const from = at;
        at = this.#follow(listener, bytes, from, end);
        if (at === end) break;
        differences++;
        credit += Math.floor((at - from) / listener.reference.frameBytes) - framesPerDifference;
      }
      if (listener.within > 0) stopFollowing(listener);
      at = listener.scanner.next(bytes, at, end, this);
      if (isSample && (this.#heardCount === heardMax || at === end)) {
        this.#judge(listener);
        isSample = false;
      }
    }
    if (differences >= differencesOfMisfit) listener.isMisfit = true;
  }

  /** What comes next is read frame by frame, to learn the order in which this user hears. */
  #beginSample(listener: Listener): void {
    stopFollowing(listener);
    this.#heardCount = 0;
  }

  #judge(listener: Listener): void {
    listener.isMisfit = false;
    const better = listener.room.interleavings.bestFor(listener.reference, this.#heard, this.#heardCount);
    if (better === listener.reference) return;
    listener.frame = -1;
    listener.reference = better;
  }

  #hear(number: number): void {
    if (this.#heardCount < heardMax) this.#heard[this.#heardCount++] = number;
  }

  /** Goes along the reference as far as the bytes are the same; returns where they are not, or where either ends. */
  #follow(listener: Listener, bytes: Buffer, at: number, end: number): number {
    const { reference } = listener;
    const { audit } = listener.room;
    const { frameBytes, mask } = reference;
    for (;;) {
      const from = (listener.frame & mask) * frameBytes + listener.within;
      const known = (reference.next - listener.frame) * frameBytes - listener.within;
      const size = Math.min(end - at, known, (mask + 1) * frameBytes - from);
      if (size === 0) return at;
      const same = isEqual(bytes, at, reference.bytes, from, size)
        ? size
        : equalPrefix(bytes, at, reference.bytes, from, size);
      const total = listener.within + same;
      const frames = Math.floor(total / frameBytes);
      if (frames > 0) {
        this.#deliverRun(audit, reference, listener.member, listener.frame, listener.frame + frames);
        listener.frame += frames;
      }
      listener.within = total - frames * frameBytes;
      at += same;
      if (same < size || at === end) return at;
    }
  }

  /** The frames [from, to) of the reference have reached a recipient. */
  #deliverRun(audit: RoomAudit, reference: Reference, member: number, from: number, to: number): void {
    const nowUs = this.#nowUs | 0;
    for (let frame = from; frame < to; ) {
      const odd = audit.markRun(member, reference.numbers, reference.mask, frame, to);
      if (odd > frame) this.#recorder.delivered(reference, frame, odd, nowUs);
      if (odd < to) this.#deliver(audit, reference, member, odd, reference.numbers[odd & reference.mask]!);
      frame = odd + 1;
    }
  }

  /** One message has reached a recipient; its times lie at `frame` of the stream. */
  #deliver(audit: RoomAudit, stream: StreamTimes, member: number, frame: number, number: number): void {
    const how = audit.mark(member, number);
    if (how !== arrival.duplicated) this.#recorder.delivered(stream, frame, frame + 1, this.#nowUs | 0);
    if (how !== arrival.inOrder) this.#blame(how, stream.slots[frame & stream.mask]!);
  }

  #blame(how: number, slot: number): void {
    if (slot < this.#recorder.measureSlot) return;
    if (how === arrival.duplicated) this.tally.duplicated++;
    else this.tally.reordered++;
  }

  message(bytes: Buffer, frameAt: number, payloadAt: number, end: number, isText: boolean): void {
    if (!isText) this.#corrupted();
    else if (!this.#takeKnown(bytes, frameAt, end)) this.#takeNew(bytes, frameAt, payloadAt, end);
  }

  ping(bytes: Buffer, start: number, end: number): void {
    this.#listener.pinged(bytes.subarray(start, end));
  }

  close(code: number, reason: string): void {
    this.#listener.closed(code, reason);
  }

  fault(detail: string): void {
    this.#listener.failed(detail);
  }

  /** A frame that the reference already holds, met out of step: comparing it is enough. */
  #takeKnown(bytes: Buffer, frameAt: number, end: number): boolean {
    const listener = this.#listener;
    const { reference } = listener;
    const { audit } = listener.room;
    if (frameAt === -1 || end - frameAt !== reference.frameBytes) return false;
    const number = readStampNumber(bytes, frameAt + reference.stampAt);
    const frame = reference.find(number);
    if (frame === -1) return false;
    const at = (frame & reference.mask) * reference.frameBytes;
    if (!isEqual(bytes, frameAt, reference.bytes, at, reference.frameBytes)) return false;
    this.#hear(number);
    this.#deliverRun(audit, reference, listener.member, frame, frame + 1);
    listener.frame = frame + 1;
    return true;
  }

  #takeNew(bytes: Buffer, frameAt: number, payloadAt: number, end: number): void {
    const { runId, timeline, verifier } = this.#settings;
    const listener = this.#listener;
    const { stamp } = verifier;
    const finding = verifier.verify(bytes, payloadAt, end);
    if (finding === 'ignored') return;
    if (finding === 'corrupted') return this.#corrupted();
    const { reference } = listener;
    const { audit, index } = listener.room;
    if (stamp.runId === runId + 1 && stamp.room === index) return this.#probed();
    const slot = secondSlotOf(timeline, stamp.dueUs);
    if (stamp.runId !== runId || stamp.room !== index) return this.#misrouted(slot);
    this.#hear(stamp.number);
    const single = this.#single;
    single.slots[0] = slot;
    single.dueUs[0] = stamp.dueUs | 0;
    single.sentUs[0] = (stamp.dueUs + stamp.lagUs) | 0;
    this.#deliver(audit, single, listener.member, 0, stamp.number);
    if (frameAt === -1 || reference.find(stamp.number) !== -1) return;
    const offset = verifier.offsetOfStamp(bytes, payloadAt, end);
    if (offset === -1) return;
    if (reference.append(bytes, frameAt, end, offset - frameAt, stamp, slot)) listener.frame = reference.next;
  }

  #probed(): void {
    if (this.#listener.heard) return;
    this.#listener.heard = true;
    this.tally.heard++;
  }

  /** Of another room, or of another run: that one has a schedule of its own, so its messages count by their arrival. */
  #misrouted(slot: number): void {
    const { verifier, runId, timeline } = this.#settings;
    const isForeign = verifier.stamp.runId >> 1 !== runId >> 1;
    if (isForeign && this.#nowUs < 0) return;
    if ((isForeign ? secondSlotOf(timeline, this.#nowUs) : slot) < this.#recorder.measureSlot) return;
    this.tally.misrouted++;
    if (isForeign) this.tally.foreign++;
  }

  /** What cannot be read does not say when it was due: it counts where it came after the warm-up. */
  #corrupted(): void {
    if (this.#nowUs < 0) return;
    const slot = secondSlotOf(this.#settings.timeline, this.#nowUs);
    if (slot >= this.#recorder.measureSlot) this.tally.corrupted++;
  }
}

/** Leaves the reference in the middle of a frame: what was already compared is handed to the scanner. */
export function stopFollowing(listener: Listener): void {
  const { reference } = listener;
  if (listener.within > 0) {
    const at = (listener.frame & reference.mask) * reference.frameBytes;
    listener.scanner.resume(reference.bytes, at, at + listener.within);
  }
  listener.frame = -1;
  listener.within = 0;
}
