/**
 * A chat server on `ws` that keeps the log of each room and resumes, with one known flaw, as a child process.
 * It closes each connection after a while, so that users come back. Every fault of measured messages is
 * counted. With most flaws each user comes back once only: its position is wrong afterwards, and further
 * faults follow.
 */
import http from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import { encodeJoined, parsePosition, roomOfPath } from '#protocol';
import { readStamp, type Stamp, stampAt } from '../model/stamp.ts';

export type ResumeFlaw =
  /** None; with 503 first, and answers of /connect. */
  | 'none'
  /**
   * It says that nothing was missed, and leaves out, repeats, or swaps with the next one, one late message.
   */
  | 'drop'
  | 'repeat'
  | 'swap'
  /** It sends what was said in the other room. */
  | 'other-room'
  /** It sends the right messages and names an offset that is one too high. */
  | 'announce-offset'
  /** It takes the client's position for one less, or one more. */
  | 'one-less'
  | 'one-more'
  /** It names another room. */
  | 'name'
  /** It says honestly that messages are missing; and leaves out one more, after that. */
  | 'forget'
  | 'forget-and-drop'
  /** It knows nothing of resuming. */
  | 'unable'
  /** It throws away what comes in the moment before it closes a connection. */
  | 'swallow';

export type ResumeReport = { faults: number; withheld: number; returns: number; swallowed: number };

type Room = { log: string[]; members: Set<WebSocket> };

const flaw = process.argv[2] as ResumeFlaw;
const closeAfterMs = Number(process.argv[3]);
const epoch = 'e1';
const rooms = new Map<string, Room>();
const report: ResumeReport = { faults: 0, withheld: 0, returns: 0, swallowed: 0 };
let connects = 0;
/** The flaws after which a position is still right. */
const lastingFlaws: readonly ResumeFlaw[] = ['none', 'forget', 'forget-and-drop', 'unable', 'swallow'];
/** Connections are closed only for so long after the first measured message: everybody is back at the end. */
const closingMs = 1900;
let closingEndsAtMs = Number.POSITIVE_INFINITY;
/** Connections of the time before, which wait for it. */
let waiting: (() => void)[] = [];

const server = http.createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? '', 'http://any');
  if (connects++ % 10 === 9) response.writeHead(503, { 'retry-after': '0' }).end();
  else response.end(JSON.stringify({ url: `${origin()}/ws/${searchParams.get('room') ?? ''}` }));
});
const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket, head) =>
  sockets.handleUpgrade(request, socket, head, (websocket) => join(websocket, request.url ?? '')),
);
server.listen(0, '127.0.0.1', () => process.send!({ url: `${origin()}/ws` }));
process.on('message', () => process.send!(report));
process.on('disconnect', () => process.exit(0));

function origin(): string {
  return `ws://127.0.0.1:${(server.address() as { port: number }).port}`;
}

function join(socket: WebSocket, path: string): void {
  const name = roomOfPath(path)!;
  const room = roomOf(name);
  let isSwallowing = false;
  socket.on('message', (data) => {
    if (!isSwallowing) say(room, String(data));
    else if (isMeasured(String(data))) report.swallowed++;
  });
  const after = new URL(path, 'ws://any').searchParams.get('after') ?? '';
  if (flaw !== 'unable') resume(socket, name, room, after);
  room.members.add(socket);
  socket.on('close', () => room.members.delete(socket));
  if (after !== '' && !lastingFlaws.includes(flaw)) return;
  const closeLater = () => {
    const waitMs = closeAfterMs * (0.5 + Math.random());
    if (performance.now() + waitMs > closingEndsAtMs) return;
    const swallow = () => {
      isSwallowing = true;
    };
    if (flaw === 'swallow') setTimeout(swallow, waitMs - 30);
    setTimeout(() => socket.close(4012, 'reconnect after 20 ms'), waitMs);
  };
  if (closingEndsAtMs === Number.POSITIVE_INFINITY) waiting.push(closeLater);
  else closeLater();
}

function resume(socket: WebSocket, name: string, room: Room, after: string): void {
  const asked = parsePosition(after);
  const recovered = asked !== undefined && !flaw.startsWith('forget');
  if (asked !== undefined) report.returns++;
  const offset = recovered ? asked.offset : room.log.length;
  const isWrong = recovered && flaw === 'announce-offset';
  if (isWrong || (asked && flaw === 'name')) report.faults++;
  const told = { room: flaw === 'name' && asked ? 'elsewhere' : name, epoch, recovered };
  socket.send(encodeJoined({ ...told, offset: offset + (isWrong ? 1 : 0) }));
  if (!recovered) {
    const missed = room.log.slice(asked?.offset ?? room.log.length).filter(isMeasured).length;
    report.withheld += asked === undefined ? 0 : missed;
    return;
  }
  const from = flaw === 'one-less' ? offset - 1 : flaw === 'one-more' ? offset + 1 : offset;
  const late = room.log.slice(Math.max(0, from));
  if (flaw === 'one-less' && from >= 0 && isMeasured(room.log[from]!)) report.faults++;
  if (flaw === 'one-more' && offset < room.log.length && isMeasured(room.log[offset]!)) report.faults++;
  const at = late.findIndex((text, i) => isMeasured(text) && isMeasured(late[i + 1] ?? ''));
  if (at !== -1 && ['drop', 'repeat', 'swap', 'other-room'].includes(flaw)) {
    report.faults++;
    if (flaw === 'drop') late.splice(at, 1);
    else if (flaw === 'repeat') late.splice(at, 0, late[at]!);
    else if (flaw === 'swap') late.splice(at, 2, late[at + 1]!, late[at]!);
    else late.splice(at, 1, otherThan(room).log.findLast(isMeasured)!);
  }
  for (const text of late) socket.send(text);
}

function say(room: Room, text: string): void {
  if (waiting.length > 0 && isMeasured(text)) {
    closingEndsAtMs = performance.now() + closingMs;
    for (const closeLater of waiting) closeLater();
    waiting = [];
  }
  room.log.push(text);
  const drops = flaw === 'forget-and-drop' && room.log.length % 50 === 0 && isMeasured(text);
  for (const [index, member] of [...room.members].entries())
    if (drops && index === 0 && member.readyState === WebSocket.OPEN) report.faults++;
    else member.send(text);
}

function roomOf(name: string): Room {
  const room = rooms.get(name) ?? { log: [], members: new Set() };
  rooms.set(name, room);
  return room;
}

function otherThan(room: Room): Room {
  return [...rooms.values()].find((other) => other !== room)!;
}

/** Neither a probe, nor a frame that is no message of the simulator. */
function isMeasured(text: string): boolean {
  const stamp: Stamp = { runId: 1, room: 0, number: 0, dueUs: 0, lagUs: 0 };
  return readStamp(Buffer.from(text), stampAt, stamp) && stamp.runId % 2 === 0;
}
