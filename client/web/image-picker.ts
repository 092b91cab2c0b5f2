/** Images on the page: picks a file, uploads it, and knows which addresses may be shown as images. */
import { imageTypes } from '#protocol';
import type { Images } from '../core/images.ts';
import { find, make } from './elements.ts';

const button = find('attach', HTMLButtonElement);
const input = find('image', HTMLInputElement);
let origin: string | undefined;

/** The content policy of the page names the media server: only its images can be shown. */
export function allowImages(contentSecurityPolicy: string | null): void {
  origin = /img-src 'self' (https?:\/\/[^\s;]+)/.exec(contentSecurityPolicy ?? '')?.[1];
}

/** Offers to send an image to those who are logged in, where there is a media server. */
export function offerImages(isOffered: boolean): void {
  button.hidden = !isOffered || origin === undefined;
}

/**
 * Uploads the file that a person picks. `images` is asked at that moment; `send` gets the address of the
 * image, `fail` a sentence that says why there is none.
 */
export function onImage(
  images: () => Images | undefined,
  send: (url: string) => void,
  fail: (sentence: string) => void,
): void {
  input.accept = imageTypes.join(',');
  button.addEventListener('click', () => input.click());
  input.addEventListener('change', async () => {
    const [file] = input.files ?? [];
    const uploads = images();
    input.value = '';
    if (!file || !uploads) return;
    button.disabled = true;
    const upload = await uploads.upload(new Uint8Array(await file.arrayBuffer()));
    button.disabled = false;
    if (upload.result === 'ok') send(upload.url);
    else fail(`The image was not sent: ${upload.detail}.`);
  });
}

/** The image that a text is the address of; undefined where it is none of the media server. */
export function imageOf(text: string, from: string): HTMLElement | undefined {
  const url = URL.parse(text);
  if (origin === undefined || url?.origin !== origin || url.href !== text) return undefined;
  const image = make('img', '');
  image.src = url.href;
  image.alt = `image of ${from}`;
  image.loading = 'lazy';
  image.referrerPolicy = 'no-referrer';
  const link = make('a', 'image', image);
  link.href = url.href;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  return link;
}
