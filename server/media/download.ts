/** One download: an image never changes, so whoever has it once need not ask again. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { typeOfPath } from './address.ts';
import type { MediaStore } from './media-store.ts';
import { Refusal, writeHead } from './refusal.ts';

/**
 * Answers a GET or HEAD of a path, and resolves with the bytes of the body when all is handed to the system.
 * Rejects with a `Refusal` where there is no image. A connection that ends early is no error.
 */
export async function sendImage(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  store: Pick<MediaStore, 'find'>,
): Promise<number> {
  const type = typeOfPath(path);
  const image = type && (await store.find(path));
  if (!image) throw new Refusal(404, 'there is no image at this address');
  const { handle, bytes } = image;
  // A name is given once, so it tells the content as well as a hash.
  const etag = `"${basename(path)}"`;
  const cached = { etag, 'cache-control': 'public, max-age=31536000, immutable' };
  if (isKnown(request.headers['if-none-match'], etag)) {
    await handle.close();
    writeHead(response, 304, cached);
    response.end();
    return 0;
  }
  writeHead(response, 200, {
    ...cached,
    'content-type': type,
    'content-length': bytes,
    'content-disposition': `inline; filename="${basename(path)}"`,
    'accept-ranges': 'none',
  });
  if (request.method === 'HEAD') {
    await handle.close();
    response.end();
    return 0;
  }
  const file = handle.createReadStream({ highWaterMark: readBytes });
  try {
    await pipeline(file, response);
  } catch (error) {
    if (!leaving.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    // A client that had gone before the first byte: `pipeline` leaves the file open then.
    file.destroy();
    await handle.close();
  }
  return file.bytesRead;
}

/** The client has gone, before or after the first byte: nothing is wrong with the image. */
const leaving = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_UNABLE_TO_PIPE', 'ECONNRESET', 'EPIPE']);
/** Chosen: a common image in few reads. */
const readBytes = 256 * 1024;

function isKnown(header: string | undefined, etag: string): boolean {
  const known = header?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return known.includes(etag) || known.includes('*');
}
