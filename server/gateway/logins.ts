/**
 * Logins: brings sessions and people together. It takes the frames `login` and `logout`, and tokens at the
 * upgrade; tells the parts that serve people who came and who left; and knows who must still log in.
 */
import type { IncomingMessage } from 'node:http';
import {
  closeCode,
  type DevicePositions,
  encodeLoginAck,
  isDecodeFault,
  isLoginToken,
  parseLogin,
} from '#protocol';
import type { AccountOptions } from '../accounts/account-settings.ts';
import type { StoredLogin } from '../accounts/account-store.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { clientAddress } from '../accounts/client-address.ts';
import type { DeviceLogins } from '../accounts/device-logins.ts';
import type { PersonPart } from '../accounts/person.ts';
import type { TokenLogin } from './admission.ts';
import type { TypedMessageHandler, TypedMessageHandlers } from './dispatch.ts';
import { Overdue } from './overdue.ts';
import type { Session } from './session.ts';

/** The parts with which a stage serves people. */
export type People = {
  readonly accounts: Accounts;
  readonly devices: DeviceLogins;
  readonly parts: readonly PersonPart[];
  readonly options: Pick<AccountOptions, 'accounts' | 'proxiesTrusted'>;
};

/** A login that was found good. */
export type Identified = {
  readonly login: StoredLogin;
  readonly positions: DevicePositions;
  /** Messages that wait for its device. */
  readonly waiting: number;
  /** Only where it is new to the client. */
  readonly token?: string;
};

/** The wait for which a client is asked where a part does not answer. Chosen, not measured. */
const partRetryMs = 1_000;

/** A session that has joined no room. `join` lets it join, and calls back when it has, or cannot. */
type Waiting = { readonly join: (done: (hasJoined: boolean) => void) => void };

export class Logins {
  /** Whether nobody joins a room before the login. */
  readonly required: boolean;
  /** For the frames of people, by type. */
  readonly handlers: TypedMessageHandlers;
  readonly #people: People;
  readonly #overdue: Overdue<Session>;
  readonly #waiting = new Map<Session, Waiting>();
  /** Sessions whose login is being checked. */
  readonly #checking = new Set<Session>();
  readonly #logins = new WeakMap<Session, StoredLogin>();

  /** `evictLate` is called for a session that does not log in within the time. */
  constructor(people: People, timeoutMs: number, evictLate: (session: Session) => void) {
    this.#people = people;
    this.required = people.options.accounts === 'required';
    this.#overdue = new Overdue(timeoutMs, evictLate);
    const handlers = new Map<string, TypedMessageHandler>([
      ['login', (session, value) => this.#take(session, value)],
      ['logout', ofPeople((session) => void this.#logOut(session))],
    ]);
    for (const part of people.parts)
      for (const [type, handler] of part.handlers) handlers.set(type, ofPeople(handler));
    this.handlers = handlers;
  }

  async start(): Promise<void> {
    await this.#people.accounts.start();
    for (const part of this.#people.parts) await part.start?.();
    this.#overdue.start();
  }

  async close(): Promise<void> {
    this.#overdue.stop();
    await Promise.all(this.#people.parts.map((part) => part.close?.()));
    await this.#people.accounts.store.close();
  }

  addressOf(request: IncomingMessage): string {
    return clientAddress(request, this.#people.options.proxiesTrusted);
  }

  /** Whose token that is; undefined where it is nobody's. Rejects where that cannot be looked up. */
  async identify({ token, positions }: TokenLogin): Promise<Identified | undefined> {
    const login = isLoginToken(token) ? await this.#people.accounts.personOf(token) : undefined;
    return login && { login, positions, waiting: await this.#greet(login, positions) };
  }

  /** The session joins no room before its login, which must come in time. */
  wait(session: Session, join: Waiting['join']): void {
    this.#waiting.set(session, { join });
    this.#overdue.begin(session);
  }

  /** The session has a person from now on: it is told, and so are the parts. */
  enter(session: Session, { login, positions, waiting, token }: Identified): void {
    const { devices, parts } = this.#people;
    session.person = login.person;
    this.#logins.set(session, login);
    devices.add(session);
    const { user } = login.person;
    session.sendText(encodeLoginAck({ result: 'ok', user, ...(token !== undefined && { token }), waiting }));
    for (const part of parts) part.signedIn?.(session, positions);
  }

  /** The session ended. */
  left(session: Session): void {
    this.#waiting.delete(session);
    this.#overdue.end(session);
    if (!session.person) return;
    this.#people.devices.remove(session);
    for (const part of this.#people.parts) part.left?.(session);
  }

  #take(session: Session, value: Readonly<Record<string, unknown>>): void {
    if (session.person || this.#checking.has(session))
      return session.close(closeCode.policy, 'one login for a connection');
    const login = parseLogin(value);
    if (isDecodeFault(login)) return session.close(closeCode.malformed, login.detail);
    this.#checking.add(session);
    const { upTo, receiptsAfter } = login;
    const positions = {
      ...(upTo !== undefined && { upTo }),
      ...(receiptsAfter !== undefined && { receiptsAfter }),
    };
    void this.#people.accounts
      .login(login, session.address, () => session.open)
      .then(async (outcome) => {
        if (outcome.result !== 'ok') return outcome;
        const waiting = await this.#greet(outcome.login, positions).catch(() => undefined);
        if (waiting !== undefined) return { ...outcome, positions, waiting };
        this.#discard(outcome.login);
        return { result: 'busy' as const, retryAfterMs: partRetryMs };
      })
      .then((outcome) => {
        this.#checking.delete(session);
        if (outcome.result === 'ok') this.#admit(session, outcome);
        else if (!session.open) return;
        else if (outcome.result === 'fail') session.sendText(encodeLoginAck({ result: 'fail' }));
        else session.sendText(encodeLoginAck({ result: 'busy', retryAfterMs: outcome.retryAfterMs }));
      });
  }

  /** The login was good: the session joins its room where it has not yet. */
  #admit(session: Session, identified: Identified): void {
    if (!session.open) return this.#discard(identified.login);
    const waiting = this.#waiting.get(session);
    if (!waiting) return this.enter(session, identified);
    this.#waiting.delete(session);
    this.#overdue.end(session);
    waiting.join((hasJoined) => {
      if (hasJoined) this.enter(session, identified);
      else this.#discard(identified.login);
    });
  }

  /** Asks the parts how much waits for a device. */
  async #greet({ person }: StoredLogin, positions: DevicePositions): Promise<number> {
    const counts = this.#people.parts.map((part) => part.signingIn?.(person, positions) ?? 0);
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  /** Nobody was given this token. Where it cannot be revoked it expires unused. */
  #discard(login: StoredLogin): void {
    this.#people.accounts.store.revoke(login).catch(() => {});
  }

  async #logOut(session: Session): Promise<void> {
    try {
      await this.#people.accounts.store.revoke(this.#logins.get(session)!);
      session.close(closeCode.normal, 'logged out');
    } catch {
      session.close(closeCode.overload, 'still logged in: try again later');
    }
  }
}

/** Frames of people cost a session without a person the connection. */
function ofPeople(handler: TypedMessageHandler): TypedMessageHandler {
  return (session, value) => {
    if (session.person) handler(session, value);
    else session.close(closeCode.policy, 'log in first');
  };
}
