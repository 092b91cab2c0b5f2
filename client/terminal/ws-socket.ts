/** The connection of the command line client: the `ws` package, with headers, pings and HTTP refusals. */
import { WebSocket } from 'ws';
import type { OpenSocket } from '../core/chat-socket.ts';
import { type ConnectionEnd, parseRetryAfterMs } from '../core/reconnect.ts';

/** Chosen, not measured. */
const handshakeMsMax = 10_000;
/** The largest frame that is accepted, in bytes: far above the limits of any server. Chosen, not measured. */
const framePayloadBytesMax = 1 << 20;

type Credentials = { readonly token?: string | undefined; readonly origin?: string | undefined };

/** Connections whose handshake sends `Authorization: Bearer <token>` and `Origin`, where these are given. */
export function wsSockets({ token, origin }: Credentials = {}): OpenSocket {
  return (url, listener) => {
    const socket = new WebSocket(url, {
      handshakeTimeout: handshakeMsMax,
      maxPayload: framePayloadBytesMax,
      perMessageDeflate: false,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
      ...(origin === undefined ? {} : { origin }),
    });
    // Known before `close` is emitted, and more exact than the code 1006 that `close` would bring.
    let end: ConnectionEnd | undefined;
    socket.on('open', () => listener.opened());
    socket.on('message', (data, isBinary) => {
      if (!isBinary) listener.received(data.toString());
    });
    socket.on('unexpected-response', (_request, response) => {
      const retryAfterMs = parseRetryAfterMs(response.headers['retry-after'], Date.now());
      end = { kind: 'refused', status: response.statusCode ?? 0, retryAfterMs };
      socket.terminate();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      end ??= { kind: 'unreachable', cause: error.code ?? error.message };
    });
    socket.on('close', (code, reason) => {
      listener.ended(end ?? { kind: 'closed', code, reason: reason.toString() });
    });
    return {
      send(text) {
        if (socket.readyState !== WebSocket.OPEN) return false;
        socket.send(text);
        return true;
      },
      close: (code) => socket.close(code),
      terminate: () => socket.terminate(),
      ping(onPong) {
        socket.once('pong', onPong);
        socket.ping();
      },
    };
  };
}
