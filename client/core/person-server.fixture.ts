/**
 * Accounts, mailboxes and presence in a small server, for the tests of the client; its faults are on
 * request.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import type { WebSocket } from 'ws';
import { type DirectClientFrame, type DirectMessage, encodeLoginAck, type Menu } from '#protocol';
import { RoomServer } from './room-server.fixture.ts';

type Stored = Omit<DirectMessage, 'type'>;
type Session = { readonly socket: WebSocket; readonly user: string; watched: readonly string[] };
type Receipt = { type: 'received' | 'read'; by: string; upTo: number; version: number };

export class PersonServer {
  readonly room: RoomServer;
  readonly passwords = new Map<string, string>();
  readonly tokens = new Map<string, string>();
  readonly mailboxes = new Map<string, Stored[]>();
  readonly receipts = new Map<string, Receipt[]>();
  /** By user: what their one device has received. */
  readonly cursors = new Map<string, number>();
  readonly sessions = new Set<Session>();
  /** Every typed frame of clients, in order. */
  readonly frames: Record<string, unknown>[] = [];
  /** So many acknowledgements of messages are lost. */
  acksToLose = 0;
  /** So many messages are answered with `busy`. */
  busyAnswers = 0;
  /** Each delivery is sent twice. */
  doubles = false;
  full = new Set<string>();
  /** Set: the answer to the next attempts to log in. */
  loginAnswer: 'fail' | 'busy' | undefined;
  /** Handles typed frames that are not listed above. */
  other = (_session: Session, _frame: Record<string, unknown>): void => {};
  menus: readonly Menu[] = [];
  #versions = 0;

  private constructor(room: RoomServer) {
    this.room = room;
    room.welcome = (socket, path) => this.#welcome(socket, path);
    room.typed = (socket, text) => this.#onFrame(socket, JSON.parse(text) as Record<string, unknown>);
    room.answer = (request, response) => this.#answer(request, response);
  }

  /** Listens on 127.0.0.1, at a free port; these users have accounts, with the password of `passwordOf`. */
  static async start(...users: readonly string[]): Promise<PersonServer> {
    const server = new PersonServer(await RoomServer.start());
    for (const user of users) server.passwords.set(user, passwordOf(user));
    return server;
  }

  get url(): string {
    return this.room.url;
  }

  /** Stores a message from one person to another, as the server would. */
  store(from: string, to: string, text: string, id = `${from}-${Math.random()}`): number {
    const mailbox = this.mailboxes.get(to) ?? [];
    this.mailboxes.set(to, mailbox);
    const known = mailbox.find((message) => message.id === id && message.from === from);
    if (known) return known.seq;
    const seq = (mailbox.at(-1)?.seq ?? 0) + 1;
    const message = { from, id, seq, Message: text, sentAtMs: 1_000 + seq };
    mailbox.push(message);
    this.#deliver(to, [message]);
    return seq;
  }

  /** Says something to the sessions of a user. */
  tell(user: string, frame: unknown): void {
    for (const each of this.sessions)
      if (each.user === user) each.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The frames of that type so far. */
  framesOf(type: string): Record<string, unknown>[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.room[Symbol.asyncDispose]();
  }

  #welcome(socket: WebSocket, path: string): void {
    const query = new URL(path, 'ws://any').searchParams;
    const token = query.get('login');
    if (token === null) return;
    const user = this.tokens.get(token);
    if (user === undefined) return socket.close(1008, 'the login has expired');
    this.#signIn(socket, user, Number(query.get('upTo') ?? 0), Number(query.get('receiptsAfter') ?? 0));
  }

  #signIn(socket: WebSocket, user: string, upTo: number, receiptsAfter: number, token?: string): void {
    const session = { socket, user, watched: [] };
    this.sessions.add(session);
    socket.on('close', () => this.sessions.delete(session));
    this.cursors.set(user, Math.max(this.cursors.get(user) ?? 0, upTo));
    const waiting = this.#waiting(user);
    socket.send(
      encodeLoginAck({ result: 'ok', user, waiting: waiting.length, ...(token !== undefined && { token }) }),
    );
    this.#deliver(user, waiting);
    for (const receipt of this.receipts.get(user) ?? [])
      if (receipt.version > receiptsAfter) socket.send(JSON.stringify(receipt));
  }

  #waiting(user: string): Stored[] {
    const after = this.cursors.get(user) ?? 0;
    return (this.mailboxes.get(user) ?? []).filter(({ seq }) => seq > after);
  }

  #deliver(to: string, messages: readonly Stored[]): void {
    for (const message of messages)
      for (let time = 0; time < (this.doubles ? 2 : 1); time++)
        this.tell(to, { type: 'message', ...message });
  }

  #onFrame(socket: WebSocket, frame: Record<string, unknown>): void {
    this.frames.push(frame);
    if (frame.type === 'login') return this.#login(socket, frame);
    const session = [...this.sessions].find((each) => each.socket === socket);
    if (!session) return socket.close(1008, 'log in first');
    if (frame.type === 'logout') {
      for (const [token, user] of this.tokens) if (user === session.user) this.tokens.delete(token);
      return socket.close(1000, 'logged out');
    }
    this.#onPersonFrame(session, frame);
  }

  #login(socket: WebSocket, frame: Record<string, unknown>): void {
    const { user, password, upTo = 0, receiptsAfter = 0 } = frame as Record<string, string>;
    if (this.loginAnswer === 'busy')
      return socket.send(encodeLoginAck({ result: 'busy', retryAfterMs: 2_000 }));
    if (this.loginAnswer === 'fail' || this.passwords.get(user!) !== password)
      return socket.send(encodeLoginAck({ result: 'fail' }));
    const token = String(this.tokens.size).padStart(43, 'A');
    this.tokens.set(token, user!);
    this.#signIn(socket, user!, Number(upTo), Number(receiptsAfter), token);
  }

  #onPersonFrame(session: Session, given: Record<string, unknown>): void {
    const frame = given as DirectClientFrame;
    if (frame.type === 'message') return this.#onMessage(session, frame.to, frame.id, frame.Message);
    if (frame.type === 'presence')
      return this.tell(frame.to, { type: 'presence', from: session.user, state: 'typing' });
    if (frame.type === 'watch') {
      session.watched = frame.users;
      const users = Object.fromEntries(frame.users.map((user) => [user, this.#isOnline(user)]));
      return this.tell(session.user, { type: 'presence', users });
    }
    if (frame.type !== 'received' && frame.type !== 'read') return this.other(session, given);
    const { user } = session;
    const before = this.cursors.get(user) ?? 0;
    if (frame.type === 'received') this.cursors.set(user, Math.max(before, frame.upTo));
    const senders = new Set((this.mailboxes.get(user) ?? []).map(({ from }) => from));
    for (const sender of frame.type === 'read' ? [frame.peer] : senders)
      this.#receipt(sender, { type: frame.type, by: user, upTo: frame.upTo, version: ++this.#versions });
  }

  #isOnline(user: string): 'online' | 'away' {
    return [...this.sessions].some((each) => each.user === user) ? 'online' : 'away';
  }

  #onMessage({ user, socket }: Session, to: string, id: string, text: string): void {
    const answer = (result: string, seq?: number) =>
      socket.send(JSON.stringify({ type: 'server_ack', id, to, result, seq }));
    if (this.busyAnswers > 0) {
      this.busyAnswers -= 1;
      return answer('busy');
    }
    if (!this.passwords.has(to)) return answer('unknown');
    if (this.full.has(to)) return answer('full');
    const seq = this.store(user, to, text, id);
    if (this.acksToLose > 0) this.acksToLose -= 1;
    else answer('ok', seq);
  }

  #receipt(to: string, receipt: Receipt): void {
    this.receipts.set(to, [...(this.receipts.get(to) ?? []), receipt]);
    this.tell(to, receipt);
  }

  #answer(request: IncomingMessage, response: ServerResponse): boolean {
    const path = request.url ?? '';
    if (path.startsWith('/menus')) {
      const menu = this.menus.find(({ name }) => path === `/menus/${name}`);
      const body = path === '/menus' ? { menus: this.menus } : menu;
      response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      return true;
    }
    if (path !== '/accounts') return false;
    if (request.method !== 'POST') {
      response.writeHead(405).end();
      return true;
    }
    void json(request).then((body) => {
      const { user, password } = body as { user: string; password: string };
      const status = this.passwords.has(user) ? 409 : 201;
      if (status === 201) this.passwords.set(user, password);
      response.writeHead(status).end(status === 201 ? JSON.stringify({ user }) : 'the name is taken');
    });
    return true;
  }
}

/** The password of a user of the fixture. */
export const passwordOf = (user: string): string => `the password of ${user}`;
