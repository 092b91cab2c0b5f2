/** The socket of a WebSocket client, with its handshake sent. Hot path. */
import net from 'node:net';
import { newMaskKey, writeMaskedFrame } from './client-frame.ts';
import { handshakeRequest, newHandshakeKey } from './handshake.ts';
import { opcode } from './opcode.ts';

/** Where to connect to. */
export type ConnectionTarget = {
  /** IP address. */
  address: string;
  port: number;
  url: URL;
  /** Undefined where the system chooses. */
  sourceAddress: string | undefined;
  /** Extra headers of the handshake, by name. */
  headers: Readonly<Record<string, string>>;
};

/** Who reads from a socket. */
export type SocketOwner = {
  /** The bytes are valid during the call. */
  take(bytes: Buffer, length: number): void;
  /** The socket failed, or the server closed it; it may be told twice. */
  ended(why: string): void;
};

type OwnedSocket = net.Socket & { owner: SocketOwner };

/** Pongs of one client that wait for the kernel, at most. Chosen, not measured. */
export const pongsWaitingMax = 64;
/** A server that was told to close, and says nothing for so long, is cut off. Chosen, not measured. */
const endWaitMs = 5_000;
/** The payload of a close frame with code 1000. */
export const closeNormally = Buffer.from([0x03, 0xe8]);

/**
 * All clients of a process read into one buffer: Node calls back synchronously for each read, so that its
 * content is used before the next read. That saves a buffer and a copy per client.
 */
const sharedBuffer = Buffer.allocUnsafeSlow(256 * 1024);

/** Connects and sends the handshake; `accept` is what the response must carry. */
export function openSocket(
  target: ConnectionTarget,
  owner: SocketOwner,
): { socket: net.Socket; accept: string } {
  const { key, accept } = newHandshakeKey();
  const socket = net.connect({
    host: target.address,
    port: target.port,
    localAddress: target.sourceAddress,
    noDelay: true,
    onread: { buffer: sharedBuffer, callback: onRead },
  }) as OwnedSocket;
  socket.owner = owner;
  socket.on('error', onError);
  socket.on('close', onClose);
  socket.write(handshakeRequest(target.url, key, target.headers), 'latin1');
  return { socket, accept };
}

/** Sends a control frame; `written` is called when the kernel has taken it. */
export function writeControl(socket: net.Socket, code: number, payload: Buffer, written?: () => void): void {
  const frame = Buffer.allocUnsafe(payload.length + 6);
  writeMaskedFrame(frame, 0, code, payload, newMaskKey());
  socket.write(frame, written);
}

/**
 * Sends a close frame. After the close frames it is the server that ends the connection (RFC 6455, 7.1.1);
 * one that does not is cut off. Whoever ends it first keeps its port for a minute: a client that did so 1,000
 * times a second would use up the 28,000 ports that Linux has for one address in half of that.
 */
export function sendClose(socket: net.Socket, payload: Buffer): void {
  writeControl(socket, opcode.close, payload);
  socket.setTimeout(endWaitMs, cutOff);
}

/** The payload of the close frame that answers one with this code; 1005 stands for none. */
export function closeAnswer(code: number): Buffer {
  return code === 1005 ? Buffer.alloc(0) : Buffer.from([code >> 8, code & 255]);
}

// One function for all sockets: a closure per client would take most of a client's memory.
function onRead(this: unknown, length: number, bytes: Uint8Array): boolean {
  (this as OwnedSocket).owner.take(bytes as Buffer, length);
  return true;
}

function cutOff(this: net.Socket): void {
  this.destroy();
}

function onError(this: net.Socket, error: NodeJS.ErrnoException): void {
  (this as OwnedSocket).owner.ended(error.code ?? error.message);
}

function onClose(this: net.Socket): void {
  (this as OwnedSocket).owner.ended('the connection was lost');
}
