/** The people of one worker and their devices: who is present, what they hear, and what is counted of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery, MailboxAudit } from '../audit/mailbox-audit.ts';
import type { Receipts } from '../audit/receipts.ts';
import { type Assignment, endpointOf, type IndexRange } from '../model/assignment.ts';
import { peopleOfWorker, personOfName, visitMeans } from '../model/people.ts';
import { isOfStorm } from '../model/return-wait.ts';
import { seededRandom } from '../model/schedule.ts';
import type { ResolvedWorkload } from '../workload.ts';
import { type ComingRecords, Comings } from './comings.ts';
import { noConnections } from './connection-report.ts';
import type { DirectSender } from './direct-sender.ts';
import { LookIns } from './look-ins.ts';
import { type DeviceEvents, PersonDevice, type ServerFrame } from './person-device.ts';

/** A step, as the people see it. */
export type PeopleStepEvents = ComingRecords & {
  /** Around each read of a socket: what is due is done first. */
  reading(): void;
  read(): void;
  /** A message has come to this device, rightly and for the first time. */
  delivered(device: PersonDevice, delivery: Delivery): void;
};

export type PeopleSettings = {
  assignment: Assignment;
  worker: number;
  clockUs(): number;
  audit: MailboxAudit;
  receipts: Receipts;
  /** People whose account was there before the run: they may hear of what they wrote then. */
  hadAccount: ReadonlySet<number>;
};

/** Enrollments at the same time, of all workers. Chosen: a server that hashes passwords does few at once. */
const enrollmentsMax = 64;
/** Enrollment ends when nobody has been logged in for so many times the connect timeout. Chosen. */
const enrollmentPatience = 3;
const paceIntervalMs = 5;

export class PeoplePool {
  readonly devices: PersonDevice[] = [];
  readonly connections = noConnections();
  readonly comings: Comings;
  readonly lookIns: LookIns;
  readonly people: IndexRange;
  /** Set before anybody comes. */
  sender!: DirectSender;
  readonly #settings: PeopleSettings;
  readonly #workload: ResolvedWorkload;
  readonly #random: () => number;
  /** Devices that are logged in. */
  readonly #in: PersonDevice[] = [];
  #step: PeopleStepEvents | undefined;
  /** Devices that have received something and have not said so. */
  #untold: PersonDevice[] = [];

  constructor(settings: PeopleSettings) {
    const { assignment, worker, clockUs } = settings;
    const { workload } = assignment;
    this.#settings = settings;
    this.#workload = workload;
    this.#random = seededRandom((workload.seed + worker) | 0);
    this.people = peopleOfWorker(workload, worker);
    this.comings = new Comings({
      ...{ clockUs, random: this.#random, means: visitMeans(workload) },
      timeoutMs: workload.connectTimeoutSeconds * 1000,
      usesTokens: workload.loginBy === 'token',
      connect: (device) => {
        const connection = device.person * workload.devices + device.device + device.attempts;
        device.connect(endpointOf(assignment, connection, 0));
      },
      loggedIn: (device) => this.#enter(device),
      leaving: (device) => this.#exit(device),
      staying: (device) => this.#admit(device),
    });
    this.lookIns = new LookIns(this.devices, this.comings, this.#random);
    const events = this.#newEvents();
    for (let person = this.people.from; person < this.people.to; person++)
      for (let device = 0; device < workload.devices; device++)
        this.devices.push(
          new PersonDevice(workload.peoplePrefix, person, device, this.devices.length, events),
        );
  }

  /** The devices of a person; empty if another worker plays them. */
  devicesOf(person: number): readonly PersonDevice[] {
    const { devices } = this.#workload;
    const first = (person - this.people.from) * devices;
    return first < 0 ? [] : this.devices.slice(first, first + devices);
  }

  /** A device that is logged in, at random, and is none of that person; undefined if there is none. */
  randomSender(except: number): PersonDevice | undefined {
    const { length } = this.#in;
    const at = Math.floor(this.#random() * length);
    for (let i = 0; i < length; i++) {
      const device = this.#in[(at + i) % length]!;
      if (device.person !== except) return device;
    }
    return undefined;
  }

  /**
   * Logs every device in once: from then on the server knows it, and keeps its messages. Those that are away
   * when the run begins leave again. Resolves when all have been there, or nobody gets in any more.
   */
  async enroll(): Promise<void> {
    const { comings, connections } = this;
    const patienceMs = this.#workload.connectTimeoutSeconds * 1000 * enrollmentPatience;
    const comingMax = Math.ceil(enrollmentsMax / this.#workload.workers);
    const coming = new Set<PersonDevice>();
    let sinceMs = performance.now();
    for (let next = 0; next < this.devices.length || coming.size > 0; ) {
      while (next < this.devices.length && coming.size < comingMax) {
        const device = this.devices[next++]!;
        coming.add(device);
        comings.come(device, 'enroll');
      }
      for (const device of coming) {
        const isIn = device.caughtUpUs !== Number.POSITIVE_INFINITY;
        if (!isIn && device.state !== 'gone') continue;
        coming.delete(device);
        if (isIn) connections.opened++;
        if (!this.#isPresentAtFirst(device)) comings.leave(device);
        sinceMs = performance.now();
      }
      if (performance.now() - sinceMs > patienceMs) break;
      await sleep(paceIntervalMs);
    }
    connections.refused = { ...comings.counts.refused };
    this.#beginVisits();
  }

  /** A step begins: what happens from now on is counted there. Who is closed for good tries again. */
  beginStep(step: PeopleStepEvents): void {
    this.#step = step;
    this.comings.begin(step);
    this.connections.closedEarly = this.comings.counts.closedForGood;
    for (const device of this.devices) {
      device.isMeasured = false;
      if (device.state === 'gone') this.comings.come(device, 'visit');
    }
    if (!this.comings.isCollecting) return;
    this.comings.resume();
    for (const device of this.devices) if (!this.#isPresentAtFirst(device)) this.comings.leave(device);
    this.#beginVisits();
  }

  /** That share of all devices, present or not, come at once; those that are present drop what they have. */
  storm(share: number): void {
    for (const device of this.devices) {
      if (this.#random() >= share) continue;
      if (device.state === 'in') {
        this.#exit(device);
        device.drop();
        device.state = 'away';
      }
      this.comings.come(device, 'storm');
    }
  }

  /** Devices that are coming and whose times belong to the measure phase: by what they still wait for. */
  outstanding(): Record<'login' | 'collected' | 'caughtUp', number> {
    const coming = this.devices.filter(({ isMeasured }) => isMeasured);
    const asked = coming.filter(({ askedUs }) => askedUs > 0);
    const login = asked.filter(({ state }) => state !== 'in').length;
    return { login, collected: asked.length, caughtUp: coming.length };
  }

  /**
   * Whether the device of a person here has had everything since that time, in µs of the common clock: then
   * what is stored later comes at once.
   */
  hasSince(person: number, device: number, us: number): boolean {
    const index = (person - this.people.from) * this.#workload.devices + device;
    return this.devices[index]!.caughtUpUs <= us;
  }

  /** Closes all connections. Resolves when all have ended, or were dropped after `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    this.comings.end();
    for (const device of this.devices) {
      device.tellReceived();
      device.close();
    }
    const endMs = performance.now() + deadlineMs;
    while (this.devices.some(({ connected }) => connected) && performance.now() < endMs) await sleep(20);
    for (const device of this.devices) device.drop();
  }

  #isPresentAtFirst({ person, device }: PersonDevice): boolean {
    const { devices, presentShare } = this.#workload;
    return isOfStorm(person * devices + device, presentShare);
  }

  #beginVisits(): void {
    for (const device of this.devices) if (device.state === 'in') this.comings.leaveLater(device);
  }

  #newEvents(): DeviceEvents {
    return {
      opened: (device) => this.comings.opened(device),
      refused: (device, why, retryAfterMs) => this.comings.refused(device, why, retryAfterMs),
      closed: (device, code, reason) => {
        this.#exit(device);
        this.comings.closed(device, code, reason);
      },
      frame: (device, frame) => this.#hear(device, frame),
      reading: () => this.#step?.reading(),
      read: () => this.#step?.read(),
    };
  }

  #hear(device: PersonDevice, frame: ServerFrame): void {
    switch (frame.type) {
      case 'message':
        this.#receive(device, frame);
        break;
      case 'server_ack':
        this.sender.answered(device, frame);
        break;
      case 'received':
      case 'read':
        this.#takeReceipt(device, frame.type, frame);
        break;
      case 'login_ack':
        this.comings.answered(device, frame);
        break;
      case 'gap':
        this.#step!.counts.gaps++;
    }
  }

  #receive(device: PersonDevice, frame: ServerFrame): void {
    const delivery = this.#settings.audit.receive(device, frame);
    this.comings.heard(device);
    if (delivery === undefined) return;
    this.#step!.delivered(device, delivery);
    if (this.#random() < this.#workload.readShare)
      device.reads.push(JSON.stringify({ type: 'read', peer: frame.from, upTo: frame.seq }));
    if (device.isUntold) return;
    device.isUntold = true;
    // Once for all that one turn of the event loop has read.
    if (this.#untold.push(device) === 1) setImmediate(this.#tellReceived);
  }

  readonly #tellReceived = () => {
    for (const device of this.#untold) device.tellReceived();
    this.#untold = [];
  };

  #takeReceipt(device: PersonDevice, kind: 'received' | 'read', { by, upTo, version }: ServerFrame): void {
    const { counts } = this.#step!;
    const peer = personOfName(this.#workload, by);
    counts.receipts++;
    if (!Number.isSafeInteger(upTo) || !Number.isSafeInteger(version)) counts.corrupted++;
    else {
      const verdict =
        peer === -1 ? 'stranger' : this.#settings.receipts.receipt(device.index, peer, kind, upTo as number);
      const isBack = verdict === 'back' || (version as number) <= device.version;
      if (verdict === 'stranger' && !this.#settings.hadAccount.has(device.person)) counts.misdelivered++;
      else if (isBack) counts.wentBack++;
      device.version = Math.max(device.version, version as number);
    }
  }

  #enter(device: PersonDevice): void {
    this.#admit(device);
    this.sender.resend(device);
  }

  /** The device may send. */
  #admit(device: PersonDevice): void {
    if (device.inIndex !== -1) return;
    device.inIndex = this.#in.push(device) - 1;
    this.connections.open++;
  }

  /** The device sends no more. */
  #exit(device: PersonDevice): void {
    if (device.inIndex === -1) return;
    const last = this.#in.pop()!;
    if (last !== device) {
      this.#in[device.inIndex] = last;
      last.inIndex = device.inIndex;
    }
    device.inIndex = -1;
    this.connections.open--;
  }
}
