/**
 * A network that fails with silence, not with an error. While it is cut, connections stay open and nothing
 * passes. Once healed, the data that was held back arrives late, as after TCP's retransmissions. A side that
 * closed its connection meanwhile sends nothing more: a kernel does not send again after a reset.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What is cut: bytes `to` the destination, bytes `from` it, or both. */
export type Direction = 'to' | 'from' | 'both';

type Destination = { host: string; port: number };

export class SilentProxy implements AsyncDisposable {
  readonly #server = createServer((near) => this.#accept(near));
  readonly #connections = new Set<ProxiedConnection>();
  readonly #destinations: readonly Destination[];
  #accepted = 0;
  #cut: Direction | null = null;

  private constructor(destinations: readonly Destination[]) {
    this.#destinations = destinations;
  }

  /** Listens on a free port of loopback, before ports of loopback. See `listen`. */
  static start(...ports: number[]): Promise<SilentProxy> {
    const destinations = ports.map((port) => ({ host: '127.0.0.1', port }));
    return SilentProxy.listen('127.0.0.1', destinations);
  }

  /** Listens on a free port of an address. Each destination takes one connection, the last all others. */
  static async listen(host: string, destinations: readonly Destination[]): Promise<SilentProxy> {
    const proxy = new SilentProxy(destinations);
    await once(proxy.#server.listen(0, host), 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on nothing passes in that direction, over old connections or new ones. */
  cut(direction: Direction = 'both'): void {
    this.#cut = direction;
    for (const connection of this.#connections) connection.cut(direction);
  }

  heal(): void {
    this.#cut = null;
    for (const connection of this.#connections) connection.heal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(near: Socket): void {
    const destination = this.#destinations[Math.min(this.#accepted++, this.#destinations.length - 1)]!;
    const ended = () => this.#connections.delete(connection);
    const connection = new ProxiedConnection(near, connect(destination), ended);
    this.#connections.add(connection);
    if (this.#cut !== null) connection.cut(this.#cut);
  }
}

/** One connection, from a node (near) to the service (far). */
class ProxiedConnection {
  readonly #near: Socket;
  readonly #far: Socket;
  #cut: Direction | null = null;
  /** What the node has sent since the cut. */
  #held: Buffer[] = [];

  constructor(near: Socket, far: Socket, ended: () => void) {
    this.#near = near;
    this.#far = far;
    near.on('data', (chunk) => (this.#isCut('to') ? this.#held.push(chunk) : far.write(chunk)));
    // The service must feel a slow reader, as it would through a network: its data is not buffered here.
    far.on('data', (chunk) => near.write(chunk) || far.pause());
    near.on('drain', () => this.#isCut('from') || far.resume());
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => {}); // 'close' follows
      socket.on('close', () => {
        if (this.#cut === null) other.destroy();
        if (near.destroyed && far.destroyed) ended();
      });
    }
  }

  cut(direction: Direction): void {
    this.#cut = direction;
    if (this.#isCut('from')) this.#far.pause();
  }

  heal(): void {
    this.#cut = null;
    if (this.#near.destroyed || this.#far.destroyed) return this.destroy();
    for (const chunk of this.#held) this.#far.write(chunk);
    this.#held = [];
    this.#far.resume();
  }

  #isCut(direction: 'to' | 'from'): boolean {
    return this.#cut === direction || this.#cut === 'both';
  }

  destroy(): void {
    this.#near.destroy();
    this.#far.destroy();
  }
}
