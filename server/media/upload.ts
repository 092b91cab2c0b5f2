/** One upload: the checks before its body, then the body into quarantine, then its name. */
import type { IncomingMessage } from 'node:http';
import type { ImageType } from '#protocol';
import { readSignedTarget, type UploadGrant } from './address.ts';
import { beginsAs, headBytes } from './image-kind.ts';
import type { MediaStore, Quarantined } from './media-store.ts';
import { busy, Refusal } from './refusal.ts';
import type { MediaServerSettings } from './settings.ts';
import type { UploadSlots } from './upload-slots.ts';

/** The client has gone before its upload was whole. Nobody hears an answer. */
export class AbortedError extends Error {}

export type UploadParts = {
  readonly settings: MediaServerSettings;
  readonly store: MediaStore;
  readonly slots: UploadSlots;
  /** Is told the bytes that came, also of an upload that fails. */
  readonly count: (receivedBytes: number) => void;
};

/** Errors of the system that mean that the disk has no more room: none, no quota, no larger file. */
const noRoom = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const noDescriptor = new Set(['EMFILE', 'ENFILE']);
const aborted = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED']);

/**
 * Takes the image of a `PUT`, and resolves with its path and size when it is published. Rejects with a
 * `Refusal` or an `AbortedError`, and leaves nothing behind then. `begin` is called before the first byte of
 * the body is read.
 */
export async function takeUpload(
  request: IncomingMessage,
  { settings, store, slots, count }: UploadParts,
  begin: () => void,
): Promise<{ path: string; bytes: number }> {
  const nowMs = Date.now();
  const { path, type, user, bytesMax } = grantOf(request, settings.mediaSecret, nowMs);
  const bytes = lengthOf(request, Math.min(bytesMax, settings.mediaBytesMax));
  if (request.headers['content-type']?.toLowerCase() !== type)
    throw new Refusal(415, `this address was given for Content-Type ${type}`);
  if (await store.has(path)) throw new Refusal(409, taken);
  const slot = slots.take(path, user, bytes, await store.freeBytes(), nowMs);
  const body = { type, bytes, timeoutMs: settings.mediaTransferTimeoutMs };
  let receivedBytes = 0;
  const received = (chunkBytes: number) => {
    receivedBytes += chunkBytes;
  };
  try {
    const file = await store.create();
    try {
      begin();
      await receive(request, file, body, received);
      await file.handle.sync();
      await file.handle.close();
      if (!(await store.publish(file, path))) throw new Refusal(409, taken);
    } finally {
      await store.discard(file);
    }
  } catch (error) {
    throw named(error);
  } finally {
    slot.release(receivedBytes);
    count(receivedBytes);
  }
  return { path, bytes };
}

const taken = 'an image stands at this address already: it is never replaced';

/** Throws a `Refusal` where the address is none, was not signed with a key, or has expired. */
function grantOf({ url = '' }: IncomingMessage, keys: readonly string[], nowMs: number): UploadGrant {
  const grant = readSignedTarget(url, keys);
  if (grant === 'malformed')
    throw new Refusal(400, 'this is no upload address: ask for one, and use all of it as it came');
  if (grant === 'forged') throw new Refusal(403, 'the signature of this upload address is wrong');
  if (nowMs >= grant.expiresAtMs) throw new Refusal(403, 'this upload address has expired: ask for another');
  return grant;
}

/** The length of the body in bytes. Throws a `Refusal` where it is not named, or larger than allowed. */
function lengthOf({ headers }: IncomingMessage, bytesMax: number): number {
  const { 'content-length': length } = headers;
  if (length === undefined) throw new Refusal(411, 'send the length of the image, as Content-Length');
  if (Number(length) > bytesMax)
    throw new Refusal(413, `this address takes at most ${bytesMax} bytes; Content-Length says ${length}`);
  return Number(length);
}

type Body = { readonly type: ImageType; readonly bytes: number; readonly timeoutMs: number };

/** Writes the body into the file. Rejects where it is too slow, not whole, or not of its type. */
async function receive(
  request: IncomingMessage,
  { handle }: Quarantined,
  { type, bytes, timeoutMs }: Body,
  received: (chunkBytes: number) => void,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const refusal = new Refusal(408, `the upload took longer than ${timeoutMs} ms`, { connection: 'close' });
    timer = setTimeout(() => reject(refusal), timeoutMs);
  });
  // An iterator that is left early would destroy the connection, and with it the answer.
  const chunks = request.iterator({ destroyOnReturn: false });
  let head = Buffer.alloc(0);
  let isKnown = false;
  let total = 0;
  try {
    for (;;) {
      const { value, done } = (await Promise.race([chunks.next(), late])) as IteratorResult<Buffer>;
      if (done) break;
      received(value.length);
      total += value.length;
      if (total > bytes) throw new Refusal(413, `more came than the ${bytes} bytes of Content-Length`);
      if (!isKnown) {
        head = Buffer.concat([head, value]);
        if (head.length < Math.min(headBytes, bytes)) continue;
        if (!beginsAs(type, head, bytes)) throw new Refusal(415, `these bytes are no ${type}`);
        isKnown = true;
        await handle.writeFile(head);
      } else await handle.writeFile(value);
    }
  } finally {
    clearTimeout(timer);
    // Not awaited: a next() that never resolves, as of a client that is too slow, would hold it up.
    void chunks.return?.().catch(() => {});
  }
  if (total < bytes) throw new AbortedError('the upload is not whole');
  if (!isKnown) throw new Refusal(415, `these bytes are no ${type}`);
}

/** An error of the system as what it means for the client. */
function named(error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (noRoom.has(code)) return new Refusal(507, 'the disk of the images is full: nothing was stored');
  if (noDescriptor.has(code)) return busy(503, 'too many files are open: try again', 1);
  return aborted.has(code) ? new AbortedError('the client has gone') : error;
}
