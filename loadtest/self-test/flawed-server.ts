/**
 * A chat server on `ws` with one known flaw, which its first argument names, as a child process. It counts
 * its faults and reports them when asked. Only messages of the measured run are affected, never probes.
 */
import { WebSocket, WebSocketServer } from 'ws';
import { readStamp, type Stamp, stampAt, writeStamp } from '../model/stamp.ts';

export type Flaw =
  | 'none'
  | 'announce'
  | 'delay'
  | 'forge-due'
  | 'forge-lag'
  | 'behind'
  | 'drop'
  | 'duplicate'
  | 'reorder'
  | 'two-orders'
  | 'misroute'
  | 'corrupt'
  | 'splice'
  | 'rewrite'
  | 'close'
  | 'refuse'
  | 'silent';

/** The counts so far: faults, deliveries not made, deliveries made, and how long messages were held. */
export type FaultReport = { faults: number; withheld: number; delivered: number; heldMs: number[] };

/** One in so many deliveries is faulty. */
const every = 100;
/** The `close` server closes all connections but the first after so many messages. */
const closeAfterMessages = 50;

/** The flaws of single deliveries. */
const flawsOfDelivery: ReadonlySet<Flaw> = new Set(['drop', 'duplicate', 'misroute', 'corrupt', 'splice']);

type Member = { socket: WebSocket; room: string; index: number; held: string | undefined };

const flaw = process.argv[2] as Flaw;
/** The `announce` server has no flaw, and tells its parent when it has received so many messages. */
const announceAfterMessages = 200;
/**
 * The delay of the `delay` and `forge-…` servers; of the `behind` server, the time that it takes for each
 * message.
 */
const delayMs = Number(process.argv[3]);
/** The `forge-due` server knows that the schedule of its run ends after 1.5 s. */
const forgedDueUsMax = 1_499_000;
/** When the `behind` server has worked off its queue. */
let freeAtMs = 0;
const members: Member[] = [];
const report: FaultReport = { faults: 0, withheld: 0, delivered: 0, heldMs: [] };
/** The message before the one that is being delivered. */
let previous = '';
/** The first message of a pair, which the `two-orders` server holds back from half of the audience. */
let pending: { text: string; from: Member } | undefined;
let deliveries = 0;
let messages = 0;
let connections = 0;

const server = new WebSocketServer({
  port: 0,
  host: '127.0.0.1',
  verifyClient: (_info, answer) => answer(flaw !== 'refuse' || connections++ % 2 === 0, 503),
});
server.on('connection', (socket, request) => {
  const member: Member = { socket, room: request.url ?? '', index: members.length, held: undefined };
  members.push(member);
  socket.on('message', (data) => publish(member, String(data)));
});
server.on('listening', () =>
  process.send!({ url: `ws://127.0.0.1:${(server.address() as { port: number }).port}/ws` }),
);
process.on('message', () => process.send!(report));
process.on('disconnect', () => process.exit(0));

function publish(from: Member, text: string): void {
  const audience = members.filter((member) => member.room === from.room);
  if (isProbe(text)) {
    if (flaw === 'silent') audience.length = Math.ceil(audience.length / 2);
    for (const member of audience) member.socket.send(text);
    return;
  }
  messages++;
  if (flaw === 'announce' && messages === announceAfterMessages) process.send!('busy');
  if (flaw === 'two-orders') fanOutInTwoOrders(audience, text, from);
  else if (flaw === 'behind') queue(() => fanOut(audience, text));
  else if (flaw === 'delay') hold(() => fanOut(audience, text));
  else if (flaw === 'forge-due' || flaw === 'forge-lag') hold(() => fanOut(audience, forged(text)));
  else fanOut(audience, text);
  previous = text;
  if (flaw === 'close' && messages === closeAfterMessages)
    for (const member of members.slice(1)) member.socket.close(1013, 'too many');
}

/** Delays a message, and records the real delay: timers of a busy machine are late. */
function hold(deliverLater: () => void): void {
  const sinceMs = performance.now();
  setTimeout(() => {
    report.heldMs.push(performance.now() - sinceMs);
    deliverLater();
  }, delayMs);
}

/** Takes `delayMs` for each message, one after another, as a server does that is too slow. */
const waiting: (() => void)[] = [];
function queue(deliverLater: () => void): void {
  freeAtMs = Math.max(freeAtMs, performance.now()) + delayMs;
  waiting.push(deliverLater);
  // Timers of different lengths may fire in another order.
  setTimeout(() => waiting.shift()!(), freeAtMs - performance.now());
}

function fanOut(audience: readonly Member[], text: string): void {
  for (const member of audience) {
    if (member.socket.readyState !== WebSocket.OPEN) report.withheld++;
    else {
      deliveries++;
      report.delivered++;
      deliver(member, text, deliveries % every === 0);
    }
  }
}

/** Half of the audience receives each pair of messages of two senders the other way round. */
function fanOutInTwoOrders(audience: readonly Member[], text: string, from: Member): void {
  const [some, others] = [
    audience.filter(({ index }) => index % 2 === 0),
    audience.filter(({ index }) => index % 2 === 1),
  ];
  fanOut(some, text);
  if (pending === undefined) pending = { text, from };
  else {
    const pair = pending.from === from ? [pending.text, text] : [text, pending.text];
    for (const one of pair) fanOut(others, one);
    if (pending.from !== from) report.faults += others.length;
    pending = undefined;
  }
}

function deliver(to: Member, text: string, isFaulty: boolean): void {
  if (flaw === 'rewrite') {
    const { clientId, Message } = JSON.parse(text);
    to.socket.send(JSON.stringify({ Message, extra: [1, 2], clientId }, null, 2));
  } else if (flaw === 'reorder') deliverReordered(to, text, isFaulty);
  else if (!isFaulty || !flawsOfDelivery.has(flaw)) to.socket.send(text);
  else deliverFaulty(to, text);
}

function deliverFaulty(to: Member, text: string): void {
  report.faults++;
  if (flaw === 'duplicate') {
    to.socket.send(text);
    to.socket.send(text);
    return;
  }
  report.withheld++;
  report.delivered--;
  if (flaw === 'misroute') members.find((member) => member.room !== to.room)!.socket.send(text);
  // As an aliased buffer in a shared log would do: the first half of one message, the second half of another.
  if (flaw === 'splice') to.socket.send(text.slice(0, text.length / 2) + previous.slice(text.length / 2));
  if (flaw === 'corrupt') to.socket.send(withOneOtherChar(text, report.faults % text.length));
}

/** A message is held until the next one has gone to the same recipient: a single sender is reordered. */
function deliverReordered(to: Member, text: string, isFaulty: boolean): void {
  if (isFaulty && to.held === undefined) {
    to.held = text;
    return;
  }
  to.socket.send(text);
  if (to.held === undefined) return;
  to.socket.send(to.held);
  to.held = undefined;
  report.faults++;
}

function withOneOtherChar(text: string, at: number): string {
  return `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`;
}

/** The message with a stamp that hides the delay, and a checksum that fits. */
function forged(text: string): string {
  const bytes = Buffer.from(text);
  const stamp: Stamp = { runId: 0, room: 0, number: 0, dueUs: 0, lagUs: 0 };
  readStamp(bytes, stampAt, stamp);
  if (flaw === 'forge-due') stamp.dueUs = Math.min(stamp.dueUs + delayMs * 1000, forgedDueUsMax);
  else stamp.lagUs += delayMs * 1000;
  writeStamp(bytes, stampAt, stamp);
  return bytes.toString();
}

function isProbe(text: string): boolean {
  const stamp: Stamp = { runId: 0, room: 0, number: 0, dueUs: 0, lagUs: 0 };
  readStamp(Buffer.from(text), stampAt, stamp);
  return stamp.runId % 2 === 1;
}
