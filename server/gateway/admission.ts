/** The door: who is let in, and how a refusal is worded before the upgrade. */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { roomOfPath } from '#protocol';
import type { RejectionReason } from '../ops/metrics.ts';
import type { Config } from '../settings.ts';

/** The state of the server as far as it decides who comes in. */
export type DoorState = {
  readonly sessions: number;
  readonly draining: boolean;
  readonly ready: boolean;
  readonly overloaded: boolean;
};

export type Refusal = {
  readonly reason: RejectionReason;
  readonly status: 403 | 404 | 503;
  readonly detail: string;
  /** Seconds after which another try makes sense. */
  readonly retryAfterSeconds?: number;
};

export type Admission = { readonly room: string } | Refusal;

/** Decides on one upgrade request. Stages without bounds check only the path, and whether the process is leaving. */
export function admit(
  request: IncomingMessage,
  config: Config,
  bounded: boolean,
  state: DoorState,
): Admission {
  const room = roomOfPath(request.url ?? '');
  if (room === undefined)
    return { reason: 'path', status: 404, detail: 'join at /ws or /ws/<room>, room: 1-64 of A-Za-z0-9_.-' };
  const busy = (reason: RejectionReason, detail: string): Refusal => ({
    reason,
    status: 503,
    detail,
    retryAfterSeconds: retryAfterSeconds(config),
  });
  if (state.draining) return busy('draining', 'this server is shutting down');
  if (!state.ready) return busy('unready', 'messages cannot flow at present');
  if (!bounded) return { room };
  const origin = request.headers.origin;
  if (config.origins.length > 0 && origin !== undefined && !config.origins.includes(origin)) {
    return { reason: 'origin', status: 403, detail: `origin ${origin.slice(0, 200)} is not allowed` };
  }
  if (state.sessions >= config.sessionsMax) return busy('full', `all ${config.sessionsMax} places are taken`);
  if (state.overloaded) return busy('overload', 'the server is overloaded');
  return { room };
}

/** True for the refusal of `admit`. */
export function isRefusal(admission: Admission): admission is Refusal {
  return 'status' in admission;
}

/** Whether a request carries the shared token, as `?token=` or as a bearer; compared in constant time. */
export function hasToken(request: IncomingMessage, token: string): boolean {
  if (token === '') return true;
  const fromQuery = new URL(request.url ?? '', 'ws://localhost').searchParams.get('token');
  const fromHeader = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  const given = Buffer.from(fromQuery ?? fromHeader ?? '');
  const wanted = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

const statusText = { 403: 'Forbidden', 404: 'Not Found', 503: 'Service Unavailable' } as const;

/** Answers an upgrade request with plain HTTP and ends the connection. */
export function refuse(socket: Duplex, refusal: Refusal): void {
  const body = `${refusal.detail}\n`;
  const retry =
    refusal.retryAfterSeconds === undefined ? '' : `Retry-After: ${refusal.retryAfterSeconds}\r\n`;
  socket.on('error', () => socket.destroy()); // The peer may be gone already; that is no event for anybody.
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${refusal.status} ${statusText[refusal.status]}\r\nConnection: close\r\n${retry}` +
      `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function retryAfterSeconds(config: Config): number {
  return Math.max(1, Math.ceil((Math.random() * config.reconnectWaitMsMax) / 1000));
}
