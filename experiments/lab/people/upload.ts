/** One image over the wire: its bytes, a `PUT` as slow as that of a phone, and what a URL has in the end. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export const imageType = 'image/png';
/** Chosen, not measured: an upload takes long enough that a kill meets some of them. */
export const imageBytes = 64 * 1024;
const pieces = 4;
const pauseMs = 50;
export const uploadMs = pieces * pauseMs;
/** Longer than any answer takes. Chosen, not measured. */
const answerTimeoutMs = 10_000;
/** Signature, and length and name of the first chunk: what tells a PNG (ISO/IEC 15948, 5.2 and 11.2.1). */
const head = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

/** The same bytes for the same seed, and other ones for each other. */
export function imageOf(seed: string): Buffer {
  const outputLength = imageBytes - head.length;
  return Buffer.concat([head, createHash('shake256', { outputLength }).update(seed).digest()]);
}

/** Resolves with the status. Rejects where no answer came: it may be stored, or not. */
export async function putImage(url: string, body: Buffer, ended: AbortSignal): Promise<number> {
  const headers = { 'content-type': imageType, 'content-length': body.length };
  const signal = AbortSignal.any([ended, AbortSignal.timeout(answerTimeoutMs)]);
  const upload = request(url, { method: 'PUT', headers, signal });
  const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
  // A refusal may come before the body is sent, and ends the connection: the answer counts.
  pipeline(Readable.from(slowly(body)), upload).catch(() => {});
  const [response] = await answered;
  response.on('error', () => {}).resume();
  return response.statusCode!;
}

/** The image at a URL; null where there is none, or no answer. */
export async function getImage(url: string, ended: AbortSignal): Promise<Buffer | null> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(answerTimeoutMs)]);
  try {
    const response = await fetch(url, { signal });
    const body = Buffer.from(await response.arrayBuffer());
    return response.status === 200 ? body : null;
  } catch {
    ended.throwIfAborted();
    return null;
  }
}

async function* slowly(body: Buffer): AsyncGenerator<Buffer> {
  const pieceBytes = Math.ceil(body.length / pieces);
  for (let at = 0; at < body.length; at += pieceBytes) {
    await sleep(pauseMs);
    yield body.subarray(at, at + pieceBytes);
  }
}
