/** One trial: people write and upload images, the media server is killed, and every image is looked for. */
import { createAccounts, peopleNamed } from '../lab/people/accounts.ts';
import { ImageUploads } from '../lab/people/image-uploads.ts';
import { Photographer } from '../lab/people/photographer.ts';
import { imageBytes, uploadMs } from '../lab/people/upload.ts';
import type { FigureContext, Figures } from '../lab/shapes/figures/figures.ts';
import { readMetric } from '../lab/trial/server-metrics.ts';
import { betweenMs, kills, measureMessages, settleMs, type Wait } from './kills.ts';

// Chosen, not measured: several uploads are under way at any time, and their writes to the disk are few.
const photographers = 12;
const imagesPerSecond = 20;
const transferTimeoutMs = 1000;
/** The media server removes what a kill has left when it is older than twice what an upload may take. */
const mediaDownMs = 2 * transferTimeoutMs + 200;

export const mediaSettings = { 'media-transfer-timeout': `${transferTimeoutMs}ms` };

export const mediaKilled = `With the media server it is this way: beside the messages, ${photographers} more people upload ${imagesPerSecond} images of ${imageBytes / 1024} KiB per second together, each within ${uploadMs} ms. The media server is killed ${kills} times with SIGKILL, each time for ${mediaDownMs} ms, and started again with its directory. An upload that broke off is tried again, at its own address or at a new one. In the end every acknowledged image is fetched and compared.`;

export const mediaNote = `What a kill has left of uploads is removed when the media server starts, and once a minute, if it is older than twice the longest upload (--media-transfer-timeout): here ${transferTimeoutMs} ms in place of 120 s, so that a trial sees it.`;

export async function measureMediaKills(context: FigureContext): Promise<Figures> {
  const { deployment, signal, seed } = context;
  const { nodes } = deployment;
  const accounts = peopleNamed('i', photographers);
  await createAccounts(nodes[0]!.directUrl, accounts, signal);
  using stack = new DisposableStack();
  const uploaders = accounts.map((person, index) =>
    stack.use(new Photographer(person, nodes[index % nodes.length]!.directUrl)),
  );
  const uploads = stack.use(new ImageUploads(uploaders, { seed, signal }));
  let leftoversRemoved = 0;
  const messages = await measureMessages(context, async (wait) => {
    uploads.begin(imagesPerSecond);
    await wait(betweenMs);
    leftoversRemoved = await killMedia(deployment, wait);
  });
  uploads.rest();
  await uploads.settle(settleMs);
  await uploads.check();
  const { acked, unanswered, lost, changed } = uploads.ledger.audit();
  return {
    ...messages,
    imagesAcked: acked,
    imagesLost: lost,
    imagesChanged: changed,
    imagesUnanswered: unanswered,
    leftoversRemoved,
    leftoversKept: await deployment.media!.quarantined(),
  };
}

/** Resolves with the number of files that the media server removed when it started again. */
async function killMedia({ media }: FigureContext['deployment'], wait: Wait): Promise<number> {
  let removed = 0;
  for (let turn = 0; turn < kills; turn++) {
    await media!.signal('SIGKILL');
    await wait(mediaDownMs);
    await media!.restart();
    const metrics = await (await fetch(`${media!.internalUrl}/metrics`)).text();
    removed += readMetric(metrics, 'chat_media_swept_total') ?? 0;
    await wait(betweenMs);
  }
  return removed;
}
