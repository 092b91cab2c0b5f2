/** The frame `filenames`: gives a person signed addresses for their images. It asks nobody, keeps nothing. */
import { Counter, type Registry } from 'prom-client';
import {
  closeCode,
  encodeFilenamesAck,
  type FilenamesAck,
  type FilenamesRequest,
  imageTypes,
  isImageType,
  parseFilenames,
} from '#protocol';
import type { PersonPart } from '../accounts/person.ts';
import { newImagePath, signedTarget } from './address.ts';
import { checkMediaAddress, type MediaAddressSettings } from './settings.ts';

/**
 * The part of a stage that gives addresses. Without a media server it answers that there is none. Throws a
 * `SettingsError` where only a half of what it needs was set. `nowMs`: the clock, in ms since 1970.
 */
export function uploadAddresses(
  settings: MediaAddressSettings,
  registry: Registry,
  nowMs: () => number = Date.now,
): PersonPart {
  checkMediaAddress(settings);
  const answers = new Counter({
    name: 'chat_media_filenames_total',
    help: 'Answers to people who asked for upload addresses',
    registers: [registry],
    labelNames: ['result'],
  });
  return {
    handlers: new Map([
      [
        'filenames',
        (session, frame) => {
          const request = parseFilenames(frame);
          if ('fault' in request) return session.close(closeCode.malformed, request.detail);
          const ack = acknowledge(request, session.person!.user, settings, nowMs());
          answers.inc({ result: ack.result });
          session.sendText(encodeFilenamesAck(ack));
        },
      ],
    ]),
  };
}

function acknowledge(
  { count, contentType, bytes }: FilenamesRequest,
  user: string,
  { mediaUrl, mediaSecret, mediaExpiryMs, mediaBytesMax }: MediaAddressSettings,
  nowMs: number,
): FilenamesAck {
  const [key] = mediaSecret;
  if (key === undefined) return { result: 'closed', detail: 'this chat takes no images' };
  if (!isImageType(contentType))
    return { result: 'unsupported', detail: `contentType must be one of ${imageTypes.join(', ')}` };
  if (bytes > mediaBytesMax)
    return {
      result: 'too_large',
      detail: `an image may have ${mediaBytesMax} bytes`,
      bytesMax: mediaBytesMax,
    };
  const expiresAtMs = nowMs + mediaExpiryMs;
  const uploads = Array.from({ length: count }, () => {
    const path = newImagePath(contentType);
    const grant = { path, type: contentType, bytesMax: bytes, expiresAtMs, user };
    return { upload: mediaUrl + signedTarget(grant, key), image: mediaUrl + path };
  });
  return { result: 'ok', uploads, expiresAtMs };
}
