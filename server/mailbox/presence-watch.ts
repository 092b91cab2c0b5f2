/**
 * Presence as people watch it. A node asks the store for the leases of everybody who is watched here, at an
 * interval, in batches; a session gets all changes of an interval in one frame. So a node that dies costs
 * each session one frame at the most, and people who come back meanwhile were never away.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { type PresenceState, parseWatch } from '#protocol';
import type { PersonSession } from '../accounts/person.ts';
import { refuseFault } from './fault.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { MailboxMeter } from './mailbox-meter.ts';
import type { MailboxSettings } from './mailbox-settings.ts';
import type { MailboxStore } from './mailbox-store.ts';

/** People in one question to the store; chosen. */
const usersPerLook = 200;
/** A session of which the kernel has not taken so many bytes gets its changes at the next look. Chosen. */
const bufferedBytesMax = 64 * 1024;

type WatchOptions = {
  readonly store: Pick<MailboxStore, 'online'>;
  readonly settings: Pick<MailboxSettings, 'presenceIntervalMs' | 'presenceWatchedMax'>;
  readonly meter: Pick<MailboxMeter, 'presenceChanges'>;
  readonly writer: FrameWriter;
};

/** Sessions that are told between two turns of the event loop; chosen. */
const sessionsPerTurn = 100;

/** Somebody who is watched: undefined until the store was asked. */
type Watched = { readonly watchers: Set<PersonSession>; state: PresenceState | undefined };

export class PresenceWatch {
  readonly #options: WatchOptions;
  readonly #watched = new Map<string, Watched>();
  /** For each session the people that it watches, with what it was told. */
  readonly #sessions = new Map<PersonSession, Map<string, PresenceState | undefined>>();
  /** Those who were too slow to be told. */
  readonly #late = new Set<PersonSession>();
  #timer: NodeJS.Timeout | undefined;
  /** People whose state was never asked for. */
  readonly #unknown: string[] = [];
  #isLooking = false;
  #isAskedAgain = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(
      () => void this.#look(this.#watched.keys()),
      this.#options.settings.presenceIntervalMs,
    );
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
        watched = { watchers: new Set(), state: undefined };
        this.#watched.set(user, watched);
        this.#unknown.push(user);
      }
      watched.watchers.add(session);
      told.set(user, before.get(user));
    }
    this.#release(
      session,
      [...before.keys()].filter((user) => !told.has(user)),
    );
    if (told.size > 0) this.#sessions.set(session, told);
    else this.#sessions.delete(session);
    this.#tell(session);
    void this.#lookAtNew();
  }

  /** The session ended. */
  left(session: PersonSession): void {
    this.#release(session, this.#sessions.get(session)?.keys() ?? []);
    this.#sessions.delete(session);
    this.#late.delete(session);
  }

  #release(session: PersonSession, users: Iterable<string>): void {
    for (const user of users) {
      const { watchers } = this.#watched.get(user)!;
      watchers.delete(session);
      if (watchers.size === 0) this.#watched.delete(user);
    }
  }

  /** Looks at those of whom nobody here has asked before; where that fails, the next look has all. */
  #lookAtNew(): Promise<void> {
    return this.#isLooking ? this.#look([]) : this.#look(this.#unknown.splice(0));
  }

  /** Asks the store for these people, some at a time, and then tells their watchers what has changed. */
  async #look(people: Iterable<string>): Promise<void> {
    if (this.#isLooking) {
      this.#isAskedAgain = true;
      return;
    }
    const users = [...people];
    if (users.length === 0) return;
    this.#isLooking = true;
    const affected = new Set(this.#late);
    try {
      for (let start = 0; start < users.length; start += usersPerLook) {
        const some = users.slice(start, start + usersPerLook);
        const online = await this.#options.store.online(some);
        for (const [index, user] of some.entries()) {
          const watched = this.#watched.get(user);
          const state = online[index] ? 'online' : 'away';
          if (!watched || watched.state === state) continue;
          watched.state = state;
          for (const session of watched.watchers) affected.add(session);
        }
      }
    } catch {
      // What is not known now stays as it was until the next look.
    }
    let told = 0;
    for (const session of affected) {
      this.#tell(session);
      if (++told % sessionsPerTurn === 0) await turn();
    }
    this.#isLooking = false;
    if (!this.#isAskedAgain) return;
    this.#isAskedAgain = false;
    await this.#lookAtNew();
  }

  #tell(session: PersonSession): void {
    const told = this.#sessions.get(session);
    this.#late.delete(session);
    if (!told) return;
    if (session.bufferedBytes > bufferedBytesMax) return void this.#late.add(session);
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
