/**
 * A network between a node and a service that can fail as networks do: not with an error, but with silence. Connections
 * stay open and nothing passes; once healed, what was held back arrives late, as after TCP's retransmissions.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export class SilentProxy implements AsyncDisposable {
  readonly #server = createServer((socket) => this.#accept(socket));
  readonly #sockets = new Set<Socket>();
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
    for (const socket of this.#sockets) socket.pause();
  }

  heal(): void {
    this.#cut = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(near: Socket): void {
    const port = this.#targetPorts[Math.min(this.#accepted++, this.#targetPorts.length - 1)]!;
    const far = connect(port, '127.0.0.1');
    this.#join(near, far);
    this.#join(far, near);
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    if (this.#cut) from.pause();
    // A slow reader must be felt at the other end, as through a network, and not fill the memory here.
    from.on('data', (chunk) => to.write(chunk) || from.pause());
    to.on('drain', () => this.#cut || from.resume());
    // The end of one side crosses like its data; an error is the end of a test's connection and nothing else.
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      if (!this.#cut) to.destroy();
    });
  }
}
