/** A connection beside the virtual users, whose deliveries are not audited: a `ws` client. */
import net from 'node:net';
import { WebSocket } from 'ws';
import type { Endpoint } from '../model/assignment.ts';

export type UnauditedConnection = {
  websocket: WebSocket;
  /** The socket below it, so that input can be left unread or dropped unparsed. */
  socket: net.Socket;
};

/**
 * Connects at once. If the handshake fails or takes longer than `timeoutMs`, `refused` is called once, with
 * the HTTP status, the socket error code, or `timeout`. Later errors only close the connection.
 */
export function connectUnaudited(
  endpoint: Endpoint,
  timeoutMs: number,
  refused: (why: string) => void,
): UnauditedConnection {
  // A paused socket fills its read buffer: 64 kB each by default. Node takes the option, but its types do
  // not.
  const options: net.TcpNetConnectOpts & { highWaterMark: number } = {
    host: endpoint.address,
    port: endpoint.port,
    localAddress: endpoint.sourceAddress,
    highWaterMark: 1024,
  };
  const socket = net.connect(options);
  const websocket = new WebSocket(endpoint.url, {
    createConnection: () => socket,
    headers: endpoint.headers,
    perMessageDeflate: false,
    skipUTF8Validation: true,
  });
  let isConnecting = true;
  const refuse = (why: string) => {
    if (!isConnecting) return;
    isConnecting = false;
    clearTimeout(timer);
    refused(why);
    websocket.terminate();
  };
  const timer = setTimeout(() => refuse('timeout'), timeoutMs);
  websocket.on('open', () => {
    isConnecting = false;
    clearTimeout(timer);
  });
  websocket.on('unexpected-response', (_request, response) => refuse(String(response.statusCode)));
  websocket.on('error', (error: NodeJS.ErrnoException) => refuse(error.code ?? error.message));
  return { websocket, socket };
}
