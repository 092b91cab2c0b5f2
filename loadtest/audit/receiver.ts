/** The receive path of a worker's virtual users: follow the room's stream, audit, record. Hot path. */
import { readStampNumber } from '../model/stamp.ts';
import { type Recorder, type StreamTimes, slotAt, type Timeline } from '../record/recorder.ts';
import type { FrameSink } from '../wire/frame-scanner.ts';
import { type Listener, stopFollowing } from './listener.ts';
import { equalPrefix, isEqual, type Reference } from './reference.ts';
import type { Resumption } from './resumption.ts';
import { arrival, type RoomAudit } from './room-audit.ts';
import { newTally } from './tally.ts';
import type { Verifier } from './verifier.ts';

export type ReceiverSettings = {
  verifier: Verifier;
  timeline: Timeline;
  recorder: Recorder;
  /**
   * The target promises one order for all. Then each room has one reference, in the order of the first
   * recipient, and a delivery that comes after a later frame of it is reordered. Exact where nothing is lost.
   * A frame that its reference cannot hold is judged by sender only.
   */
  isOneOrder: boolean;
  /** The common clock, in µs. */
  clockUs(): number;
};

/**
 * Finding a difference costs about as much as reading so many frames one by one. A chunk may have a few
 * differences more than the followed frames have paid for; then the rest of it is read frame by frame.
 * Chosen, not measured.
 */
const framesPerDifference = 4;
const framesInAdvance = 16;
/** After a chunk with so many differences, another reference may match better. Chosen, not measured. */
const differencesOfMisfit = 4;
/** Messages of the next chunk that are kept to find that reference. */
const sampleMax = 256;

export class Receiver implements FrameSink {
  readonly tally = newTally();
  /** When the last new delivery came, in µs since the schedule began. */
  lastDeliveryUs = 0;
  /** A stream of one frame, for a message that is not in the reference. */
  readonly #single: StreamTimes = {
    mask: 0,
    slots: new Int32Array(1),
    dueUs: new Int32Array(1),
    sentUs: new Int32Array(1),
  };
  readonly #settings: ReceiverSettings;
  readonly #recorder: Recorder;
  readonly #isOneOrder: boolean;
  #listener!: Listener;
  /** When the chunk arrived, in µs since the schedule began; negative before. */
  #nowUs = 0;
  /** Numbers of the messages of the chunk that were read frame by frame, in order of arrival. */
  readonly #sample = new Int32Array(sampleMax);
  #sampleCount = 0;

  constructor(settings: ReceiverSettings) {
    this.#settings = settings;
    this.#recorder = settings.recorder;
    this.#isOneOrder = settings.isOneOrder;
  }

  /** Takes `bytes` from `at` to `end`, which one virtual user received `nowUs` after the schedule began. */
  receive(listener: Listener, bytes: Buffer, at: number, end: number, nowUs: number): void {
    this.#listener = listener;
    this.#nowUs = nowUs;
    // Another histogram for those who never left, see `Recorder`.
    if (listener.resumption !== null) this.#recorder.hasStayed = !listener.resumption.hasLeft;
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
      if (isSample && (this.#sampleCount === sampleMax || at === end)) {
        this.#chooseReference(listener);
        isSample = false;
      }
    }
    if (differences >= differencesOfMisfit) listener.isMisfit = true;
  }

  /** The next frames are read one by one, to learn the order in which this user receives. */
  #beginSample(listener: Listener): void {
    stopFollowing(listener);
    this.#sampleCount = 0;
  }

  #chooseReference(listener: Listener): void {
    listener.isMisfit = false;
    const better = listener.room.interleavings.bestFor(listener.reference, this.#sample, this.#sampleCount);
    if (better === listener.reference) return;
    listener.frame = -1;
    listener.reference = better;
  }

  #addToSample(number: number): void {
    if (this.#sampleCount < sampleMax) this.#sample[this.#sampleCount++] = number;
  }

  /** Compares with the reference. Returns where the bytes differ, or where either of them ends. */
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
        this.#deliverRun(audit, reference, listener, listener.frame, listener.frame + frames);
        listener.frame += frames;
        listener.received += frames;
      }
      listener.within = total - frames * frameBytes;
      at += same;
      if (same < size || at === end) return at;
    }
  }

  /** The frames [from, to) of the reference have reached a recipient. */
  #deliverRun(audit: RoomAudit, reference: Reference, listener: Listener, from: number, to: number): void {
    const { member } = listener;
    const nowUs = this.#nowUs | 0;
    for (let frame = from; frame < to; ) {
      const odd = audit.markRun(member, reference.numbers, reference.mask, frame, to);
      if (odd > frame) {
        this.#recorder.delivered(reference, frame, odd, nowUs);
        this.lastDeliveryUs = this.#nowUs;
        if (this.#isOneOrder) this.#checkOrder(listener, frame, odd);
        if (listener.resumption?.isCatchingUp)
          listener.resumption.catchUp(reference, frame, odd, this.#settings.clockUs());
      }
      if (odd < to) {
        const how = this.#deliver(audit, reference, member, odd, reference.numbers[odd & reference.mask]!);
        if (this.#isOneOrder && how === arrival.inOrder) this.#checkOrder(listener, odd, odd + 1);
      }
      frame = odd + 1;
    }
  }

  /** One message has reached a recipient. Its times are at `frame` of the stream. */
  #deliver(audit: RoomAudit, stream: StreamTimes, member: number, frame: number, number: number): number {
    const how = audit.mark(member, number);
    if (how !== arrival.duplicated) {
      this.#recorder.delivered(stream, frame, frame + 1, this.#nowUs | 0);
      this.lastDeliveryUs = this.#nowUs;
      const { resumption } = this.#listener;
      if (resumption?.isCatchingUp) resumption.catchUp(stream, frame, frame + 1, this.#settings.clockUs());
    }
    if (how !== arrival.inOrder) this.#countFault(how, stream.slots[frame & stream.mask]!);
    return how;
  }

  /** The frames [from, to) of its reference are new to this listener, and in the order of each sender. */
  #checkOrder(listener: Listener, from: number, to: number): void {
    const { slots, mask } = listener.reference;
    for (let frame = from; frame < Math.min(to, listener.heard); frame++)
      this.#countFault(arrival.reordered, slots[frame & mask]!);
    if (to > listener.heard) listener.heard = to;
  }

  #countFault(how: number, slot: number): void {
    if (slot < this.#recorder.measureSlot) return;
    if (how === arrival.duplicated) this.tally.duplicated++;
    else this.tally.reordered++;
  }

  message(bytes: Buffer, frameAt: number, payloadAt: number, end: number, isText: boolean): void {
    const listener = this.#listener;
    if (listener.resumption?.isAwaited && this.#isJoined(listener.resumption, bytes, payloadAt, end, isText))
      return;
    listener.received++;
    if (!isText) this.#corrupted();
    else if (!this.#takeKnown(bytes, frameAt, end)) this.#takeNew(bytes, frameAt, payloadAt, end);
  }

  #isJoined(resumption: Resumption, bytes: Buffer, at: number, end: number, isText: boolean): boolean {
    const text = isText ? bytes.toString('utf8', at, end) : undefined;
    return resumption.first(text, this.#settings.clockUs(), this.#nowUs);
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

  /** A frame that the reference holds at another place than expected: comparing it is enough. */
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
    this.#addToSample(number);
    this.#deliverRun(audit, reference, listener, frame, frame + 1);
    listener.frame = frame + 1;
    return true;
  }

  #takeNew(bytes: Buffer, frameAt: number, payloadAt: number, end: number): void {
    const { timeline, verifier } = this.#settings;
    const listener = this.#listener;
    const { stamp } = verifier;
    const finding = verifier.verify(bytes, payloadAt, end);
    if (finding === 'ignored') {
      this.#listener.received--;
      return;
    }
    if (finding === 'corrupted') return this.#corrupted();
    const { reference } = listener;
    const { audit, index } = listener.room;
    const { stepsAgo } = verifier;
    const isProbe = (stamp.runId & 1) === 1;
    const isHere = stepsAgo >= 0 && stamp.room === index;
    if (isHere && isProbe) return this.#probed();
    const slot = slotAt(timeline, stamp.dueUs);
    if (!isHere || isProbe) return this.#misrouted(stepsAgo, slot);
    if (stepsAgo > 0) {
      this.tally.late++;
      return;
    }
    this.#addToSample(stamp.number);
    const single = this.#single;
    single.slots[0] = slot;
    single.dueUs[0] = stamp.dueUs | 0;
    single.sentUs[0] = (stamp.dueUs + stamp.lagUs) | 0;
    const how = this.#deliver(audit, single, listener.member, 0, stamp.number);
    const known = reference.find(stamp.number);
    if (known === -1) this.#append(bytes, frameAt, payloadAt, end, slot);
    const frame = known === -1 ? reference.find(stamp.number) : known;
    if (this.#isOneOrder && how === arrival.inOrder && frame !== -1)
      this.#checkOrder(listener, frame, frame + 1);
  }

  /** The last intact message becomes the newest frame of the reference, if it can be held there. */
  #append(bytes: Buffer, frameAt: number, payloadAt: number, end: number, slot: number): void {
    const { verifier } = this.#settings;
    const listener = this.#listener;
    const { reference } = listener;
    if (frameAt === -1) return;
    const offset = verifier.offsetOfStamp(bytes, payloadAt, end);
    if (offset === -1) return;
    const isHeld = reference.append(bytes, frameAt, end, offset - frameAt, verifier.stamp, slot);
    if (isHeld) listener.frame = reference.next;
  }

  #probed(): void {
    if (this.#listener.probed) return;
    this.#listener.probed = true;
    this.tally.probed++;
  }

  /** Of another room or another run. One of another schedule counts by its arrival. */
  #misrouted(stepsAgo: number, slot: number): void {
    const isOther = stepsAgo !== 0;
    if (isOther && this.#nowUs < 0) return;
    const at = isOther ? slotAt(this.#settings.timeline, this.#nowUs) : slot;
    if (at < this.#recorder.measureSlot) return;
    this.tally.misrouted++;
    if (stepsAgo < 0) this.tally.foreign++;
  }

  /** A corrupted message does not say when it was due: it counts if it arrived after the warm-up. */
  #corrupted(): void {
    if (this.#nowUs < 0) return;
    const slot = slotAt(this.#settings.timeline, this.#nowUs);
    if (slot >= this.#recorder.measureSlot) this.tally.corrupted++;
  }
}
