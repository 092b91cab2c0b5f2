/** The kinds of image that are taken: media type, extension, and how the bytes begin. Pure. */
import type { ImageType } from '#protocol';

type Kind = {
  readonly type: ImageType;
  readonly extension: string;
  /** Whether a file of this size can begin with these bytes: `headBytes` of them, or the whole file. */
  readonly begins: (head: Buffer, fileBytes: number) => boolean;
};

/** Of the beginning of a file, as many bytes as tell its kind. */
export const headBytes = 16;

/**
 * The signature and the first structure behind it. PNG: the chunk IHDR of 13 bytes (ISO/IEC 15948, 5.2 and
 * 11.2.1). JPEG: SOI, then another marker (ITU-T T.81, B.1.1.3). GIF: the version, and a screen that is not
 * empty (GIF89a specification, 17 and 18). WebP: a RIFF whose size is that of the file (RFC 9649, 2.4), and
 * its first chunk.
 */
const kinds: readonly Kind[] = [
  {
    type: 'image/jpeg',
    extension: 'jpg',
    begins: (head) => startsWith(head, 'ffd8ff') && (head[3] ?? 0) >= 0xc0 && head[3] !== 0xff,
  },
  {
    type: 'image/png',
    extension: 'png',
    begins: (head) => startsWith(head, '89504e470d0a1a0a0000000d49484452'),
  },
  {
    type: 'image/gif',
    extension: 'gif',
    begins: (head) =>
      /^GIF8[79]a/.test(head.toString('latin1')) &&
      head.length >= 10 &&
      head.readUInt16LE(6) > 0 &&
      head.readUInt16LE(8) > 0,
  },
  {
    type: 'image/webp',
    extension: 'webp',
    begins: (head, fileBytes) =>
      /^RIFF.{4}WEBPVP8[ LX]$/s.test(head.toString('latin1')) && head.readUInt32LE(4) + 8 === fileBytes,
  },
];

const byType = new Map<string, Kind>(kinds.map((kind) => [kind.type, kind]));
const byExtension = new Map(kinds.map((kind) => [kind.extension, kind]));

/** The extensions, as alternatives of a regular expression. */
export const extensionsPattern = kinds.map(({ extension }) => extension).join('|');

export function extensionOf(type: ImageType): string {
  return byType.get(type)!.extension;
}

/** The media type that the extension of a file stands for. */
export function typeOf(extension: string): ImageType {
  return byExtension.get(extension)!.type;
}

/** Whether a file can be an image of that type. */
export function beginsAs(type: ImageType, head: Buffer, fileBytes: number): boolean {
  return byType.get(type)!.begins(head.subarray(0, headBytes), fileBytes);
}

function startsWith(head: Buffer, hex: string): boolean {
  return head.subarray(0, hex.length / 2).toString('hex') === hex;
}
