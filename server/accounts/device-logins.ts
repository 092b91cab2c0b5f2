/**
 * The sessions of people in this process, by device. A device has one session: the newest login closes the
 * one before (4013). Sessions on other nodes are closed by the mailbox, which leases each device to one.
 */
import { closeCode } from '#protocol';
import type { PersonSession } from './person.ts';

export class DeviceLogins {
  readonly #byDevice = new Map<string, PersonSession>();

  /** Sessions of people. */
  get size(): number {
    return this.#byDevice.size;
  }

  /** The session has a person from now on; an older one of the same device is closed. */
  add(session: PersonSession): void {
    const device = nameOf(session);
    this.#byDevice.get(device)?.close(closeCode.loggedInElsewhere, 'logged in elsewhere');
    this.#byDevice.set(device, session);
  }

  /** The session ended. */
  remove(session: PersonSession): void {
    const device = nameOf(session);
    if (this.#byDevice.get(device) === session) this.#byDevice.delete(device);
  }
}

function nameOf({ person }: PersonSession): string {
  return `${person!.user} ${person!.device}`;
}
