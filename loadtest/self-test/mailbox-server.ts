/**
 * A small server with accounts and mailboxes in memory, on `ws`, as a child process. Its first argument names
 * the one lie that it tells, `none` for an honest server. It counts its lies and reports them when asked.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type WebSocket, WebSocketServer } from 'ws';

/**
 * `lose`: of each hundred messages it loses one that it acknowledged. `forget`: it acknowledges before it
 * stores, and what it has not stored is gone when a connection ends. `store-again`: a message that is sent
 * again under its id is stored again. `hole`: what comes while a page is delivered at a login is lost for
 * that device. `sleep`: a device that is logged in hears of some messages only at its next login.
 */
export type Lie =
  | ('none' | 'lose' | 'forget' | 'double' | 'swap' | 'corrupt' | 'misdeliver')
  | ('receipt-back' | 'store-again' | 'hole' | 'sleep');

export type LieReport = { lies: number; accounts: number; logins: number; stored: number };

/** One in so many is a lie. */
const every = 100;
/** Each thirtieth message is first answered `busy`, although it is stored; each fortieth login is busy. */
const busyMessages = 30;
const busyLogins = 40;
/** Each connection is dropped after so many frames, but for lies that are counted when they are sent. */
const framesMax = 25;
const isDropping = ['none', 'forget', 'store-again'].includes(process.argv[2]!);
const windowMessages = 100;

type Stored = { from: string; id: string; seq: number; Message: string; sentAtMs: number };
type Receipt = { type: string; by: string; upTo: number; version: number };
type Device = { received: number; sent: number; connection: Connection | undefined };
type Account = {
  password: string;
  log: Stored[];
  lastSeq: number;
  seqById: Map<string, number>;
  devices: Map<string, Device>;
  /** Receipts of what this person wrote, the newest for each kind and person. */
  receipts: Map<string, Receipt>;
  version: number;
  reads: Map<string, number>;
};
/** A simulator sends what it means; the server itself is tested elsewhere. */
type Fields = Record<'user' | 'password' | 'device' | 'type' | 'to' | 'id' | 'Message' | 'peer', string> & {
  upTo: number;
  receiptsAfter: number;
};
type Connection = {
  socket: WebSocket;
  user: string;
  account: Account;
  device: Device;
  frames: number;
  held: Stored | undefined;
};

const lie = process.argv[2] as Lie;
const accounts = new Map<string, Account>();
const tokens = new Map<string, { user: string; device: string }>();
const report: LieReport = { lies: 0, accounts: 0, logins: 0, stored: 0 };
let posts = 0;
let messages = 0;
let deliveries = 0;
let receipts = 0;
/** What the `forget` server has acknowledged and not stored. */
const unstored: (() => void)[] = [];

const server = createServer((request, response) => void create(request, response));
const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket, head) => {
  const url = new URL(request.url!, 'http://x');
  const token = url.searchParams.get('login');
  const login = token === null ? undefined : tokens.get(token);
  if (token !== null && login === undefined) {
    socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
    return;
  }
  sockets.handleUpgrade(request, socket, head, (opened) => {
    let connection: Connection | undefined;
    const numberOf = (name: string) => Number(url.searchParams.get(name) ?? 0);
    if (login)
      connection = enter(opened, login.user, login.device, numberOf('upTo'), numberOf('receiptsAfter'));
    opened.on('error', () => {});
    opened.on('message', (data) => {
      const frame = JSON.parse(String(data));
      if (frame.type === 'login') connection = logIn(opened, frame);
      else if (connection !== undefined) take(connection, frame);
    });
    opened.on('close', () => {
      if (connection?.device.connection === connection) connection!.device.connection = undefined;
      if (lie === 'forget') {
        report.lies += unstored.length;
        unstored.length = 0;
      }
    });
  });
});
server.listen(0, '127.0.0.1', () =>
  process.send!({ url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws` }),
);
process.on('message', () => process.send!(report));
process.on('disconnect', () => process.exit(0));

async function create(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST' || request.url !== '/accounts') return void response.writeHead(404).end();
  const { user, password } = JSON.parse(await text(request));
  if (posts++ % 5 === 4) return void response.writeHead(posts % 2 ? 429 : 503, { 'Retry-After': '0' }).end();
  if (accounts.has(user)) return void response.writeHead(409).end();
  accounts.set(user, {
    ...{ password, log: [], lastSeq: 0, seqById: new Map(), devices: new Map(), receipts: new Map() },
    ...{ version: 0, reads: new Map() },
  });
  report.accounts++;
  response.writeHead(201, { 'Content-Type': 'application/json' }).end(JSON.stringify({ user }));
}

function logIn(socket: WebSocket, frame: Record<string, unknown>): Connection | undefined {
  const { user, password, device, upTo = 0, receiptsAfter = 0 } = frame as Fields;
  if (++report.logins % busyLogins === 0) {
    send(socket, { type: 'login_ack', result: 'busy', retryAfterMs: 20 });
    return undefined;
  }
  if (accounts.get(user)?.password !== password) {
    send(socket, { type: 'login_ack', result: 'fail' });
    return undefined;
  }
  const token = randomBytes(32).toString('base64url');
  tokens.set(token, { user, device });
  return enter(socket, user, device, upTo, receiptsAfter, token);
}

function enter(
  socket: WebSocket,
  user: string,
  name: string,
  upTo: number,
  receiptsAfter: number,
  token?: string,
): Connection {
  const account = accounts.get(user)!;
  const device = account.devices.get(name) ?? { received: 0, sent: 0, connection: undefined };
  account.devices.set(name, device);
  device.connection?.socket.close(4013, 'logged in elsewhere');
  const connection = { socket, user, account, device, frames: 0, held: undefined };
  device.connection = connection;
  acknowledge(connection, upTo);
  device.sent = device.received;
  const waiting = account.log.filter(({ seq }) => seq > device.received).length;
  send(socket, { type: 'login_ack', result: 'ok', user, token, waiting });
  for (const receipt of [...account.receipts.values()].sort((a, b) => a.version - b.version))
    if (receipt.version > receiptsAfter) send(socket, receipt);
  deliver(connection);
  if (lie === 'hole' && waiting > 0) {
    // The last message is taken for one that was delivered.
    const next = account.log.at(-1)!.seq + 1;
    report.lies++;
    device.sent = next;
  }
  return connection;
}

function take(connection: Connection, frame: Record<string, unknown>): void {
  const { type, to, id, Message, upTo, peer } = frame as Fields;
  if (++connection.frames > framesMax && isDropping) return connection.socket.terminate();
  if (type === 'message') post(connection, to, id, Message);
  else if (type === 'received') receive(connection, upTo);
  else if (type === 'read') tell('read', connection.user, peer, upTo);
}

function post(connection: Connection, to: string, id: string, Message: string): void {
  const { socket, user } = connection;
  const account = accounts.get(to);
  if (account === undefined) return send(socket, { type: 'server_ack', id, to, result: 'unknown' });
  const key = `${user} ${id}`;
  const known = account.seqById.get(key);
  if (known !== undefined && lie !== 'store-again')
    return send(socket, { type: 'server_ack', id, to, result: 'ok', seq: known });
  messages++;
  const seq = ++account.lastSeq;
  const isLost = lie === 'lose' && messages % every === 0;
  if (isLost) report.lies++;
  if (known !== undefined) report.lies++;
  account.seqById.set(key, seq);
  const store = () => {
    report.stored++;
    const stored = { from: user, id, seq, Message, sentAtMs: Date.now() };
    account.log.push(stored);
    if (lie === 'sleep' && messages % every === 0) {
      report.lies++;
      for (const device of account.devices.values()) device.connection = undefined;
    }
    for (const { connection: reader } of account.devices.values()) if (reader) deliver(reader);
  };
  if (lie === 'forget') {
    unstored.push(store);
    setTimeout(() => unstored.shift()?.(), 20);
  } else if (!isLost) store();
  const isBusy = known === undefined && messages % busyMessages === 0 && !isLost;
  send(socket, { type: 'server_ack', id, to, ...(isBusy ? { result: 'busy' } : { result: 'ok', seq }) });
}

/** A page at most is on its way to a device. */
function deliver(connection: Connection): void {
  const { account, device } = connection;
  if (device.connection !== connection) return;
  for (let at = indexAfter(account.log, device.sent); at < account.log.length; at++) {
    if (account.log[at]!.seq > device.received + windowMessages) return;
    device.sent = account.log[at]!.seq;
    write(connection, account.log[at]!);
  }
}

function write(connection: Connection, message: Stored): void {
  const isLie = ++deliveries % every === 0;
  const { socket } = connection;
  if (lie === 'swap' && (isLie || connection.held !== undefined)) {
    if (connection.held === undefined) {
      connection.held = message;
      return;
    }
    report.lies++;
    push(socket, message);
    push(socket, connection.held);
    connection.held = undefined;
    return;
  }
  if (!isLie) return push(socket, message);
  if (lie === 'double') {
    report.lies++;
    push(socket, message);
    push(socket, message);
  } else if (lie === 'corrupt') {
    report.lies++;
    const at = report.lies % message.Message.length;
    push(socket, { ...message, Message: `${message.Message.slice(0, at)}#${message.Message.slice(at + 1)}` });
  } else if (lie === 'misdeliver') {
    const others = [...accounts.values()].flatMap(({ devices }) => [...devices.values()]);
    const other = others.find(({ connection: one }) => one && one.user !== connection.user)?.connection;
    if (other) report.lies++;
    push((other ?? connection).socket, message);
  } else push(socket, message);
}

function receive(connection: Connection, upTo: number): void {
  acknowledge(connection, upTo);
  deliver(connection);
}

/** The device has everything up to there; the senders are told. */
function acknowledge({ account, device, user }: Connection, upTo: number): void {
  const before = indexAfter(account.log, device.received);
  device.received = Math.max(device.received, upTo);
  const senders = new Map<string, number>();
  for (let at = before; at < account.log.length && account.log[at]!.seq <= upTo; at++)
    senders.set(account.log[at]!.from, account.log[at]!.seq);
  for (const [from, seq] of senders) tell('received', user, from, seq);
}

/** Tells the sender, also later; a receipt that says less than the last one is none. */
function tell(type: 'received' | 'read', by: string, to: string, upTo: number): void {
  const account = accounts.get(to);
  if (account === undefined) return;
  const key = `${type} ${by}`;
  const before = account.receipts.get(key)?.upTo ?? 0;
  if (upTo <= before) return;
  const receipt = { type, by, upTo, version: ++account.version };
  account.receipts.set(key, receipt);
  for (const { connection } of account.devices.values()) {
    if (connection === undefined) continue;
    send(connection.socket, receipt);
    if (lie !== 'receipt-back' || ++receipts % every > 0) continue;
    report.lies++;
    send(connection.socket, { ...receipt, upTo: upTo - 1, version: ++account.version });
  }
}

/** The first entry beyond that number; numbers rise. */
function indexAfter(log: readonly Stored[], seq: number): number {
  let [low, high] = [0, log.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (log[middle]!.seq <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

function push(socket: WebSocket, message: Stored): void {
  send(socket, { type: 'message', ...message });
}

function send(socket: WebSocket, frame: object): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame));
}
