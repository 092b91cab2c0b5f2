/**
 * Images: how a person asks for addresses to upload to, and how the server answers.
 *
 * The addresses lead to the media server. Each takes one `PUT`, with the `Content-Type` and at most the bytes
 * that were asked for, until it expires. Afterwards the image stands at `image`, for everybody who knows it.
 */
import type { DecodeFault } from './message.ts';

/** The media types that the media server takes and serves. */
export const imageTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'] as const;
export type ImageType = (typeof imageTypes)[number];

/** The most addresses that one frame asks for. */
export const filenamesMax = 8;

/** What a person asks for: `count` addresses, for images of one media type and of at most `bytes` each. */
export type FilenamesRequest = {
  readonly count: number;
  readonly contentType: string;
  readonly bytes: number;
};

/** Where one image goes. */
export type UploadAddress = {
  /** The signed URL for the `PUT`. It is a secret until it is used or expires. */
  readonly upload: string;
  /** The URL of the image afterwards. */
  readonly image: string;
};

/** Why there are no addresses. */
export type FilenamesRefusal =
  /** The media type is not in `imageTypes`. */
  | 'unsupported'
  /** More bytes than `bytesMax`. */
  | 'too_large'
  /** This server has no media server. */
  | 'closed';

export type FilenamesAck =
  | {
      readonly result: 'ok';
      readonly uploads: readonly UploadAddress[];
      /** When the upload addresses expire, in ms since 1970. */
      readonly expiresAtMs: number;
    }
  | {
      readonly result: FilenamesRefusal;
      readonly detail: string;
      /** With `too_large`. */
      readonly bytesMax?: number;
    };

/** True for a media type that the media server takes. */
export function isImageType(text: string): text is ImageType {
  return (imageTypes as readonly string[]).includes(text);
}

/** The request as the text of a frame. */
export function encodeFilenames({ count, contentType, bytes }: FilenamesRequest): string {
  return JSON.stringify({ type: 'filenames', count, contentType, bytes });
}

/** Reads the fields of a frame `filenames`. It returns a fault and never throws. */
export function parseFilenames(frame: Readonly<Record<string, unknown>>): FilenamesRequest | DecodeFault {
  const { count, contentType, bytes } = frame;
  if (!isIntegerFrom(1, count) || count > filenamesMax)
    return { fault: 'malformed', detail: `count must be a whole number from 1 to ${filenamesMax}` };
  if (typeof contentType !== 'string' || !/^[!-~]{1,64}$/.test(contentType))
    return { fault: 'malformed', detail: 'contentType must be a media type, such as image/png' };
  if (!isIntegerFrom(1, bytes)) return { fault: 'malformed', detail: 'bytes must be a whole number from 1' };
  return { count, contentType, bytes };
}

/** The answer as the text of a frame. */
export function encodeFilenamesAck(ack: FilenamesAck): string {
  return JSON.stringify({ type: 'filenames_ack', ...ack });
}

/**
 * Reads the text of a frame; undefined where it is no frame `filenames_ack`. A refusal that is not known is
 * kept, so that its detail can be shown. Never throws.
 */
export function parseFilenamesAck(text: string): FilenamesAck | undefined {
  if (!text.startsWith('{"type":"filenames_ack"')) return undefined;
  let value: Record<string, unknown>;
  try {
    value = Object(JSON.parse(text));
  } catch {
    return undefined;
  }
  const { result, uploads, expiresAtMs, detail, bytesMax } = value;
  if (result === 'ok') {
    if (!Array.isArray(uploads) || !uploads.every(isUploadAddress)) return undefined;
    const addresses = uploads.map(({ upload, image }) => ({ upload, image }));
    return isIntegerFrom(0, expiresAtMs) ? { result, uploads: addresses, expiresAtMs } : undefined;
  }
  if (typeof result !== 'string') return undefined;
  return {
    result: result as FilenamesRefusal,
    detail: typeof detail === 'string' ? detail : result,
    ...(isIntegerFrom(0, bytesMax) && { bytesMax }),
  };
}

function isIntegerFrom(min: number, value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min;
}

function isUploadAddress(value: unknown): value is UploadAddress {
  const { upload, image } = Object(value) as Record<string, unknown>;
  return typeof upload === 'string' && typeof image === 'string';
}
