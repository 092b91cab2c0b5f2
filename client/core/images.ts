/** Images: asks the server for an address to upload to, and uploads there. */
import { encodeFilenames, type FilenamesAck, type FilenamesRequest, type ImageType } from '#protocol';

/** An image that was uploaded, or a sentence that says why it was not. */
export type Upload =
  | { readonly result: 'ok'; readonly url: string }
  | { readonly result: 'failed'; readonly detail: string };

/** The longest wait for the media server to take an image. Chosen, not measured. */
const uploadMsMax = 120_000;

type Request = { readonly frame: FilenamesRequest; readonly done: (ack: FilenamesAck | undefined) => void };

export class Images {
  readonly #send: (text: string) => boolean;
  /** An answer does not say to which request it belongs: one is asked at a time, the others wait. */
  readonly #requests: Request[] = [];

  /** `send` is false while nothing can be sent. */
  constructor(send: (text: string) => boolean) {
    this.#send = send;
  }

  /** Uploads an image. Never rejects. */
  async upload(image: Uint8Array<ArrayBuffer>): Promise<Upload> {
    const contentType = imageTypeOf(image);
    if (contentType === undefined)
      return failed('it is not an image: required is a file in JPEG, PNG, GIF or WebP');
    const ack = await this.#ask({ count: 1, contentType, bytes: image.length });
    if (!ack) return failed('the connection was lost: try again');
    if (ack.result !== 'ok') return failed(ack.detail);
    const [address] = ack.uploads;
    return address
      ? put(address.upload, address.image, contentType, image)
      : failed('the server gave no address');
  }

  take(ack: FilenamesAck): void {
    this.#requests.shift()?.done(ack);
    this.#sendFirst();
  }

  /** The connection ended: nothing was uploaded yet, so the person may try again. */
  pause(): void {
    for (const { done } of this.#requests.splice(0)) done(undefined);
  }

  #ask(frame: FilenamesRequest): Promise<FilenamesAck | undefined> {
    return new Promise((done) => {
      if (this.#requests.push({ frame, done }) === 1) this.#sendFirst();
    });
  }

  #sendFirst(): void {
    const [request] = this.#requests;
    if (!request || this.#send(encodeFilenames(request.frame))) return;
    this.#requests.shift();
    request.done(undefined);
    this.#sendFirst();
  }
}

/** The media type of an image by its first bytes; undefined where a server would not take it. */
export function imageTypeOf(image: Uint8Array): ImageType | undefined {
  const head = String.fromCharCode(...image.subarray(0, 12));
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'image/gif';
  return head.startsWith('RIFF') && head.endsWith('WEBP') ? 'image/webp' : undefined;
}

async function put(
  upload: string,
  image: string,
  contentType: ImageType,
  body: Uint8Array<ArrayBuffer>,
): Promise<Upload> {
  try {
    const response = await fetch(upload, {
      method: 'PUT',
      headers: { 'content-type': contentType },
      body,
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.timeout(uploadMsMax),
    });
    const sentence = (await response.text()).trim().slice(0, 300);
    if (response.ok) return { result: 'ok', url: image };
    return failed(`the media server answered HTTP ${response.status}: ${sentence}`);
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string } };
    return failed(`the media server: ${cause?.code ?? message}`);
  }
}

const failed = (detail: string): Upload => ({ result: 'failed', detail });
