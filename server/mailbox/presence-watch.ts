/**
 * Presence as people watch it. A node asks the store for the leases of everybody who is watched here, at an
 * interval, in batches; a session gets all changes of an interval in one frame. So a node that dies costs
 * each session one frame at the most, and people who come back meanwhile were never away.
 */
import { type PresenceState, parseWatch } from '#protocol';
import type { PersonSession } from '../accounts/person.ts';
import { refuseFault } from './fault.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { MailboxMeter } from './mailbox-meter.ts';
import type { MailboxSettings } from './mailbox-settings.ts';
import type { MailboxStore } from './mailbox-store.ts';

/** People in one question to the store; chosen. */
const usersPerLook = 200;
/** A session of which the kernel has not taken so many bytes gets its changes later. Chosen. */
const bufferedBytesMax = 64 * 1024;

type WatchOptions = {
  readonly store: Pick<MailboxStore, 'online'>;
  readonly settings: Pick<MailboxSettings, 'presenceIntervalMs' | 'presenceWatchedMax'>;
  readonly meter: Pick<MailboxMeter, 'presenceChanges'>;
  readonly writer: FrameWriter;
};

/** Somebody who is watched: undefined until the store was asked. */
type Watched = { watchers: number; state: PresenceState | undefined };

export class PresenceWatch {
  readonly #options: WatchOptions;
  readonly #watched = new Map<string, Watched>();
  /** For each session the people that it watches, with what it was told. */
  readonly #sessions = new Map<PersonSession, Map<string, PresenceState | undefined>>();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isAskedAgain = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(this.#watched.keys()), this.#options.settings.presenceIntervalMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Takes a frame `watch`: its list replaces the one before. */
  take(session: PersonSession, frame: Readonly<Record<string, unknown>>): void {
    const parsed = parseWatch(frame);
    if ('fault' in parsed) return refuseFault(session, parsed);
    const before = this.#sessions.get(session) ?? new Map();
    const told = new Map<string, PresenceState | undefined>();
    const { presenceWatchedMax } = this.#options.settings;
    for (const user of new Set(parsed.users)) {
      let watched = this.#watched.get(user);
      if (!watched && this.#watched.size >= presenceWatchedMax) continue;
      if (!watched) {
        watched = { watchers: 0, state: undefined };
        this.#watched.set(user, watched);
      }
      watched.watchers++;
      told.set(user, before.get(user));
    }
    this.#release(before.keys());
    if (told.size > 0) this.#sessions.set(session, told);
    else this.#sessions.delete(session);
    this.#tell(session, told);
    void this.#lookAtNew();
  }

  /** The session ended. */
  left(session: PersonSession): void {
    this.#release(this.#sessions.get(session)?.keys() ?? []);
    this.#sessions.delete(session);
  }

  #release(users: Iterable<string>): void {
    for (const user of users) {
      const watched = this.#watched.get(user)!;
      if (--watched.watchers === 0) this.#watched.delete(user);
    }
  }

  #lookAtNew(): Promise<void> {
    const isNew = ([, { state }]: [string, Watched]) => state === undefined;
    return this.#look([...this.#watched].filter(isNew).map(([user]) => user));
  }

  /** Asks the store for these people, some at a time, and then tells every session what has changed. */
  async #look(people: Iterable<string>): Promise<void> {
    if (this.#isLooking) {
      this.#isAskedAgain = true;
      return;
    }
    const users = [...people];
    if (users.length === 0) return;
    this.#isLooking = true;
    try {
      for (let start = 0; start < users.length; start += usersPerLook) {
        const some = users.slice(start, start + usersPerLook);
        const online = await this.#options.store.online(some);
        for (const [index, user] of some.entries()) {
          const watched = this.#watched.get(user);
          if (watched) watched.state = online[index] ? 'online' : 'away';
        }
      }
      for (const [session, told] of this.#sessions) this.#tell(session, told);
    } catch {
      // What is known stays until the next look.
    } finally {
      this.#isLooking = false;
    }
    if (!this.#isAskedAgain) return;
    this.#isAskedAgain = false;
    await this.#lookAtNew();
  }

  #tell(session: PersonSession, told: Map<string, PresenceState | undefined>): void {
    if (session.bufferedBytes > bufferedBytesMax) return;
    const changes: [string, PresenceState][] = [];
    for (const [user, before] of told) {
      const state = this.#watched.get(user)?.state;
      if (state !== undefined && state !== before) changes.push([user, state]);
    }
    if (changes.length === 0) return;
    for (const [user, state] of changes) told.set(user, state);
    const { writer, meter } = this.#options;
    writer.send(session, JSON.stringify({ type: 'presence', users: Object.fromEntries(changes) }));
    meter.presenceChanges.inc(changes.length);
  }
}
