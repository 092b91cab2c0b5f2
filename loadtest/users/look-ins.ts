/**
 * Logins as a load of their own (`--login-rate`): devices that are away look in, collect what waits, and
 * leave.
 */
import type { DirectCounts } from '../record/direct-counts.ts';
import type { Comings } from './comings.ts';
import type { PersonDevice } from './person-device.ts';

const paceIntervalMs = 5;
/** Random tries to find a device that is away. With one in eight away, all fail once in ten cases. Chosen. */
const triesMax = 16;

export class LookIns {
  readonly #devices: readonly PersonDevice[];
  readonly #comings: Comings;
  readonly #random: () => number;
  #timer: NodeJS.Timeout | undefined;

  constructor(devices: readonly PersonDevice[], comings: Comings, random: () => number) {
    this.#devices = devices;
    this.#comings = comings;
    this.#random = random;
  }

  /** So many per second, from `delayMs` on until `end`. */
  begin(perSecond: number, delayMs: number, counts: DirectCounts): void {
    if (perSecond === 0) return;
    const beganMs = performance.now() + delayMs;
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - beganMs) / 1000) * perSecond);
      for (; counts.lookInsDue < due; counts.lookInsDue++) if (this.#lookIn()) counts.lookInsMade++;
    }, paceIntervalMs);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #lookIn(): boolean {
    for (let tries = 0; tries < triesMax; tries++) {
      const device = this.#devices[Math.floor(this.#random() * this.#devices.length)]!;
      if (this.#comings.come(device, 'look-in')) return true;
    }
    return false;
  }
}
