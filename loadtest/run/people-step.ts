/** One step of the people of one worker: its schedule and its records. */
import type { AckedMessages, Delivery, MailboxAudit } from '../audit/mailbox-audit.ts';
import { scheduleOf } from '../model/schedule.ts';
import { newCursor } from '../model/think-times.ts';
import type { Clock } from '../record/clock.ts';
import type { WorkerSample } from '../record/counts.ts';
import { type DirectCounts, newDirectCounts } from '../record/direct-counts.ts';
import { DirectRecorder } from '../record/direct-recorder.ts';
import { Recorder, type StreamTimes, slotAt, type Timeline, timelineOf } from '../record/recorder.ts';
import type { DirectSender } from '../users/direct-sender.ts';
import type { PeoplePool, PeopleStepEvents } from '../users/people-pool.ts';
import type { PersonDevice } from '../users/person-device.ts';
import type { ResolvedWorkload } from '../workload.ts';
import { StepPace } from './step-pace.ts';
import type { StepReport, WorkerMessage } from './worker-messages.ts';

export type PeopleStepSettings = {
  /** Of this step. */
  workload: ResolvedWorkload;
  /** Counted from 0. */
  step: number;
  people: PeoplePool;
  sender: DirectSender;
  audit: MailboxAudit;
  clock: Clock;
  /** Those of the step before; undefined for the first. */
  countsBefore: DirectCounts | undefined;
  send(message: WorkerMessage): void;
};

export class PeopleStep implements PeopleStepEvents {
  readonly counts: DirectCounts;
  readonly times = new DirectRecorder();
  readonly #settings: PeopleStepSettings;
  readonly #timeline: Timeline;
  readonly #recorder: Recorder;
  readonly #pace: StepPace;
  /** The delivery that is recorded; one object for all. */
  readonly #stream: StreamTimes = {
    ...{ mask: 0, slots: new Int32Array(1), dueUs: new Int32Array(1), sentUs: new Int32Array(1) },
  };
  /** When the read began that goes on. */
  #nowUs = 0;
  #lastDeliveryUs = 0;
  #storm: NodeJS.Timeout | undefined;

  constructor(settings: PeopleStepSettings) {
    const { workload, step, people, sender, audit, clock, countsBefore, send } = settings;
    this.#settings = settings;
    this.counts = newDirectCounts(countsBefore);
    this.#timeline = timelineOf(workload);
    this.#recorder = new Recorder(this.#timeline);
    audit.beginStep(step, workload, this.counts);
    sender.beginStep({
      ...{ step, schedule: newCursor(scheduleOf(workload)), recorder: this.#recorder },
      ...{ times: this.times, counts: this.counts, measureFromUs: this.#timeline.warmUpUs },
    });
    // Windows are reported until the end of the collection too: it is over when nothing is outstanding.
    const drainUs = this.#timeline.drainUs * 2 + workload.collectSeconds * 1e6;
    this.#pace = new StepPace({
      ...{ timeline: { ...this.#timeline, drainUs }, clock, recorder: this.#recorder, sender },
      report: (report) =>
        send({ kind: 'window', report, sample: this.sample(), direct: this.times.take(), orders: [] }),
      measured: () => people.lookIns.end(),
    });
  }

  /** The schedule begins at `beginUs` of the common clock. */
  start(beginUs: number): void {
    const { people, audit, clock, workload } = this.#settings;
    const { stormShare, stormAtSeconds, loginPerSecond, workers } = workload;
    this.#recorder.setRecipients(new Uint32Array(1));
    audit.start(beginUs);
    const measureInMs = (beginUs + this.#timeline.warmUpUs - clock.nowUs()) / 1000;
    people.lookIns.begin(loginPerSecond / workers, measureInMs, this.counts);
    if (stormShare > 0)
      this.#storm = setTimeout(() => people.storm(stormShare), measureInMs + stormAtSeconds * 1000);
    this.#pace.start(beginUs);
  }

  stopSending(): void {
    this.#settings.people.lookIns.end();
    clearTimeout(this.#storm);
    this.#pace.stopSending();
  }

  /** Reports the last window. Nothing more is reported afterwards. */
  end(): StepReport {
    const { people, sender, audit } = this.#settings;
    this.stopSending();
    const usage = this.#pace.end();
    const churn = { asked: 0, opened: 0, refused: {}, connectUs: [], present: 0 };
    return {
      connections: { ...people.connections, connectUs: [] },
      ...{ unsentClosed: sender.unsentClosed, unsentBlocked: sender.unsentBlocked, unsentAbsent: 0 },
      ...{ sentByRoom: this.#recorder.sentByRoom, usage },
      ...{ stalled: { opened: 0, closed: 0, closedAfterMs: [] }, churn },
      direct: {
        comings: people.comings.counts,
        acked: audit.ackedMessages((step) => sender.unanswered(step)),
        outstanding: { ack: sender.unansweredMeasured(), ...people.outstanding() },
        present: people.connections.open,
        caughtUp: people.devices.filter((device) => Number.isFinite(device.caughtUpUs)).length,
      },
    };
  }

  /** What of these messages was lost. At the end of a run that is all that has not come. */
  judge(messages: readonly AckedMessages[], isFinal: boolean) {
    const { people, audit } = this.#settings;
    const { warmUpUs, measureUs } = this.#timeline;
    const { from, to } = people.people;
    const sentUntilUs = Math.min(this.#pace.beginUs + warmUpUs + measureUs, this.#pace.stoppedAtUs);
    return audit.judge(
      messages,
      (person) => person >= from && person < to,
      (person, device) => isFinal || people.hasSince(person, device, sentUntilUs),
    );
  }

  reading(): void {
    this.#nowUs = this.#pace.reading();
  }

  read(): void {
    this.#pace.read(this.#nowUs);
  }

  isMeasuring(): boolean {
    const { clock } = this.#settings;
    return clock.nowUs() >= this.#pace.beginUs + this.#timeline.warmUpUs && !this.#pace.ended;
  }

  delivered(device: PersonDevice, { step, dueUs, lagUs }: Delivery): void {
    if (this.#nowUs >= this.#pace.beginUs + this.#timeline.warmUpUs && !this.#pace.ended)
      this.counts.measured++;
    if (step !== this.#settings.step || device.inUs > dueUs) {
      this.counts.waited++;
      return;
    }
    const stream = this.#stream;
    const dueInStepUs = dueUs - this.#pace.beginUs;
    stream.slots[0] = slotAt(this.#timeline, dueInStepUs);
    stream.dueUs[0] = dueInStepUs;
    stream.sentUs[0] = dueInStepUs + lagUs;
    this.#lastDeliveryUs = this.#nowUs - this.#pace.beginUs;
    this.#recorder.delivered(stream, 0, 1, this.#lastDeliveryUs);
  }

  sample(): WorkerSample {
    const { people, sender } = this.#settings;
    const { duplicated, misordered, misdelivered, corrupted, foreign, late } = this.counts;
    const { user, system } = process.cpuUsage();
    return {
      sessionsOpen: people.connections.open,
      ...{ duplicated, reordered: misordered, misrouted: misdelivered, corrupted, foreign, late },
      ...{ lastDeliveryUs: this.#lastDeliveryUs, cpuUs: user + system },
      direct: { ...this.counts, unanswered: sender.unansweredEver },
    };
  }
}
