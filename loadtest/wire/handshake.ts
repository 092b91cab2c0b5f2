/** The opening handshake of a client (RFC 6455, section 4): the request, and the check of its response. */
import { createHash, randomBytes } from 'node:crypto';

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Largest response header in bytes, the same as in Node's own HTTP parser. */
const responseBytesMax = 16_384;

/** A fresh key, and the value of Sec-WebSocket-Accept that must come back. */
export function newHandshakeKey(): { key: string; accept: string } {
  const key = randomBytes(16).toString('base64');
  return {
    key,
    accept: createHash('sha1')
      .update(key + magic)
      .digest('base64'),
  };
}

/** The request for the upgrade. It offers no extension: compressed frames could not be audited in place. */
export function handshakeRequest(url: URL, key: string, headers: Readonly<Record<string, string>>): string {
  return [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '\r\n',
  ].join('\r\n');
}

/** `open` with the offset of the first frame, `refused` with an HTTP status or a fault, or `incomplete`. */
export type HandshakeResponse =
  | { state: 'open'; framesAt: number }
  | { state: 'refused'; why: string; retryAfterMs?: number }
  | { state: 'incomplete' };

/** Reads the response from all bytes received so far. */
export function readHandshakeResponse(bytes: Buffer, accept: string): HandshakeResponse {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1)
    return bytes.length > responseBytesMax
      ? { state: 'refused', why: 'no end of headers' }
      : { state: 'incomplete' };
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1];
  if (status === undefined) return { state: 'refused', why: 'not HTTP/1.1' };
  const headers = new Map(lines.map(splitHeader));
  if (status !== '101') {
    const retryAfterMs = parseRetryAfterMs(headers.get('retry-after'));
    return { state: 'refused', why: status, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  if (headers.get('upgrade')?.toLowerCase() !== 'websocket') return { state: 'refused', why: 'no upgrade' };
  if (!/(^|,)\s*upgrade\s*(,|$)/i.test(headers.get('connection') ?? ''))
    return { state: 'refused', why: 'no upgrade' };
  if (headers.get('sec-websocket-accept') !== accept) return { state: 'refused', why: 'wrong accept' };
  if (headers.has('sec-websocket-extensions')) return { state: 'refused', why: 'unasked extension' };
  return { state: 'open', framesAt: end + 4 };
}

/** A Retry-After header in milliseconds; undefined where it holds no seconds. */
export function parseRetryAfterMs(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
}
