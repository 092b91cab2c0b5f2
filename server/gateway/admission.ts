/** Admission: decides which connections are let in, and answers the others before the upgrade. */
import { timingSafeEqual } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { rate, time } from '#host/units.ts';
import { type DevicePositions, isDecodeFault, parsePosition, parsePositions, roomOfPath } from '#protocol';
import type { ResumeRequest } from '../backplane/backplane.ts';
import { group, limit, list, secret, type ValuesOf } from '../settings.ts';
import type { drainSettings } from './drain.ts';

/** More than one process can complete: no limit. */
const handshakesPerSecondMost = 100_000;

/** The bounds are chosen, not measured. */
export const admissionSettings = group('Admission', {
  token: secret('shared token that clients must present (?token= or Authorization: Bearer)'),
  origins: list('Origin headers that are let in (default: every one); clients without Origin are always'),
  sessionsMax: limit(1, 1_000_000, 15_000, 'sessions in this process'),
  handshakeTimeoutMs: limit(
    100,
    600_000,
    5_000,
    'time a client has to complete its handshake, or to take a file of the page',
    time,
  ),
  handshakesPerSecondMax: limit(
    1,
    handshakesPerSecondMost,
    handshakesPerSecondMost,
    'newcomers per second, so that a flood of them leaves time for who is in; the rest wait for up to 1s',
    rate,
  ),
  overloadLagMs: limit(10, 600_000, 2_000, 'event-loop lag from which new sessions are refused', time),
});

type Options = ValuesOf<typeof admissionSettings | typeof drainSettings>;

/** The load of the server at the moment of a request. */
export type Load = {
  readonly sessions: number;
  readonly ready: boolean;
  readonly lagMs: number;
  /** Sessions for which the process has file descriptors. */
  readonly placesMax: number;
};

/** A token of a login, and what its device has already. */
export type TokenLogin = { readonly token: string; readonly positions: DevicePositions };

/** What an accepted connection asked for, as far as the stage can resume and has accounts. */
export type Accepted = {
  readonly room: string;
  readonly resume: ResumeRequest | undefined;
  readonly login: TokenLogin | undefined;
};

/** What a stage can do with the query of a request; it ignores the rest. */
type Abilities = { readonly resumes: boolean; readonly logsIn: boolean };

export type Refusal = {
  readonly reason:
    | 'http'
    | 'path'
    | 'position'
    | 'login'
    | 'login_busy'
    | 'late'
    | 'draining'
    | 'unready'
    | 'origin'
    | 'crowded'
    | 'full'
    | 'descriptors'
    | 'overload';
  readonly status: number;
  readonly detail: string;
  /** Seconds after which another attempt makes sense. */
  readonly retryAfterSeconds?: number;
};

export class Admission {
  readonly #options: Options;
  readonly #abilities: Abilities;
  /** From when it is set, every request is refused. */
  stopped = false;

  constructor(options: Options, abilities: Abilities) {
    this.#options = options;
    this.#abilities = abilities;
  }

  /** Decides on one upgrade request: what it joins, or the refusal. */
  decide(request: IncomingMessage, load: Load): Accepted | Refusal {
    // RFC 6455, section 4.1: at least HTTP/1.1, with a Host header. Node checks neither before an upgrade.
    if (request.httpVersion !== '1.1' || !request.headers.host)
      return { reason: 'http', status: 400, detail: 'send HTTP/1.1 with a Host header' };
    const room = roomOfPath(request.url ?? '');
    if (room === undefined) {
      return { reason: 'path', status: 404, detail: 'join at /ws or /ws/<room>, room: 1-64 of A-Za-z0-9_.-' };
    }
    const resume = this.#abilities.resumes ? resumeOf(request.url!) : undefined;
    if (resume === null) {
      const detail = 'send ?after= or ?after=<epoch>.<offset>, as the frame "joined" named them';
      return { reason: 'position', status: 400, detail };
    }
    const login = this.#abilities.logsIn ? loginOf(request.url!) : undefined;
    if (login === null) {
      const detail = 'send ?login=<token> once, and upTo= and receiptsAfter= as whole numbers';
      return { reason: 'login', status: 400, detail };
    }
    const { origin } = request.headers;
    if (!isAllowedOrigin(origin, this.#options.origins))
      return { reason: 'origin', status: 403, detail: `origin ${origin?.slice(0, 200)} is not allowed` };
    return this.refusalAt(load) ?? { room, resume, login };
  }

  /** Why nobody can be let in at this load; undefined where somebody can. */
  refusalAt(load: Load): Refusal | undefined {
    const { sessionsMax, overloadLagMs } = this.#options;
    if (this.stopped) return this.#busy('draining', 'this server is shutting down');
    if (!load.ready) return this.#busy('unready', 'messages cannot flow at present');
    if (load.sessions >= sessionsMax) return this.#busy('full', `all ${sessionsMax} places are taken`);
    if (load.sessions >= load.placesMax)
      return this.#busy('descriptors', `all ${load.placesMax} places are taken`);
    if (load.lagMs > overloadLagMs) return this.#busy('overload', 'the server is overloaded');
    return undefined;
  }

  /** Whether a request carries the shared token, in `?token=` or as a bearer; compared in constant time. */
  hasToken(request: IncomingMessage): boolean {
    if (this.#options.token === '') return true;
    const fromQuery = new URL(request.url ?? '', 'ws://localhost').searchParams.get('token');
    const fromHeader = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const given = Buffer.from(fromQuery ?? fromHeader ?? '');
    const wanted = Buffer.from(this.#options.token);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  /** The refusal of a join that could not be prepared in time. */
  late(): Refusal {
    return this.#busy('late', 'the log of this room cannot be read at present');
  }

  /** The refusal of a newcomer while too many wait for their turn. */
  crowded(): Refusal {
    return this.#busy('crowded', `more than ${this.#options.handshakesPerSecondMax} newcomers per second`);
  }

  /** The refusal of a token of a login that is nobody's. */
  strange(): Refusal {
    const detail = 'this login has expired or was revoked: log in with the password';
    return { reason: 'login', status: 401, detail };
  }

  /** The refusal of a login that cannot be looked up. */
  unknown(): Refusal {
    return this.#busy('login_busy', 'logins cannot be looked up at present');
  }

  #busy(reason: Refusal['reason'], detail: string): Refusal {
    const waitSeconds = (Math.random() * this.#options.reconnectWaitMsMax) / 1000;
    return { reason, status: 503, detail, retryAfterSeconds: Math.max(1, Math.ceil(waitSeconds)) };
  }
}

/** A client that is no browser sends no Origin. No list: all are allowed. */
export function isAllowedOrigin(origin: string | undefined, allowed: readonly string[]): boolean {
  return allowed.length === 0 || origin === undefined || allowed.includes(origin);
}

/** What `?after=` asks for; undefined where it is not there, null where it is malformed. */
function resumeOf(url: string): ResumeRequest | undefined | null {
  if (!url.includes('?')) return undefined;
  const [after, ...more] = new URL(url, 'ws://localhost').searchParams.getAll('after');
  if (after === undefined) return undefined;
  const position = parsePosition(after);
  return more.length > 0 || (after !== '' && !position) ? null : { position };
}

/** What `?login=` asks for, with `upTo=` and `receiptsAfter=`; undefined and null as for `resumeOf`. */
function loginOf(url: string): TokenLogin | undefined | null {
  if (!url.includes('login=')) return undefined;
  const { searchParams } = new URL(url, 'ws://localhost');
  const [token, ...more] = searchParams.getAll('login');
  if (token === undefined) return undefined;
  const numbers = ['upTo', 'receiptsAfter'].flatMap((name) => {
    const given = searchParams.get(name);
    return given === null ? [] : [[name, /^\d{1,15}$/.test(given) ? Number(given) : given] as const];
  });
  const positions = parsePositions(Object.fromEntries(numbers));
  return more.length > 0 || isDecodeFault(positions) ? null : { token, positions };
}

/** Answers an upgrade request with plain HTTP and ends the connection. */
export function refuse(socket: Duplex, { status, detail, retryAfterSeconds }: Refusal): void {
  const body = `${detail}\n`;
  const retry = retryAfterSeconds === undefined ? '' : `Retry-After: ${retryAfterSeconds}\r\n`;
  socket.on('error', () => socket.destroy()); // The peer may be gone already.
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${retry}` +
      `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
