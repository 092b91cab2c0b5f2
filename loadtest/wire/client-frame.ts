/** Frames that a client sends: each masked with a fresh key (RFC 6455, section 5.3). Hot path. */
import { randomFillSync } from 'node:crypto';
import { opcode } from './opcode.ts';

const keys = new Int32Array(4096);
let nextKey = keys.length;

/** A random 32-bit key. Keys are drawn 4,096 at a time, because one draw costs more than one message. */
export function newMaskKey(): number {
  if (nextKey === keys.length) {
    randomFillSync(keys);
    nextKey = 0;
  }
  return keys[nextKey++]!;
}

/** Size of a frame in bytes, for a payload of so many bytes. */
export function clientFrameBytes(payloadBytes: number): number {
  return clientHeaderBytes(payloadBytes) + payloadBytes;
}

/** Bytes before the payload: header and mask key. */
export function clientHeaderBytes(payloadBytes: number): number {
  return payloadBytes < 126 ? 6 : payloadBytes < 65536 ? 8 : 14;
}

/** Writes a whole final frame at `at`. */
export function writeMaskedFrame(
  target: Buffer,
  at: number,
  code: number,
  payload: Buffer,
  key: number,
): void {
  payload.copy(target, at + clientHeaderBytes(payload.length));
  maskInPlace(target, at, code, payload.length, key);
}

/** Writes the header of a text frame whose payload is already in its place, and masks the payload there. */
export function maskText(target: Buffer, at: number, payloadBytes: number): void {
  maskInPlace(target, at, opcode.text, payloadBytes, newMaskKey());
}

function maskInPlace(target: Buffer, at: number, code: number, payloadBytes: number, key: number): void {
  target[at] = 0x80 | code;
  if (payloadBytes < 126) target[at + 1] = 0x80 | payloadBytes;
  else if (payloadBytes < 65536) {
    target[at + 1] = 0xfe;
    target.writeUInt16BE(payloadBytes, at + 2);
  } else {
    target[at + 1] = 0xff;
    target.writeUInt32BE(0, at + 2);
    target.writeUInt32BE(payloadBytes, at + 6);
  }
  const payloadAt = at + clientHeaderBytes(payloadBytes);
  target.writeInt32LE(key | 0, payloadAt - 4);
  for (let i = 0; i < payloadBytes; i++) target[payloadAt + i]! ^= (key >>> ((i & 3) << 3)) & 255;
}
