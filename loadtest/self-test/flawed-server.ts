/**
 * A chat server on `ws` with one known flaw, as a child process: it does what it is told by its first argument, counts what
 * it did wrong, and says so when asked. Only messages of the measured run are treated badly, never probes.
 */
import { WebSocket, WebSocketServer } from 'ws';
import { readStamp, type Stamp, stampAt } from '../model/stamp.ts';

export type Flaw =
  | 'none'
  | 'announce'
  | 'delay'
  | 'drop'
  | 'duplicate'
  | 'reorder'
  | 'misroute'
  | 'corrupt'
  | 'rewrite'
  | 'close'
  | 'refuse'
  | 'silent';

/** What went wrong so far: faults committed, deliveries that were withheld, deliveries made, and how long messages were held. */
export type Confession = { faults: number; withheld: number; delivered: number; heldMs: number[] };

/** Every so many deliveries one goes wrong. */
const every = 100;
/** The `close` server throws everybody but the first out after so many messages. */
const closeAfterMessages = 50;

/** The flaws by which single deliveries go wrong. */
const flawsOfDelivery: ReadonlySet<Flaw> = new Set(['drop', 'duplicate', 'misroute', 'corrupt']);

type Member = { socket: WebSocket; room: string; index: number; held: string | undefined };

const flaw = process.argv[2] as Flaw;
/** The `announce` server is flawless, but tells its parent when it has received so many messages. */
const announceAfterMessages = 200;
/** How long the `delay` server waits. */
const delayMs = Number(process.argv[3]);
const members: Member[] = [];
const confession: Confession = { faults: 0, withheld: 0, delivered: 0, heldMs: [] };
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
process.on('message', () => process.send!(confession));
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
  if (flaw === 'delay') hold(() => fanOut(audience, text));
  else fanOut(audience, text);
  if (flaw === 'close' && messages === closeAfterMessages)
    for (const member of members.slice(1)) member.socket.close(1013, 'too many');
}

/** Delays, and notes how long it really was: a timer of a busy machine is late. */
function hold(deliverLater: () => void): void {
  const sinceMs = performance.now();
  setTimeout(() => {
    confession.heldMs.push(performance.now() - sinceMs);
    deliverLater();
  }, delayMs);
}

function fanOut(audience: readonly Member[], text: string): void {
  for (const member of audience) {
    if (member.socket.readyState !== WebSocket.OPEN) confession.withheld++;
    else {
      deliveries++;
      confession.delivered++;
      deliver(member, text, deliveries % every === 0);
    }
  }
}

function deliver(to: Member, text: string, goesWrong: boolean): void {
  if (flaw === 'rewrite') {
    const { clientId, Message } = JSON.parse(text);
    to.socket.send(JSON.stringify({ Message, extra: [1, 2], clientId }, null, 2));
  } else if (flaw === 'reorder') deliverReordered(to, text, goesWrong);
  else if (!goesWrong || !flawsOfDelivery.has(flaw)) to.socket.send(text);
  else deliverWrongly(to, text);
}

function deliverWrongly(to: Member, text: string): void {
  confession.faults++;
  if (flaw === 'duplicate') {
    to.socket.send(text);
    to.socket.send(text);
    return;
  }
  confession.withheld++;
  confession.delivered--;
  if (flaw === 'misroute') members.find((member) => member.room !== to.room)!.socket.send(text);
  if (flaw === 'corrupt') to.socket.send(withOneOtherChar(text, confession.faults % text.length));
}

/** One is held back until the next one has gone to the same recipient; tested with one sender, whose order is broken. */
function deliverReordered(to: Member, text: string, goesWrong: boolean): void {
  if (goesWrong && to.held === undefined) {
    to.held = text;
    return;
  }
  to.socket.send(text);
  if (to.held === undefined) return;
  to.socket.send(to.held);
  to.held = undefined;
  confession.faults++;
}

function withOneOtherChar(text: string, at: number): string {
  return `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`;
}

function isProbe(text: string): boolean {
  const stamp: Stamp = { runId: 0, room: 0, number: 0, dueUs: 0, lagUs: 0 };
  readStamp(Buffer.from(text), stampAt, stamp);
  return stamp.runId % 2 === 1;
}
