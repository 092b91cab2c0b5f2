/** The options of the HTTP server and of ws: what a handshake and a message may cost. */
import type { ServerOptions as HttpOptions } from 'node:http';
import type { ServerOptions } from 'ws';
import { framePayloadBytesMax } from '#protocol';
import type { ValuesOf } from '../settings.ts';
import type { messageSettings } from './dispatch.ts';
import type { sessionSettings } from './session.ts';

type Settings = ValuesOf<typeof messageSettings | typeof sessionSettings>;

/** The default of ws; a frame is held in memory, so it needs some bound even where a stage sets none. */
const framePayloadBytesMaxOfWs = 100 * 1024 * 1024;
/** No network cuts a message into smaller pieces on purpose: the least size of a packet (RFC 9293, 3.7.1). */
const pieceBytesMin = 536;
/** Chosen, not measured: pieces that even a short message may come in. */
const piecesMin = 64;
/** Larger than a segment of default size: Node emits no `drain` for a write that the kernel takes at once. */
const socketHighWaterMarkBytes = 1024 * 1024;
/** Not yet known to the types of ws. */
type WebSocketOptions = ServerOptions & {
  closeTimeout: number;
  maxFragments?: number;
  maxBufferedChunks?: number;
};

/** Bounds what a peer can make ws keep. */
export function webSocketOptions(settings: Settings): WebSocketOptions {
  const { fragmentsMax } = settings;
  const maxPayload = Math.min(framePayloadBytesMax(settings), framePayloadBytesMaxOfWs);
  const maxBufferedChunks = Math.max(piecesMin, Math.ceil(maxPayload / pieceBytesMin));
  return {
    noServer: true,
    clientTracking: false,
    // The cursor fan-out writes frames between those of ws, which compression would hold back.
    perMessageDeflate: false,
    maxPayload,
    // The bounds of ws are 16,384 fragments and 262,144 pieces: megabytes, with one byte in each.
    ...(Number.isFinite(fragmentsMax) && { maxFragments: fragmentsMax, maxBufferedChunks }),
    // By default ws lets a peer that does not answer our close frame stay for 30 s, outside sessionsMax.
    closeTimeout: settings.evictionGraceMs,
  };
}

/** Bounds the time and size of a handshake; where the time is infinite, Node's own defaults hold. */
export function httpOptions(handshakeTimeoutMs: number): HttpOptions {
  const highWaterMark = socketHighWaterMarkBytes;
  if (handshakeTimeoutMs === Number.POSITIVE_INFINITY) return { highWaterMark };
  return {
    highWaterMark,
    headersTimeout: handshakeTimeoutMs,
    requestTimeout: handshakeTimeoutMs,
    keepAliveTimeout: handshakeTimeoutMs,
    connectionsCheckingInterval: Math.max(50, handshakeTimeoutMs / 4),
    maxHeaderSize: 8192,
  };
}
