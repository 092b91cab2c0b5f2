/** The header of an unmasked WebSocket frame (RFC 6455, section 5.2), as a server writes it. Hot path. */

/** The first byte of a final frame of text without extensions. */
const finalText = 0x81;

/** Bytes of an unmasked frame header for a payload of this many bytes. */
export function frameHeaderBytes(payloadBytes: number): number {
  if (payloadBytes < 126) return 2;
  return payloadBytes < 65536 ? 4 : 10;
}

/** Writes the header of a final, unmasked text frame at `offset` and returns the offset of its payload. */
export function writeTextFrameHeader(target: Buffer, offset: number, payloadBytes: number): number {
  target[offset] = finalText;
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

/** Each payload of UTF-8 as a frame, one behind the other. */
export function frameTexts(payloads: readonly Buffer[]): Buffer {
  let bytes = 0;
  for (const { length } of payloads) bytes += frameHeaderBytes(length) + length;
  const frames = Buffer.allocUnsafeSlow(bytes);
  let offset = 0;
  for (const payload of payloads) {
    offset = writeTextFrameHeader(frames, offset, payload.length);
    offset += payload.copy(frames, offset);
  }
  return frames;
}
