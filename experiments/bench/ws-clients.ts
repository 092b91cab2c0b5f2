/**
 * The simplest measuring client, as a yardstick for the simulator: one `ws` client per user, which parses
 * each message and checks that none is missing. `node ws-clients.ts URL CLIENTS RATE SECONDS PAYLOAD_BYTES`
 * prints one `YardstickResult`. It is a process of its own, so that its CPU seconds are too.
 */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type ChatMessage, encodeMessage } from '#protocol';

/**
 * Deliveries and CPU seconds are those between the first and the last send. Faults are messages that are
 * missing, out of their sender's order, or damaged, once the drain is over.
 */
export type YardstickResult = { deliveries: number; faults: number; cpuSeconds: number };

const connectBatch = 100;
const drainMs = 1500;
/** Below the server's limit per session, 100/s. */
const messagesPerSecondPerSender = 50;
const sequenceDigits = 12;

async function main(): Promise<void> {
  const [url, ...numbers] = process.argv.slice(2);
  const [clients, rate, seconds, payloadBytes] = numbers.map(Number) as [number, number, number, number];
  const messageChars = payloadBytes - encodeMessage({ clientId: senderName(0), Message: '' }).length;
  const filler = 'x'.repeat(messageChars - sequenceDigits);
  const senders = Math.min(clients, Math.ceil(rate / messagesPerSecondPerSender));
  const counts = { delivered: 0, faults: 0 };
  const users: WebSocket[] = [];
  for (let first = 0; first < clients; first += connectBatch) {
    const length = Math.min(connectBatch, clients - first);
    const joining = Array.from({ length }, () => join(url!, senders, messageChars, counts));
    users.push(...(await Promise.all(joining)));
  }
  const cpuBefore = process.cpuUsage();
  const sent = await send(users.slice(0, senders), rate, seconds, filler);
  const cpu = process.cpuUsage(cpuBefore);
  const deliveries = counts.delivered;
  await delay(drainMs);
  const faults = counts.faults + (sent * clients - counts.delivered);
  const result: YardstickResult = { deliveries, faults, cpuSeconds: (cpu.user + cpu.system) / 1e6 };
  console.log(JSON.stringify(result));
  for (const user of users) user.terminate();
}

async function join(
  url: string,
  senders: number,
  messageChars: number,
  counts: { delivered: number; faults: number },
): Promise<WebSocket> {
  const ws = new WebSocket(url, { perMessageDeflate: false });
  const next = new Uint32Array(senders);
  ws.on('message', (data) => {
    const { clientId, Message } = JSON.parse(data.toString()) as ChatMessage;
    const sender = Number(clientId);
    const sequence = Number(Message.slice(0, sequenceDigits));
    counts.delivered++;
    if (sequence !== next[sender] || Message.length !== messageChars) counts.faults++;
    next[sender] = sequence + 1;
  });
  ws.on('error', () => {}); // Its messages will be missing.
  await once(ws, 'open');
  return ws;
}

/** Of fixed width, so that every frame has `PAYLOAD_BYTES` of JSON, as the simulator counts them. */
function senderName(sender: number): string {
  return String(sender).padStart(4, '0');
}

/** Open model: sends all messages that are due by now, the senders in turn. Resolves with their number. */
async function send(
  senders: readonly WebSocket[],
  rate: number,
  seconds: number,
  filler: string,
): Promise<number> {
  const startedAtMs = performance.now();
  let sent = 0;
  for (;;) {
    const elapsedSeconds = (performance.now() - startedAtMs) / 1000;
    if (elapsedSeconds >= seconds) return sent;
    for (const due = Math.floor(elapsedSeconds * rate); sent < due; sent++) {
      const sender = sent % senders.length;
      const sequence = String(Math.floor(sent / senders.length)).padStart(sequenceDigits, '0');
      senders[sender]!.send(encodeMessage({ clientId: senderName(sender), Message: sequence + filler }));
    }
    await delay(1);
  }
}

await main();
