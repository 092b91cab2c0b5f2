/**
 * The obvious first chat: one list of all clients, searched for every message, and the message encoded and
 * sent once per recipient. Nothing is bounded. It is the control of every experiment, so it stays as it is.
 */
import { performance } from 'node:perf_hooks';
import type { ChatMessage } from '#protocol';
import type { Metrics } from '../ops/metrics.ts';
import type { Chat } from './chat.ts';
import { frameHeaderBytes } from './frame.ts';
import type { Member } from './member.ts';

export class NaiveChat implements Chat {
  readonly ready = true;
  readonly #metrics: Metrics;
  readonly #clients: Member[] = [];

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  get rooms(): number {
    return new Set(this.#clients.map((client) => client.room)).size;
  }

  async start(): Promise<void> {}

  join(member: Member): undefined {
    this.#clients.push(member);
  }

  leave(member: Member): void {
    const index = this.#clients.indexOf(member);
    if (index !== -1) this.#clients.splice(index, 1);
  }

  publish(sender: Member, message: ChatMessage): boolean {
    const startedAtMs = performance.now();
    let deliveries = 0;
    let partialWrites = 0;
    let frameBytes = 0;
    for (const client of this.#clients) {
      if (client.room !== sender.room || !client.connection.open) continue;
      const text = JSON.stringify({ clientId: message.clientId, Message: message.Message });
      client.connection.sendText(text);
      if (client.connection.bufferedBytes > 0) partialWrites++;
      deliveries++;
      if (deliveries === 1) frameBytes = frameHeaderBytes(Buffer.byteLength(text)) + Buffer.byteLength(text);
    }
    this.#metrics.deliveries.inc(deliveries);
    this.#metrics.deliveredBytes.inc(deliveries * frameBytes);
    this.#metrics.writes.inc(deliveries);
    this.#metrics.partialWrites.inc(partialWrites);
    this.#metrics.fanOutSeconds.observe((performance.now() - startedAtMs) / 1000);
    return true;
  }

  flush(): boolean {
    return true; // Messages are in the socket's queue already, and a close frame queues behind them.
  }

  async close(): Promise<void> {}
}
