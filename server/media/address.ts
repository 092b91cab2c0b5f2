/**
 * Upload addresses: how a node signs one, and how the media server checks it. Pure.
 *
 * An address is the media URL and `<path>?bytes=<maximum>&expires=<ms>&user=<user>&signature=<signature>`.
 * The signature is HMAC-SHA256 (RFC 2104) in base64url, with a key of the setting `mediaSecret`, over these
 * lines of ASCII, each but the last followed by one line feed:
 *
 *     chat-media-1
 *     PUT
 *     <path>
 *     <maximum of the body in bytes>
 *     <media type>
 *     <expiry in ms since 1970>
 *     <user>
 *
 * The path is the one that the media server sees: where the media URL has a path of its own, a proxy takes it
 * away. The extension of the path stands for the media type, so it needs no parameter.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ImageType } from '#protocol';
import { extensionOf, extensionsPattern, typeOf } from './image-kind.ts';

/** What a signature allows. */
export type UploadGrant = {
  /** Where the image will stand: `/ab/cd/abcd….png`. */
  readonly path: string;
  readonly type: ImageType;
  readonly bytesMax: number;
  readonly expiresAtMs: number;
  readonly user: string;
};

/** Chosen: nobody who was not told the name of an image guesses it. */
const nameBytes = 16;
/** Directories by prefix: 65,536 of them, so that none grows large. Nothing else is a path. */
const pathPattern = new RegExp(
  `^/([0-9a-f]{2})/([0-9a-f]{2})/\\1\\2[0-9a-f]{${2 * nameBytes - 4}}\\.(${extensionsPattern})$`,
);
const queryPattern =
  /^bytes=([1-9]\d{0,15})&expires=([1-9]\d{0,15})&user=([a-z0-9_-]{1,32})&signature=([\w-]{43})$/;

/** A new path with a random name of 128 bits. */
export function newImagePath(type: ImageType): string {
  const name = randomBytes(nameBytes).toString('hex');
  return `/${name.slice(0, 2)}/${name.slice(2, 4)}/${name}.${extensionOf(type)}`;
}

/**
 * The media type of the image at a path; undefined where no image can have it. The path is taken as it came:
 * nothing in it is decoded, so nothing encoded can mean anything.
 */
export function typeOfPath(path: string): ImageType | undefined {
  const extension = pathPattern.exec(path)?.[3];
  return extension === undefined ? undefined : typeOf(extension);
}

/** The path and the query of an upload address. */
export function signedTarget(grant: UploadGrant, key: string): string {
  const { path, bytesMax, expiresAtMs, user } = grant;
  const signature = sign(grant, key).toString('base64url');
  return `${path}?bytes=${bytesMax}&expires=${expiresAtMs}&user=${user}&signature=${signature}`;
}

/**
 * Reads the target of a `PUT`. `malformed`: not of the form of an upload address. `forged`: no key has signed
 * it. Whether it has expired is for the caller to see.
 */
export function readSignedTarget(
  target: string,
  keys: readonly string[],
): UploadGrant | 'malformed' | 'forged' {
  const [path = '', query, ...rest] = target.split('?');
  const type = typeOfPath(path);
  const [, bytes, expires, user, signature] = queryPattern.exec(query ?? '') ?? [];
  if (type === undefined || signature === undefined || rest.length > 0) return 'malformed';
  const grant = { path, type, bytesMax: Number(bytes), expiresAtMs: Number(expires), user: user! };
  const given = Buffer.from(signature, 'base64url');
  return keys.some((key) => timingSafeEqual(sign(grant, key), given)) ? grant : 'forged';
}

function sign({ path, type, bytesMax, expiresAtMs, user }: UploadGrant, key: string): Buffer {
  const canonical = ['chat-media-1', 'PUT', path, bytesMax, type, expiresAtMs, user].join('\n');
  return createHmac('sha256', key).update(canonical).digest();
}
