/**
 * The chat that everybody writes first: one list of all clients, searched for every message, and the message encoded
 * and sent once per recipient. Nothing is bounded. It is the control of every experiment, so it stays as it is.
 */
import { performance } from 'node:perf_hooks';
import type { ChatMessage } from '#protocol';
import type { Session } from '../gateway/session.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Chat } from './chat.ts';
import { frameHeaderBytes } from './frame.ts';

export class NaiveChat implements Chat {
  readonly ready = true;
  readonly #metrics: Metrics;
  readonly #clients: Session[] = [];

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  get rooms(): number {
    return new Set(this.#clients.map((client) => client.room)).size;
  }

  async start(): Promise<void> {}

  join(session: Session): boolean {
    this.#clients.push(session);
    return true;
  }

  leave(session: Session): void {
    const index = this.#clients.indexOf(session);
    if (index !== -1) this.#clients.splice(index, 1);
  }

  publish(sender: Session, message: ChatMessage): boolean {
    const startedAtMs = performance.now();
    let deliveries = 0;
    let frameBytes = 0;
    for (const client of this.#clients) {
      if (client.room !== sender.room || !client.open) continue;
      const text = JSON.stringify({ clientId: message.clientId, Message: message.Message });
      client.ws.send(text);
      deliveries++;
      if (deliveries === 1) frameBytes = frameHeaderBytes(Buffer.byteLength(text)) + Buffer.byteLength(text);
    }
    this.#metrics.deliveries.inc(deliveries);
    this.#metrics.deliveredBytes.inc(deliveries * frameBytes);
    this.#metrics.writes.inc(deliveries);
    this.#metrics.fanOutSeconds.observe((performance.now() - startedAtMs) / 1000);
    return true;
  }

  finish(): boolean {
    return true; // What was sent lies in the socket's queue, and a close frame queues behind it.
  }

  async close(): Promise<void> {}
}
