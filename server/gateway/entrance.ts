/** The entrance: from an upgrade request to an open WebSocket, or to a refusal before it. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Chat } from '../chat/chat.ts';
import type { Metrics } from '../ops/metrics.ts';
import { type Accepted, type Admission, type Load, type Refusal, refuse } from './admission.ts';
import { HandshakePace } from './handshake-pace.ts';
import type { Identified, Logins } from './logins.ts';

/** A connection that is let in, with what it asked for and who it is. */
export type Entry = {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly accepted: Accepted;
  readonly identified: Identified | undefined;
  /** False where the shared token of the chat is wrong or missing: it is turned away. */
  readonly hasToken: boolean;
};

type Parts = {
  readonly wss: WebSocketServer;
  readonly admission: Admission;
  readonly handshakesPerSecondMax: number;
  readonly chat: Chat;
  readonly logins: Logins | undefined;
  readonly metrics: Metrics;
  /** The load of now, without the connections that are being prepared. */
  readonly load: () => Load;
  /** Called in the same step in which the join was prepared. */
  readonly open: (ws: WebSocket, entry: Entry) => void;
};

const ignore = () => {};

export class Entrance {
  readonly #parts: Parts;
  readonly #pace: HandshakePace;
  /** Connections that wait for their turn, whose login is looked up, or whose join is being prepared. */
  #preparing = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#pace = new HandshakePace(parts.handshakesPerSecondMax);
  }

  /** Newcomers who wait for their turn. */
  get waiting(): number {
    return this.#pace.waiting;
  }

  /** Decides on them at once. */
  endWaits(): void {
    this.#pace.end();
  }

  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const accepted = this.#parts.admission.decide(request, this.#load());
    if ('status' in accepted) return this.#refuse(socket, accepted);
    if (this.#pace.take()) return this.#begin(request, socket, head, accepted);
    const resumed = this.#pause(socket);
    const waits = this.#pace.wait(() => {
      if (!resumed()) return;
      const refusal = this.#parts.admission.refusalAt(this.#load());
      if (refusal) this.#refuse(socket, refusal);
      else this.#begin(request, socket, head, accepted);
    });
    if (!waits && resumed()) this.#refuse(socket, this.#parts.admission.crowded());
  }

  #begin(request: IncomingMessage, socket: Socket, head: Buffer, accepted: Accepted): void {
    const { admission, logins } = this.#parts;
    // A client without the token is turned away after the upgrade, and costs nothing before it.
    const hasToken = admission.hasToken(request);
    const entry: Entry = { request, socket, accepted, identified: undefined, hasToken };
    const { login } = accepted;
    if (!hasToken) return this.#accept(entry, head);
    if (!logins || !login) return this.#prepare(entry, head);
    const resumed = this.#pause(socket);
    logins.identify(login).then(
      (identified) => {
        if (!resumed()) return;
        if (identified) this.#prepare({ ...entry, identified }, head);
        else this.#refuse(socket, admission.strange());
      },
      () => resumed() && this.#refuse(socket, admission.unknown()),
    );
  }

  #prepare(entry: Entry, head: Buffer): void {
    const { chat, logins, admission } = this.#parts;
    const { socket, accepted, identified } = entry;
    // Who must log in first is prepared for its room after that.
    if (!chat.prepare || (logins?.required && !identified)) return this.#accept(entry, head);
    const resumed = this.#pause(socket);
    chat.prepare(accepted.room, accepted.resume, (prepared) => {
      if (!resumed()) return;
      const refusal = prepared ? admission.refusalAt(this.#load()) : admission.late();
      if (refusal) this.#refuse(socket, refusal);
      else this.#accept(entry, head);
    });
  }

  /** Keeps the place of a connection while something is asked. The returned function tells if it is there. */
  #pause(socket: Socket): () => boolean {
    this.#preparing++;
    socket.once('error', ignore); // Before the upgrade nobody else listens.
    return () => {
      this.#preparing--;
      socket.off('error', ignore);
      return !socket.destroyed;
    };
  }

  #load(): Load {
    const load = this.#parts.load();
    return { ...load, sessions: load.sessions + this.#preparing };
  }

  #refuse(socket: Socket, refusal: Refusal): void {
    this.#parts.metrics.rejections.inc({ reason: refusal.reason });
    refuse(socket, refusal);
  }

  #accept(entry: Entry, head: Buffer): void {
    // It calls back at once, so a join that was prepared follows in the same step.
    this.#parts.wss.handleUpgrade(entry.request, entry.socket, head, (ws) => this.#parts.open(ws, entry));
  }
}
