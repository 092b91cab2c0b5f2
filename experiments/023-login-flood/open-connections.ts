/** Connections that are open before the flood: a login is a frame on one of them. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { type Credentials, encodeLogin, type LoginAck, parseLoginAck } from '#protocol';

/** Several times as many as passwords wait to be hashed. */
export const connectionsOpen = 200;

export class OpenConnections {
  readonly #url: string;
  /** Those that do not wait for an answer. */
  readonly #idle: WebSocket[] = [];

  private constructor(url: string) {
    this.#url = url;
  }

  /** One after the other; rejects where one is refused. */
  static async open(url: string): Promise<OpenConnections> {
    const connections = new OpenConnections(url);
    for (let number = 0; number < connectionsOpen; number++) await connections.#openOne();
    return connections;
  }

  /** Whether a login can be sent now. */
  get isFree(): boolean {
    return this.#idle.length > 0;
  }

  /** Rejects where no answer comes in time. Who is let in leaves, and another connection is opened. */
  async logIn(person: Credentials, device: string, timeoutMs: number): Promise<LoginAck> {
    const socket = this.#idle.shift()!;
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(timeoutMs)]);
    const closed = () => ended.abort(new Error('closed before the answer'));
    socket.once('close', closed);
    try {
      const answer = answerOf(socket, signal);
      socket.send(encodeLogin({ ...person, device }));
      const ack = await answer;
      if (ack.result !== 'ok') this.#idle.push(socket);
      else void this.#replace(socket);
      return ack;
    } catch (error) {
      void this.#replace(socket);
      throw error;
    } finally {
      socket.off('close', closed);
    }
  }

  async #replace(socket: WebSocket): Promise<void> {
    socket.close();
    await this.#openOne();
  }

  async #openOne(): Promise<void> {
    const socket = new WebSocket(this.#url, { perMessageDeflate: false });
    await once(socket, 'open');
    socket.on('error', () => {}); // 'close' follows.
    this.#idle.push(socket);
  }
}

async function answerOf(socket: WebSocket, signal: AbortSignal): Promise<LoginAck> {
  for (;;) {
    const [data] = (await once(socket, 'message', { signal })) as [Buffer];
    const ack = parseLoginAck(data.toString());
    if (ack !== undefined) return ack;
  }
}
