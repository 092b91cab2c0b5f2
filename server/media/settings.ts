/** The settings of images: those of every node, which signs addresses, and those of the media server. */
import { size, time } from '#host/units.ts';
import {
  group,
  integer,
  limit,
  list,
  type Setting,
  SettingsError,
  text,
  type ValuesOf,
} from '../settings.ts';

/** Chosen: 128 bits in hexadecimal digits, and more than a person can remember. */
const keyCharsMin = 32;
/** Chosen: each key is tried for each upload. */
const keysMax = 4;
const keys = `${keyCharsMin} to 1024 visible ASCII characters, of which none is a comma`;

/** Several keys while one takes the place of another: the first signs, and all are good. */
const mediaSecret: Setting<readonly string[]> = {
  default: [],
  read: (given) => {
    const each = given.split(',');
    const areKeys = each.every((key) => /^[!-+\--~]{32,1024}$/.test(key));
    return each.length <= keysMax && areKeys ? each : undefined;
  },
  required: `${keys}; or up to ${keysMax} of them, with commas between them`,
  about:
    'key that signs upload addresses, the same for all nodes and the media server; after a comma: older keys',
  isSecret: () => true,
};

/** Anything but the exact text that a browser sends would never match. */
const anyList = list(
  'origins of the pages that may upload (default: none); clients without Origin always may',
);
const pageOrigins: Setting<readonly string[]> = {
  ...anyList,
  read: (given) => {
    const origins = anyList.read(given);
    const areOrigins = origins?.every((one) => URL.canParse(one) && new URL(one).origin === one);
    return areOrigins ? origins : undefined;
  },
  required: 'origins, such as https://chat.example, with commas between them and no slash at the end',
};

/** The bounds are chosen, not measured. */
export const mediaAddressSettings = group('Images', {
  mediaUrl: {
    default: '',
    read: parseMediaUrl,
    required: 'http:// or https://, a host and perhaps a port and a path, such as https://media.example',
    about: 'public address of the media server (default: nobody can upload images)',
  } satisfies Setting<string>,
  mediaSecret,
  mediaExpiryMs: integer(1_000, 24 * 3_600_000, 300_000, 'time in which an upload address can be used', time),
  mediaBytesMax: limit(1024, 1024 ** 3, 5 * 1024 ** 2, 'largest image', size),
});

/** The bounds are chosen, not measured. */
export const mediaServerSettings = group('Media server (--role media)', {
  mediaDirectory: text(/^[^\0]{1,4096}$/, 'the path of a directory', '', 'directory of the images'),
  mediaOrigins: pageOrigins,
  mediaUploadsMax: limit(1, 10_000, 64, 'uploads at a time'),
  mediaUserUploadsMax: limit(1, 1_000, 8, 'uploads of one user at a time'),
  mediaUserDayBytesMax: limit(
    1024,
    1024 ** 4,
    256 * 1024 ** 2,
    'what one user uploads in a day of UTC',
    size,
  ),
  mediaDownloadsMax: limit(1, 100_000, 512, 'downloads at a time'),
  mediaConnectionsMax: limit(1, 100_000, 2_048, 'connections at a time'),
  mediaTransferTimeoutMs: limit(100, 3_600_000, 120_000, 'time that one upload or download may take', time),
  mediaFreeBytesMin: integer(
    0,
    1024 ** 5,
    256 * 1024 ** 2,
    'space of the disk that uploads leave free',
    size,
  ),
});

export type MediaAddressSettings = ValuesOf<typeof mediaAddressSettings>;
export type MediaServerSettings = ValuesOf<typeof mediaAddressSettings | typeof mediaServerSettings>;

/** Throws a `SettingsError` where a node has an address without a key, or a key without an address. */
export function checkMediaAddress({ mediaUrl, mediaSecret }: MediaAddressSettings): void {
  if (mediaUrl !== '' && mediaSecret.length === 0) throw new SettingsError(withoutSecret('--media-url was'));
  if (mediaUrl === '' && mediaSecret.length > 0)
    throw new SettingsError(
      'Set --media-url to the public address of the media server; only its key was given.',
    );
}

/** Throws a `SettingsError` that names all that a media server cannot do without. */
export function checkMediaServer({ mediaDirectory, mediaSecret }: MediaServerSettings): void {
  const problems: string[] = [];
  if (mediaDirectory === '')
    problems.push(
      'Set --media-directory to the directory of the images: a media server needs one; none was given.',
    );
  if (mediaSecret.length === 0) problems.push(withoutSecret('--role media was'));
  if (problems.length > 0) throw new SettingsError(problems.join('\n'));
}

const withoutSecret = (given: string) =>
  `Set --media-secret-file or CHAT_MEDIA_SECRET to ${keys}: ${given} given without it.`;

/** Without the slash at its end; a query or a password has no place in it. */
function parseMediaUrl(given: string): string | undefined {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return undefined;
  const isPlain = url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  // The address stands in a header of the page (Content-Security-Policy), where these would end it.
  if (!isPlain || /[;,\s'"]/.test(given)) return undefined;
  return url.href.replace(/\/$/, '');
}
