/**
 * How the devices of a worker come, come back and leave: handshakes with a bound, logins, refusals and waits,
 * visits. What they hear meanwhile is not its business.
 */
import { exponentialMs, type VisitMeans } from '../model/people.ts';
import { waitAfterClose, waitAfterRefusal } from '../model/return-wait.ts';
import { countUp } from '../record/counts.ts';
import type { DirectCounts } from '../record/direct-counts.ts';
import type { DirectRecorder } from '../record/direct-recorder.ts';
import type { PersonDevice, Purpose, ServerFrame } from './person-device.ts';
import { handshakesMax } from './returns.ts';

export type ComingSettings = {
  clockUs(): number;
  random(): number;
  /** Longest time from a handshake to the answer to the login. */
  timeoutMs: number;
  /** A device logs in again with the token of its last login; else by password. */
  usesTokens: boolean;
  /** Undefined where nobody comes and goes. */
  means: VisitMeans | undefined;
  /** Connects the device; each next attempt elsewhere. */
  connect(device: PersonDevice): void;
  /** The device is logged in; it is about to leave. */
  loggedIn(device: PersonDevice): void;
  leaving(device: PersonDevice): void;
  /** The device was about to leave, perhaps, and does not. */
  staying(device: PersonDevice): void;
};

/** Of one step. */
export type ComingCounts = {
  /** Connections that the server ended, by close code; those whose device does not come back by itself. */
  closes: Record<string, number>;
  closedForGood: Record<string, number>;
  /** Refusals of handshakes, by HTTP status or error code. */
  refused: Record<string, number>;
  /** At the end of the run: times of each device until it was logged in, and had collected what waited. */
  endLoginUs: number[];
  endCaughtUpUs: number[];
};

/** What a step records of comings. */
export type ComingRecords = { counts: DirectCounts; times: DirectRecorder; isMeasuring(): boolean };

/** A visit ends when the server has answered everything, or after so long. Chosen, not measured. */
const lastAnswersMsMax = 2000;
const lastAnswersPollMs = 50;
/** After a login that failed although the password is right. Chosen, not measured. */
const failedLoginMs = 1000;

export class Comings {
  counts = newComingCounts();
  readonly #settings: ComingSettings;
  #records: ComingRecords | undefined;
  readonly #queue: PersonDevice[] = [];
  readonly #connecting = new Set<PersonDevice>();
  /** Everybody comes back and stays: the end of the run. */
  isCollecting = false;
  #isOver = false;

  constructor(settings: ComingSettings) {
    this.#settings = settings;
  }

  /** A step begins; without records, nothing is measured. */
  begin(records: ComingRecords): void {
    this.#records = records;
    this.counts = newComingCounts();
  }

  /** Nobody comes any more. */
  end(): void {
    this.#isOver = true;
    this.#queue.length = 0;
  }

  /** The device wants to come, now. False if it is not away. */
  come(device: PersonDevice, purpose: Purpose): boolean {
    if (this.#isOver || (device.state !== 'away' && device.state !== 'gone')) return false;
    device.stay();
    device.purpose = purpose;
    device.attempts = 0;
    this.#want(device);
    this.#enqueue(device);
    return true;
  }

  /** From now on everybody comes and stays. */
  collect(devices: readonly PersonDevice[]): void {
    this.isCollecting = true;
    for (const device of devices) {
      if (this.come(device, 'end')) continue;
      device.purpose = 'end';
      if (device.state !== 'in') continue;
      device.stay();
      this.#settings.staying(device);
    }
  }

  /** Visits go on after `collect`. */
  resume(): void {
    this.isCollecting = false;
  }

  /** The next visit of a device that is away, after a random time. */
  comeLater(device: PersonDevice): void {
    const { means, random } = this.#settings;
    if (means === undefined || this.isCollecting || this.#isOver) return;
    device.later(exponentialMs(means.awaySeconds, random()), () => {
      if (!this.come(device, 'visit')) this.comeLater(device);
    });
  }

  /** The end of a visit, after a random time. */
  leaveLater(device: PersonDevice): void {
    const { means, random } = this.#settings;
    if (means === undefined || this.isCollecting) return;
    device.later(exponentialMs(means.presentSeconds, random()), () => this.leave(device));
  }

  /** The handshake has succeeded; with a token the login is on its way already. */
  opened(device: PersonDevice): void {
    device.state = 'login';
    this.#release(device);
    if (device.token === '') this.#askByPassword(device);
  }

  /** The handshake has failed. */
  refused(device: PersonDevice, why: string, retryAfterMs?: number): void {
    this.#release(device);
    countUp(this.counts.refused, why);
    // The server does not know the token any more: the password is left.
    const isForgotten = why === '401' && device.token !== '';
    if (isForgotten) device.token = '';
    const attempt = device.attempts++;
    const waitMs = isForgotten ? 0 : waitAfterRefusal(why, retryAfterMs, attempt, this.#settings.random);
    if (waitMs === undefined) device.state = 'gone';
    else this.#again(device, waitMs);
  }

  /** The server has ended the connection. */
  closed(device: PersonDevice, code: number, reason: string): void {
    this.#release(device);
    const waitMs = waitAfterClose(code, reason, this.#settings.random);
    if (waitMs === undefined || this.#isOver) {
      device.state = 'gone';
      countUp(this.counts.closedForGood, String(code));
      return;
    }
    countUp(this.counts.closes, String(code));
    // One that was logged in begins to come back now; one that was about to has wanted to for longer.
    if (device.wantedUs === 0) this.#want(device);
    device.askedUs = 0;
    this.#again(device, waitMs);
  }

  /** The answer to a login. */
  answered(device: PersonDevice, { result, token, waiting, retryAfterMs }: ServerFrame): void {
    if (device.state !== 'login' || this.#records === undefined) return;
    const { counts } = this.#records;
    if (result === 'ok') {
      if (typeof token === 'string' && this.#settings.usesTokens) device.token = token;
      device.waiting = typeof waiting === 'number' ? waiting : 0;
      this.#enter(device);
    } else if (result === 'busy') {
      counts.loginsBusy++;
      if (device.purpose === 'look-in') return this.#depart(device);
      const waitMs = typeof retryAfterMs === 'number' ? retryAfterMs : failedLoginMs;
      device.later(waitMs * (1 + this.#settings.random()), () => this.#askByPassword(device));
    } else {
      counts.loginsFailed++;
      device.token = '';
      device.drop();
      device.attempts++;
      this.#again(device, failedLoginMs);
    }
  }

  /** One message more has come to a device that is logged in. */
  heard(device: PersonDevice): void {
    if (device.waiting > 0 && --device.waiting === 0) this.#caughtUp(device);
  }

  /** Leaves when its last messages are answered; then it comes back at some time, where devices do. */
  leave(device: PersonDevice, waitedMs = 0): void {
    if (device.state !== 'in' || this.isCollecting) return;
    // From now on it sends nothing new.
    this.#settings.leaving(device);
    if (device.unanswered.size === 0 || waitedMs >= lastAnswersMsMax) return this.#depart(device);
    device.later(lastAnswersPollMs, () => this.leave(device, waitedMs + lastAnswersPollMs));
  }

  #depart(device: PersonDevice): void {
    device.tellReceived();
    this.#settings.leaving(device);
    device.close();
    device.state = 'away';
    device.isMeasured = false;
    this.comeLater(device);
  }

  #want(device: PersonDevice): void {
    device.wantedUs = this.#settings.clockUs();
    device.askedUs = 0;
    device.isMeasured = device.purpose !== 'end' && (this.#records?.isMeasuring() ?? false);
  }

  #again(device: PersonDevice, waitMs: number): void {
    device.state = 'queued';
    device.later(waitMs, () => this.#enqueue(device));
  }

  #enqueue(device: PersonDevice): void {
    device.state = 'queued';
    this.#queue.push(device);
    this.#pump();
  }

  #pump(): void {
    while (!this.#isOver && this.#queue.length > 0 && this.#connecting.size < handshakesMax) {
      const device = this.#queue.shift()!;
      if (device.state !== 'queued') continue;
      this.#connecting.add(device);
      if (device.token !== '') this.#asks(device);
      this.#settings.connect(device);
      device.later(this.#settings.timeoutMs, () => this.#timedOut(device));
    }
  }

  #release(device: PersonDevice): void {
    if (this.#connecting.delete(device)) this.#pump();
  }

  #asks(device: PersonDevice): void {
    if (this.#records !== undefined) this.#records.counts.loginsAsked++;
    if (device.askedUs === 0) device.askedUs = this.#settings.clockUs();
  }

  #askByPassword(device: PersonDevice): void {
    this.#asks(device);
    device.login();
    device.later(this.#settings.timeoutMs, () => this.#timedOut(device));
  }

  #timedOut(device: PersonDevice): void {
    device.drop();
    this.refused(device, 'timeout');
  }

  #enter(device: PersonDevice): void {
    const { counts, times } = this.#records!;
    const nowUs = this.#settings.clockUs();
    device.stay();
    device.state = 'in';
    device.attempts = 0;
    device.inUs = nowUs;
    counts.loginsMade++;
    if (device.isMeasured) times.record('login', nowUs - device.askedUs);
    else if (device.purpose === 'end') this.counts.endLoginUs.push(Math.round(nowUs - device.wantedUs));
    this.#settings.loggedIn(device);
    if (device.waiting === 0) this.#caughtUp(device);
  }

  #caughtUp(device: PersonDevice): void {
    const nowUs = this.#settings.clockUs();
    device.caughtUpUs = nowUs;
    if (device.isMeasured) {
      this.#records!.times.record('collected', nowUs - device.askedUs);
      this.#records!.times.record('caughtUp', nowUs - device.wantedUs);
    } else if (device.purpose === 'end') this.counts.endCaughtUpUs.push(Math.round(nowUs - device.wantedUs));
    device.isMeasured = false;
    device.wantedUs = 0;
    if (device.purpose === 'look-in') this.leave(device);
    else if (device.purpose !== 'enroll') this.leaveLater(device);
  }
}

function newComingCounts(): ComingCounts {
  return { closes: {}, closedForGood: {}, refused: {}, endLoginUs: [], endCaughtUpUs: [] };
}
