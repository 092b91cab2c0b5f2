/**
 * A network between nodes and a service that can fail as networks do: not with an error, but with silence. While it is cut,
 * connections stay open and nothing passes. Once healed, what was held back arrives late, as after TCP's retransmissions,
 * except from a side that gave its connection up meanwhile: a kernel does not send again what has been reset.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export class SilentProxy implements AsyncDisposable {
  readonly #server = createServer((near) => this.#accept(near));
  readonly #lines = new Set<Line>();
  readonly #targetPorts: readonly number[];
  #accepted = 0;
  #cut = false;

  private constructor(targetPorts: readonly number[]) {
    this.#targetPorts = targetPorts;
  }

  /** Listens on a free port of loopback. Of several targets, each takes one connection, and the last all others. */
  static async start(...targetPorts: number[]): Promise<SilentProxy> {
    const proxy = new SilentProxy(targetPorts);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on nothing passes, in either direction, over old connections or new ones. */
  cut(): void {
    this.#cut = true;
    for (const line of this.#lines) line.cut();
  }

  heal(): void {
    this.#cut = false;
    for (const line of this.#lines) line.heal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const line of this.#lines) line.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(near: Socket): void {
    const port = this.#targetPorts[Math.min(this.#accepted++, this.#targetPorts.length - 1)]!;
    const line = new Line(near, connect(port, '127.0.0.1'), () => this.#lines.delete(line));
    this.#lines.add(line);
    if (this.#cut) line.cut();
  }
}

/** One connection, from a node (near) to the service (far). */
class Line {
  readonly #near: Socket;
  readonly #far: Socket;
  #cut = false;
  /** What the node sent into the silence. */
  #held: Buffer[] = [];

  constructor(near: Socket, far: Socket, ended: () => void) {
    this.#near = near;
    this.#far = far;
    near.on('data', (chunk) => (this.#cut ? this.#held.push(chunk) : far.write(chunk)));
    // The service must feel a slow reader, as it would through a network; nothing of it piles up here.
    far.on('data', (chunk) => near.write(chunk) || far.pause());
    near.on('drain', () => this.#cut || far.resume());
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => {}); // 'close' follows
      socket.on('close', () => {
        if (!this.#cut) other.destroy();
        if (near.destroyed && far.destroyed) ended();
      });
    }
  }

  cut(): void {
    this.#cut = true;
    this.#far.pause();
  }

  heal(): void {
    this.#cut = false;
    if (this.#near.destroyed || this.#far.destroyed) return this.destroy();
    for (const chunk of this.#held) this.#far.write(chunk);
    this.#held = [];
    this.#far.resume();
  }

  destroy(): void {
    this.#near.destroy();
    this.#far.destroy();
  }
}
