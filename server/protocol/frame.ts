/** The WebSocket frame (RFC 6455, section 5.2) as far as both sides of the hot path need it. */

export const opcode = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** Bytes of an unmasked frame header for a payload of that many bytes. */
export function frameHeaderBytes(payloadBytes: number): number {
  if (payloadBytes < 126) return 2;
  return payloadBytes < 65536 ? 4 : 10;
}

/** Writes the header of a final, unmasked text frame at `offset` and returns the offset of its payload. */
export function writeTextFrameHeader(target: Buffer, offset: number, payloadBytes: number): number {
  target[offset] = 0x80 | opcode.text;
  if (payloadBytes < 126) {
    target[offset + 1] = payloadBytes;
    return offset + 2;
  }
  if (payloadBytes < 65536) {
    target[offset + 1] = 126;
    target.writeUInt16BE(payloadBytes, offset + 2);
    return offset + 4;
  }
  target[offset + 1] = 127;
  target.writeUInt32BE(0, offset + 2);
  target.writeUInt32BE(payloadBytes, offset + 6);
  return offset + 10;
}
