/** Clients that `ws` does not allow: bare sockets that send any bytes, and nothing by themselves. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { upgradeRequest } from '#host/raw-peer.ts';
import type { ServerProcess } from './server.ts';

/** A socket that a failed test leaves open would keep the process alive. */
const connections: Socket[] = [];
after(() => {
  for (const socket of connections) socket.destroy();
});

/** A TCP connection to the server's chat port. */
export async function rawConnection(server: ServerProcess): Promise<Socket> {
  const { hostname, port } = new URL(server.origin);
  const socket = connect(Number(port), hostname);
  connections.push(socket);
  socket.on('error', () => {}); // Most tests expect the server to cut it off.
  await once(socket, 'connect');
  return socket;
}

/** A session that sends nothing by itself: no pong, no close frame. Resolves after the server's 101. */
export async function rawSession(server: ServerProcess, path = '/ws/raw'): Promise<Socket> {
  const socket = await rawConnection(server);
  socket.write(upgradeRequest(path));
  let answer = '';
  while (!answer.includes('\r\n\r\n')) {
    await once(socket, 'readable');
    answer += socket.read() ?? '';
  }
  assert.match(answer, /^HTTP\/1\.1 101 /);
  return socket;
}

/** The code of the close frame after all chat; 1006 where the connection ends without one. */
export async function readCloseCode(socket: Socket): Promise<number> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes[0] !== 0x88 && bytes.length >= frameBytes(bytes)) bytes = bytes.subarray(frameBytes(bytes));
    if (bytes[0] === 0x88 && bytes.length >= 4) break;
  }
  socket.destroy();
  return bytes[0] === 0x88 && bytes.length >= 4 ? bytes.readUInt16BE(2) : 1006;
}

/** Bytes of the first frame, as a server writes it; infinite while its header is not there. */
function frameBytes(bytes: Buffer): number {
  const short = bytes[1] ?? Number.POSITIVE_INFINITY;
  if (short < 126) return 2 + short;
  const headerBytes = short === 126 ? 4 : 10;
  if (bytes.length < headerBytes) return Number.POSITIVE_INFINITY;
  return headerBytes + (short === 126 ? bytes.readUInt16BE(2) : bytes.readUInt32BE(6));
}

/** Resolves when the connection has ended, in any way. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** Rejects when the promise does not settle in time. */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  const late = delay(milliseconds, undefined, { ref: false }).then(() => {
    throw new Error(`not within ${milliseconds} ms`);
  });
  return Promise.race([promise, late]);
}
