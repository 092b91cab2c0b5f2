/** Sends the messages that are due, whether or not the server has answered: the open model. Hot path. */
import type { Cursor } from '../model/schedule.ts';
import type { MessageFormat, Stamp } from '../model/stamp.ts';
import type { Clock } from '../record/clock.ts';
import type { Recorder } from '../record/recorder.ts';
import { clientFrameBytes, clientHeaderBytes, maskText } from '../wire/client-frame.ts';
import type { VirtualUser } from './virtual-user.ts';

export type SenderSettings = {
  runId: number;
  format: MessageFormat;
  schedule: Cursor;
  clock: Clock;
  recorder: Recorder;
  /** Where the measure phase begins, in µs since the schedule began. */
  measureFromUs: number;
  /** The user that sends message `number` of `room`; undefined if it belongs to another worker. */
  userOf(room: number, number: number): VirtualUser | undefined;
  /** A message is not sent: its user has no connection, or the target does not read. */
  unsent?(room: number, number: number): void;
};

/** Messages per turn at most, so that a backlog does not keep the worker from reading. Chosen. */
const messagesPerTurnMax = 256;
/** A user with so many bytes waiting for the kernel's send buffer sends no more. Chosen, not measured. */
const bufferedBytesMax = 1_048_576;

export class Sender {
  /** When the next message of this worker is due, in µs of the common clock; infinite if there is none. */
  nextDueUs = Number.POSITIVE_INFINITY;
  /** Messages of the measure phase that were not sent: the user was closed, or the target did not read. */
  unsentClosed = 0;
  unsentBlocked = 0;
  /** The same for users that had been closed before the step. */
  unsentAbsent = 0;
  readonly #settings: SenderSettings;
  readonly #stamp: Stamp;
  readonly #frameBytes: number;
  #beginUs = 0;
  #slab = Buffer.alloc(0);
  #slabAt = 0;
  /** Frames of `#user` in [#unsentAt, #slabAt) of the slab have not been written to its socket yet. */
  #unsentAt = 0;
  #user: VirtualUser | undefined;

  constructor(settings: SenderSettings) {
    this.#settings = settings;
    this.#stamp = { runId: settings.runId, room: 0, number: 0, dueUs: 0, lagUs: 0 };
    this.#frameBytes = clientFrameBytes(settings.format.payloadBytes);
  }

  /** The schedule begins at `beginUs` of the common clock. */
  start(beginUs: number): void {
    this.#beginUs = beginUs;
    this.#skipToOwn();
  }

  /** Nothing more is sent. What is due and was not sent lowers the achieved rate, and its lag counts. */
  stop(): void {
    const { schedule, clock, recorder } = this.#settings;
    const nowUs = clock.nowUs();
    for (; this.nextDueUs <= nowUs; this.#skipToOwn()) {
      recorder.lagged(schedule.dueUs, Math.floor(nowUs - this.nextDueUs));
      this.#settings.unsent?.(schedule.room, schedule.number);
      schedule.advance();
    }
    this.nextDueUs = Number.POSITIVE_INFINITY;
  }

  /** Sends the messages that are due now, up to a bound. */
  pump(): void {
    const { schedule, clock, recorder, userOf, measureFromUs } = this.#settings;
    for (let i = 0; i < messagesPerTurnMax; i++) {
      const nowUs = clock.nowUs();
      if (nowUs < this.nextDueUs) break;
      const { room, number, dueUs } = schedule;
      const user = userOf(room, number)!;
      const measured = dueUs >= measureFromUs ? 1 : 0;
      const isOpen = user.state === 'open';
      if (!isOpen || user.bufferedBytes > bufferedBytesMax) {
        if (user.isAbsent) this.unsentAbsent += measured;
        else if (isOpen) this.unsentBlocked += measured;
        else this.unsentClosed += measured;
        this.#settings.unsent?.(room, number);
      } else {
        const lagUs = Math.floor(nowUs - this.nextDueUs);
        this.#write(user, room, number, dueUs, lagUs);
        user.sentNumber = number;
        recorder.sent(room, dueUs, lagUs);
      }
      schedule.advance();
      this.#skipToOwn();
    }
    this.#flush();
  }

  /** Sends one message outside the schedule, to find out which users of the room receive. */
  probe(user: VirtualUser, room: number): void {
    this.#write(user, room, 0, 0, 0, this.#settings.runId + 1);
    this.#flush();
  }

  /** Writes a message into the slab. Successive messages of one user leave in one system call. */
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
    if (user !== this.#user || isFull) this.#flush();
    if (isFull) {
      // Never the old slab again: it may still wait for the kernel.
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
    this.#user = user;
  }

  #flush(): void {
    if (this.#unsentAt < this.#slabAt) this.#user!.send(this.#slab.subarray(this.#unsentAt, this.#slabAt));
    this.#unsentAt = this.#slabAt;
  }

  #skipToOwn(): void {
    const { schedule, userOf } = this.#settings;
    while (!schedule.ended && userOf(schedule.room, schedule.number) === undefined) schedule.advance();
    this.nextDueUs = schedule.ended ? Number.POSITIVE_INFINITY : this.#beginUs + schedule.dueUs;
  }
}
