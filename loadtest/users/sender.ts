/** Sends what is due, as the schedule says and not as the answers come: the open model. */

import type { Schedule } from '../model/schedule.ts';
import type { MessageFormat, Stamp } from '../model/stamp.ts';
import type { Clock } from '../record/clock.ts';
import type { Recorder } from '../record/recorder.ts';
import { clientFrameBytes, clientHeaderBytes, maskText } from '../wire/client-frame.ts';
import type { VirtualUser } from './virtual-user.ts';

export type SenderSettings = {
  runId: number;
  format: MessageFormat;
  schedule: Schedule;
  clock: Clock;
  recorder: Recorder;
  /** Where the measure phase begins, in µs since the schedule began. */
  measureFromUs: number;
  /** The user who says message `number` of `room`, or undefined where another worker plays it. */
  speaker(room: number, number: number): VirtualUser | undefined;
};

/** Messages in one go, so that a backlog does not keep the worker from reading; chosen, not measured. */
const messagesPerTurnMax = 256;
/** A sender whose kernel buffer is full may hold so much more in this process before its messages are given up. */
const bufferedBytesMax = 1_048_576;

export class Sender {
  /** When the next message of this worker is due, in µs of the common clock; infinite before the start and after the end. */
  nextDueUs = Number.POSITIVE_INFINITY;
  /** Messages of the measure phase that did not leave because the target had closed the sender, or did not read it. */
  unsentClosed = 0;
  unsentBlocked = 0;
  readonly #settings: SenderSettings;
  readonly #stamp: Stamp;
  readonly #frameBytes: number;
  #beginUs = 0;
  #slab = Buffer.alloc(0);
  #slabAt = 0;
  /** Frames of `#speaker` in [#unsentAt, #slabAt) of the slab have not been handed to its socket yet. */
  #unsentAt = 0;
  #speaker: VirtualUser | undefined;

  constructor(settings: SenderSettings) {
    this.#settings = settings;
    this.#stamp = { runId: settings.runId, room: 0, number: 0, dueUs: 0, lagUs: 0 };
    this.#frameBytes = clientFrameBytes(settings.format.payloadBytes);
  }

  /** The schedule begins at `beginUs` of the common clock. */
  start(beginUs: number): void {
    this.#beginUs = beginUs;
    this.#settleOnOwn();
  }

  /** Nothing more is sent. What was due by now and has not left stays unsent: the achieved rate shows it. */
  stop(): void {
    this.nextDueUs = Number.POSITIVE_INFINITY;
  }

  /** Sends what is due by now, up to a bound. */
  pump(): void {
    const { schedule, clock, recorder, speaker, measureFromUs } = this.#settings;
    for (let i = 0; i < messagesPerTurnMax; i++) {
      const nowUs = clock.nowUs();
      if (nowUs < this.nextDueUs) break;
      const { room, number, dueUs } = schedule;
      const user = speaker(room, number)!;
      const measured = dueUs >= measureFromUs ? 1 : 0;
      if (user.state !== 'open') this.unsentClosed += measured;
      else if (user.bufferedBytes > bufferedBytesMax) this.unsentBlocked += measured;
      else {
        const lagUs = Math.floor(nowUs - this.nextDueUs);
        this.#write(user, room, number, dueUs, lagUs);
        recorder.sent(room, dueUs, lagUs);
      }
      schedule.advance();
      this.#settleOnOwn();
    }
    this.#flush();
  }

  /** One message outside the schedule, by which a room shows that it is alive. */
  probe(user: VirtualUser, room: number): void {
    this.#write(user, room, 0, 0, 0, this.#settings.runId + 1);
    this.#flush();
  }

  /** Writes a message into the slab; what one sender says without another between leaves in one system call. */
  #write(
    user: VirtualUser,
    room: number,
    number: number,
    dueUs: number,
    lagUs: number,
    runId?: number,
  ): void {
    const { format } = this.#settings;
    const isFull = this.#slabAt + this.#frameBytes > this.#slab.length;
    if (user !== this.#speaker || isFull) this.#flush();
    if (isFull) {
      // A new one, never the old one again: the kernel may still be reading it.
      this.#slab = Buffer.allocUnsafeSlow(Math.max(this.#frameBytes, 64 * 1024));
      this.#slabAt = 0;
      this.#unsentAt = 0;
    }
    const stamp = this.#stamp;
    stamp.runId = runId ?? this.#settings.runId;
    stamp.room = room;
    stamp.number = number;
    stamp.dueUs = dueUs;
    stamp.lagUs = lagUs;
    format.write(this.#slab, this.#slabAt + clientHeaderBytes(format.payloadBytes), user.index, stamp);
    maskText(this.#slab, this.#slabAt, format.payloadBytes);
    this.#slabAt += this.#frameBytes;
    this.#speaker = user;
  }

  #flush(): void {
    if (this.#unsentAt < this.#slabAt) this.#speaker!.send(this.#slab.subarray(this.#unsentAt, this.#slabAt));
    this.#unsentAt = this.#slabAt;
  }

  #settleOnOwn(): void {
    const { schedule, speaker } = this.#settings;
    while (!schedule.ended && speaker(schedule.room, schedule.number) === undefined) schedule.advance();
    this.nextDueUs = schedule.ended ? Number.POSITIVE_INFINITY : this.#beginUs + schedule.dueUs;
  }
}
