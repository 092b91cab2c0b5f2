/**
 * Sends the direct messages that are due, whether or not the server has answered (open model), each by a
 * device that is logged in. What was not answered is sent again under the same id: after `busy`, and when the
 * device is back. Hot path.
 */
import type { MailboxAudit } from '../audit/mailbox-audit.ts';
import type { Receipts } from '../audit/receipts.ts';
import type { DirectFormat } from '../model/direct-text.ts';
import { recipientOf } from '../model/people.ts';
import type { Cursor } from '../model/schedule.ts';
import type { Clock } from '../record/clock.ts';
import type { DirectCounts } from '../record/direct-counts.ts';
import type { DirectRecorder } from '../record/direct-recorder.ts';
import type { Recorder } from '../record/recorder.ts';
import type { ResolvedWorkload } from '../workload.ts';
import type { PersonDevice, ServerFrame } from './person-device.ts';

/** A step, as its sender sees it. */
export type SendingStep = {
  step: number;
  schedule: Cursor;
  recorder: Recorder;
  times: DirectRecorder;
  counts: DirectCounts;
  /** Where the measure phase begins, in µs since the schedule began. */
  measureFromUs: number;
};

export type DirectSenderSettings = {
  /** Of the run: steps have schedules of their own, and the same people. */
  workload: ResolvedWorkload;
  worker: number;
  clock: Clock;
  format: DirectFormat;
  audit: MailboxAudit;
  receipts: Receipts;
  /** All devices of a person here. */
  devicesOf(person: number): readonly PersonDevice[];
  /** A device that is logged in and is none of that person; undefined if there is none. */
  sender(except: number): PersonDevice | undefined;
};

/** A message without an answer. `dueUs` is of the common clock; `busy`: how often it was answered so. */
type Open = {
  device: PersonDevice;
  step: number;
  number: number;
  lagUs: number;
  dueUs: number;
  busy: number;
};

/** Messages per turn at most, so that a backlog does not keep the worker from reading. Chosen. */
const messagesPerTurnMax = 256;
/** A device with so many bytes waiting for the kernel's send buffer sends no more. Chosen, not measured. */
const bufferedBytesMax = 1_048_576;
/** The waits after `busy`; the last one for every further answer. Chosen, not measured. */
const busyUs = [500_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000];
/** A key is step × this + number. */
const numbersMax = 2 ** 31;

export class DirectSender {
  /** Messages of the measure phase that were not sent: nobody was logged in, or the target did not read. */
  unsentClosed = 0;
  unsentBlocked = 0;
  readonly #settings: DirectSenderSettings;
  readonly #open = new Map<number, Open>();
  /** Messages that were answered `busy`, and when they are sent again: by their wait, the oldest first. */
  readonly #busy = busyUs.map((): { atUs: number; key: number }[] => []);
  #step: SendingStep | undefined;
  #beginUs = 0;
  /** When the next message of the schedule is due, in µs of the common clock. */
  #dueUs = Number.POSITIVE_INFINITY;

  constructor(settings: DirectSenderSettings) {
    this.#settings = settings;
  }

  /** The next schedule. Messages of earlier steps that are not answered stay open. */
  beginStep(step: SendingStep): void {
    this.#step = step;
    this.#dueUs = Number.POSITIVE_INFINITY;
    this.unsentClosed = 0;
    this.unsentBlocked = 0;
  }

  get nextDueUs(): number {
    return Math.min(this.#dueUs, ...this.#busy.map((queue) => queue[0]?.atUs ?? Number.POSITIVE_INFINITY));
  }

  start(beginUs: number): void {
    this.#beginUs = beginUs;
    this.#skipToOwn();
  }

  /** Nothing new is sent; what was not answered still is. */
  stop(): void {
    const { schedule, recorder } = this.#step!;
    const nowUs = this.#settings.clock.nowUs();
    for (; this.#dueUs <= nowUs; this.#skipToOwn()) {
      recorder.lagged(schedule.dueUs, Math.floor(nowUs - this.#dueUs));
      schedule.advance();
    }
    this.#dueUs = Number.POSITIVE_INFINITY;
  }

  /** Sends the messages that are due now, up to a bound. */
  pump(): void {
    const { clock } = this.#settings;
    for (const queue of this.#busy) this.#pumpBusy(queue, clock.nowUs());
    for (let i = 0; i < messagesPerTurnMax; i++) {
      const nowUs = clock.nowUs();
      if (nowUs < this.#dueUs) return;
      this.#sendNext(nowUs);
    }
  }

  /** The device is back: everything that it has no answer to is sent again. */
  resend(device: PersonDevice): void {
    for (const key of device.unanswered) this.#sendAgain(this.#open.get(key)!);
  }

  /** The server has answered. */
  answered(device: PersonDevice, { id, result, seq }: ServerFrame): void {
    const { workload, format, audit, receipts, clock } = this.#settings;
    const { counts } = this.#step!;
    const key = format.parseId(id);
    const open = key && this.#open.get(keyOf(key.step, key.number));
    if (key === undefined || open === undefined) return; // The second answer to one that was sent twice.
    if (open.device !== device) {
      counts.misdelivered++;
      return;
    }
    if (result === 'busy') {
      counts.busy++;
      const wait = Math.min(open.busy++, busyUs.length - 1);
      this.#busy[wait]!.push({ atUs: clock.nowUs() + busyUs[wait]!, key: keyOf(key.step, key.number) });
      return;
    }
    if (result === 'full') counts.full++;
    else if (result === 'unknown') counts.unknown++;
    else if (result === 'ok' && Number.isSafeInteger(seq)) {
      counts.acked++;
      counts.ackedEver++;
      audit.acked(key.step, key.number);
      const peer = recipientOf(workload, key.step, key.number);
      receipts.acked(device.index, peer, seq as number);
    } else return; // No answer at all.
    if (this.#isMeasured(open)) this.#step!.times.record('ack', clock.nowUs() - open.dueUs);
    device.unanswered.delete(keyOf(key.step, key.number));
    this.#open.delete(keyOf(key.step, key.number));
  }

  /** Messages of that step without an answer. */
  unanswered(step: number): number {
    let count = 0;
    for (const open of this.#open.values()) if (open.step === step) count++;
    return count;
  }

  /** The same of all steps. */
  get unansweredEver(): number {
    return this.#open.size;
  }

  /** Messages of the measure phase of this step without an answer. */
  unansweredMeasured(): number {
    let count = 0;
    for (const open of this.#open.values()) if (this.#isMeasured(open)) count++;
    return count;
  }

  #isMeasured({ step, dueUs }: Open): boolean {
    return step === this.#step!.step && dueUs >= this.#beginUs + this.#step!.measureFromUs;
  }

  #sendNext(nowUs: number): void {
    const { step, schedule, recorder, counts, measureFromUs } = this.#step!;
    const { number, dueUs } = schedule;
    const recipient = recipientOf(this.#settings.workload, step, number);
    const device = this.#settings.sender(recipient);
    const measured = dueUs >= measureFromUs ? 1 : 0;
    if (device === undefined) this.unsentClosed += measured;
    else if (device.bufferedBytes > bufferedBytesMax) this.unsentBlocked += measured;
    else {
      const lagUs = Math.floor(nowUs - this.#dueUs);
      const open = { device, step, number, lagUs, dueUs: this.#dueUs, busy: 0 };
      device.unanswered.add(keyOf(step, number));
      this.#open.set(keyOf(step, number), open);
      for (const { index } of this.#settings.devicesOf(device.person))
        this.#settings.receipts.wrote(index, recipient);
      device.send(this.#settings.format.frame(device.person, recipient, step, number, lagUs));
      recorder.sent(0, dueUs, lagUs);
      counts.sent++;
    }
    schedule.advance();
    this.#skipToOwn();
  }

  #pumpBusy(queue: { atUs: number; key: number }[], nowUs: number): void {
    for (let i = 0; i < messagesPerTurnMax && queue.length > 0 && queue[0]!.atUs <= nowUs; i++) {
      const open = this.#open.get(queue.shift()!.key);
      // One whose device is away is sent when it is back.
      if (open?.device.state === 'in') this.#sendAgain(open);
    }
  }

  #sendAgain({ device, step, number, lagUs }: Open): void {
    const recipient = recipientOf(this.#settings.workload, step, number);
    device.send(this.#settings.format.frame(device.person, recipient, step, number, lagUs));
    this.#step!.counts.resent++;
  }

  #skipToOwn(): void {
    const { schedule } = this.#step!;
    const { workload, worker } = this.#settings;
    while (!schedule.ended && schedule.number % workload.workers !== worker) schedule.advance();
    this.#dueUs = schedule.ended ? Number.POSITIVE_INFINITY : this.#beginUs + schedule.dueUs;
  }
}

function keyOf(step: number, number: number): number {
  return step * numbersMax + number;
}
