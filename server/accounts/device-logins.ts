/**
 * The sessions of people in this process, by device. A device has one session: the newest login closes the
 * one before (4013), here at once, and on other nodes by way of what they tell each other.
 *
 * All nodes tell of a login to `heard`, the one where it happened too, and all in one order. The last one of
 * that order keeps its session: what a node hears before its own login is older than that.
 */
import { randomUUID } from 'node:crypto';
import { closeCode } from '#protocol';
import type { PersonSession } from './person.ts';

type DeviceLogin = {
  readonly session: PersonSession;
  readonly loginId: string;
  /** Whether the word of this login itself has come back. */
  isHeard: boolean;
};

export class DeviceLogins {
  readonly #byDevice = new Map<string, DeviceLogin>();

  /** Sessions of people. */
  get size(): number {
    return this.#byDevice.size;
  }

  /** The session has a person from now on; an older one of the same device is closed. */
  add(session: PersonSession): void {
    const device = nameOf(session);
    const older = this.#byDevice.get(device);
    if (older) displace(older.session);
    this.#byDevice.set(device, { session, loginId: randomUUID(), isHeard: false });
  }

  /** The session ended. */
  remove(session: PersonSession): void {
    const device = nameOf(session);
    if (this.#byDevice.get(device)?.session === session) this.#byDevice.delete(device);
  }

  /** Names this login for other nodes; undefined where the session has been displaced already. */
  loginIdOf(session: PersonSession): string | undefined {
    const login = this.#byDevice.get(nameOf(session));
    return login?.session === session ? login.loginId : undefined;
  }

  /** A device has logged in on some node, perhaps this one. Closes the session here that is older. */
  heard(user: string, device: string, loginId: string): void {
    const login = this.#byDevice.get(`${user} ${device}`);
    if (!login) return;
    if (login.loginId === loginId) login.isHeard = true;
    else if (login.isHeard) displace(login.session);
  }
}

function displace(session: PersonSession): void {
  session.close(closeCode.loggedInElsewhere, 'logged in elsewhere');
}

function nameOf({ person }: PersonSession): string {
  return `${person!.user} ${person!.device}`;
}
