/** The opening handshake of RFC 6455, section 4, seen from the client: a request, and what may be accepted as its answer. */
import { createHash, randomBytes } from 'node:crypto';

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Largest answer in bytes before the blank line; as much as Node's own HTTP parser takes. */
const answerBytesMax = 16_384;

/** A fresh key, and the answer that proves that the other side understood it. */
export function newHandshakeKey(): { key: string; accept: string } {
  const key = randomBytes(16).toString('base64');
  return {
    key,
    accept: createHash('sha1')
      .update(key + magic)
      .digest('base64'),
  };
}

/** The bytes that ask for the upgrade. No extension is offered: compressed frames could not be audited in place. */
export function handshakeRequest(url: URL, key: string, headers: readonly string[]): string {
  return [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
    ...headers,
    '\r\n',
  ].join('\r\n');
}

/** `open` with the offset where frames begin, `refused` with the HTTP status or what was wrong, or `incomplete`. */
export type HandshakeAnswer =
  | { state: 'open'; framesAt: number }
  | { state: 'refused'; why: string }
  | { state: 'incomplete' };

/** Reads the answer from all bytes received so far. */
export function readHandshakeAnswer(bytes: Buffer, accept: string): HandshakeAnswer {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1)
    return bytes.length > answerBytesMax
      ? { state: 'refused', why: 'no end of headers' }
      : { state: 'incomplete' };
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1];
  if (status === undefined) return { state: 'refused', why: 'not HTTP/1.1' };
  if (status !== '101') return { state: 'refused', why: status };
  const headers = new Map(lines.map(splitHeader));
  if (headers.get('upgrade')?.toLowerCase() !== 'websocket') return { state: 'refused', why: 'no upgrade' };
  if (!/(^|,)\s*upgrade\s*(,|$)/i.test(headers.get('connection') ?? ''))
    return { state: 'refused', why: 'no upgrade' };
  if (headers.get('sec-websocket-accept') !== accept) return { state: 'refused', why: 'wrong accept' };
  if (headers.has('sec-websocket-extensions')) return { state: 'refused', why: 'unasked extension' };
  return { state: 'open', framesAt: end + 4 };
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
}
