/** Who this client is: logs in, stays logged in over reconnects by a token, logs out. */
import {
  type Credentials,
  closeCode,
  type DevicePositions,
  encodeLogin,
  encodeLogout,
  type LoginAck,
  parseLoginAck,
} from '#protocol';
import type { ChatClient } from './chat-client.ts';
import { Emitter } from './emitter.ts';
import type { ConnectionEnd } from './reconnect.ts';
import type { Ticket } from './ticket.ts';

export type AccountEvents = {
  /** Logged in on this connection: once after each connect. `waiting`: messages that wait for this device. */
  signedIn: { readonly user: string; readonly waiting: number; readonly again: boolean };
  /** No login any more: the person left, or the server does not take the token. */
  signedOut: { readonly user: string; readonly why: 'left' | 'expired' };
};

/** The outcome of a login with a password. `lost`: the client ended before an answer. */
export type LoginOutcome = LoginAck | { readonly result: 'lost' | 'already' };

type Attempt = { readonly credentials: Credentials; readonly done: (outcome: LoginOutcome) => void };

/**
 * The password is kept until the server has answered, and the token in memory. While a login is open, no
 * message is sent: the server refuses messages under another name than that of the login.
 */
export class Account implements Ticket {
  readonly events = new Emitter<AccountEvents>();
  readonly device: string;
  readonly #positions: () => DevicePositions;
  #client: ChatClient | undefined;
  #attempt: Attempt | undefined;
  #user: string | undefined;
  #token: string | undefined;
  #isSignedIn = false;
  #isLeaving = false;
  #wasSignedIn = false;
  #nameBefore: string | undefined;
  /**
   * A browser is not told why a connection did not open. To find out, one connection is made without the
   * token (`without`); if it opens, the next one with the token decides (`with`).
   */
  #probe: 'none' | 'without' | 'with' = 'none';

  /** `positions`: what this device has of its mailbox, asked before each connection. */
  constructor(device: string, positions: () => DevicePositions) {
    this.device = device;
    this.#positions = positions;
  }

  /** Begins to act for this client, whose ticket it is. */
  attach(client: ChatClient): void {
    this.#client = client;
    client.events.on('connected', () => this.#onConnected());
    client.events.on('typed', (text) => {
      const ack = parseLoginAck(text);
      if (ack) this.#onAck(ack);
    });
    client.events.on('closed', ({ final }) => {
      if (final) this.#settle({ result: 'lost' });
    });
  }

  /** The user of the login; undefined without one. */
  get user(): string | undefined {
    return this.#user;
  }

  /** Whether this connection is that of a person. */
  get isSignedIn(): boolean {
    return this.#isSignedIn;
  }

  /** The token of the login, for a page that is loaded again. It is a secret. */
  get token(): string | undefined {
    return this.#token;
  }

  /** Goes on with a login of before, from the next connection on. */
  restore(user: string, token: string): void {
    this.#user = user;
    this.#token = token;
    this.#rename(user);
    this.#client?.hold();
  }

  /** Logs in with a password, at once or when connected. */
  login(credentials: Credentials): Promise<LoginOutcome> {
    if (this.#user !== undefined || this.#attempt) return Promise.resolve({ result: 'already' });
    if (this.#client?.ended) return Promise.resolve({ result: 'lost' });
    return new Promise((done) => {
      this.#attempt = { credentials, done };
      this.#client?.hold();
      this.#sendLogin();
    });
  }

  /** Gives the login up; the server is told to forget the token, and the client connects again without it. */
  logout(): void {
    if (this.#user === undefined) return;
    // Until the server closes it, the connection is still that of the person.
    this.#client?.hold();
    this.#isLeaving = this.#client?.sendTyped(encodeLogout()) ?? false;
    this.#forget('left');
  }

  addressOf(url: string): string {
    if (this.#token === undefined || this.#probe === 'without') return url;
    const address = new URL(url);
    address.searchParams.set('login', this.#token);
    for (const [name, value] of Object.entries(this.#positions()))
      if (value !== undefined) address.searchParams.set(name, String(value));
    return address.href;
  }

  ended(end: ConnectionEnd, wasAdmitted: boolean): boolean {
    this.#isSignedIn = false;
    if (this.#isLeaving) {
      this.#isLeaving = false;
      return true;
    }
    if (this.#token === undefined) return false;
    this.#client?.hold();
    if (!wasAdmitted && isRefusal(end)) return this.#expire();
    if (!wasAdmitted && end.kind === 'unreachable' && end.unexplained === true) {
      if (this.#probe === 'with') return this.#expire();
      this.#probe = this.#probe === 'none' ? 'without' : 'none';
      return false;
    }
    return this.#probe === 'with';
  }

  #onConnected(): void {
    if (this.#probe === 'without') {
      this.#probe = 'with';
      return this.#client?.abandon('this connection only showed that the server answers');
    }
    if (this.#attempt) this.#sendLogin();
    else if (this.#token === undefined) this.#client?.release();
  }

  #sendLogin(): void {
    if (!this.#attempt) return;
    const { credentials } = this.#attempt;
    this.#client?.sendTyped(encodeLogin({ ...credentials, device: this.device, ...this.#positions() }));
  }

  #onAck(ack: LoginAck): void {
    if (ack.result !== 'ok') {
      if (this.#token === undefined) this.#client?.release();
      return this.#settle(ack);
    }
    this.#probe = 'none';
    this.#user = ack.user;
    this.#token = ack.token ?? this.#token;
    this.#isSignedIn = true;
    this.#rename(ack.user);
    const again = this.#wasSignedIn;
    this.#wasSignedIn = true;
    this.#settle(ack);
    this.events.emit('signedIn', { user: ack.user, waiting: ack.waiting, again });
    this.#client?.release();
  }

  /** The server writes the sender: under another name, a message would cost the connection. */
  #rename(user: string): void {
    const names = this.#client?.names;
    if (!names || names.now === user) return;
    this.#nameBefore ??= names.now;
    names.add(user);
  }

  #settle(outcome: LoginOutcome): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.done(outcome);
  }

  #expire(): true {
    this.#forget('expired');
    return true;
  }

  #forget(why: 'left' | 'expired'): void {
    const user = this.#user ?? '';
    this.#user = undefined;
    this.#token = undefined;
    this.#isSignedIn = false;
    this.#wasSignedIn = false;
    this.#probe = 'none';
    if (this.#nameBefore !== undefined) this.#client?.names.add(this.#nameBefore);
    this.#nameBefore = undefined;
    this.events.emit('signedOut', { user, why });
    if (!this.#isLeaving) this.#client?.release();
  }
}

/** The server does not take the token of the login. */
function isRefusal(end: ConnectionEnd): boolean {
  if (end.kind === 'refused') return end.status === 401 && end.by !== 'connect';
  return end.kind === 'closed' && end.code === closeCode.policy && /\blog ?in\b/i.test(end.reason);
}
