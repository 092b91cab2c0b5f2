/** Messages and images while nodes, Redis and the media server are killed, with each persistence of Redis. */
import { allocate } from '../lab/deployment/allocation.ts';
import type { Persistence } from '../lab/deployment/deployment.ts';
import { hasMailboxes, type StageInfo, takesImages } from '../lab/deployment/list-stages.ts';
import { cheapPasswords, cheapPasswordsNote, withoutRates } from '../lab/people/settings.ts';
import {
  type FigureExperiment,
  type FigureVariant,
  figures,
  variantsOfStages,
} from '../lab/shapes/figures/figures.ts';
import { type Kill, killed, measureKills, people, presentAtFirst, ratePerSecond } from './kills.ts';
import { measureMediaKills, mediaKilled, mediaNote, mediaSettings } from './media-kills.ts';

type Asked = { kill: Kill | 'media server'; persistence: Persistence };

const asked: readonly Asked[] = [
  { kill: 'node', persistence: 'always' },
  { kill: 'Redis', persistence: 'always' },
  { kill: 'node and Redis', persistence: 'always' },
  { kill: 'Redis', persistence: 'everysec' },
  { kill: 'Redis', persistence: 'none' },
];
const askedOfImages: readonly Asked[] = [{ kill: 'media server', persistence: 'always' }];
const owedImages = ['imagesLost', 'imagesChanged', 'imagesUnanswered', 'leftoversKept'];

export const mailboxKill: FigureExperiment = {
  name: '021-mailbox-kill',
  question:
    'How many acknowledged messages to persons and images are lost when nodes, Redis and the media server are killed, with each persistence of Redis?',
  shape: figures,
  // Processes can be had everywhere, and a kill is the same in containers.
  target: 'process',
  repetitions: 2,
  secondsPerTrial: 22,
  figures: [
    { key: 'acked', title: 'acked', kind: 'count', words: '{} messages acknowledged' },
    { key: 'lost', title: 'acked and lost', kind: 'count', words: '{} of them lost' },
    { key: 'doubled', title: 'doubled', kind: 'count', words: '{} heard twice' },
    {
      ...{ key: 'disordered', title: 'order broken', kind: 'count', words: '{} out of order' },
      isDetail: true,
    },
    { key: 'imagesAcked', title: 'images acked', kind: 'count', words: '{} images acknowledged' },
    { key: 'imagesLost', title: 'images lost', kind: 'count', words: '{} of them lost' },
    {
      ...{ key: 'imagesChanged', title: 'images changed', kind: 'count', words: '{} changed' },
      isDetail: true,
    },
    {
      ...{ key: 'ackMsMax', title: 'longest to ack', kind: 'ms', good: 'lower' },
      words: 'and a sender waited at most {}',
      plot: {
        title: 'The longest wait of a sender',
        caption: 'A dot for each trial: the longest time from writing a message to its acknowledgement.',
        file: 'longest-ack',
      },
    },
    { key: 'accountsLost', title: 'accounts lost', kind: 'count', isDetail: true },
    { key: 'deliveryMsMax', title: 'longest to hear', kind: 'ms', isDetail: true },
    { key: 'ackMsP50', title: 'ack p50', kind: 'ms', isDetail: true },
    { key: 'gone', title: 'told as gone', kind: 'count', isDetail: true },
    { key: 'refused', title: 'not accepted', kind: 'count', isDetail: true },
    { key: 'unanswered', title: 'unanswered', kind: 'count', isDetail: true },
    { key: 'strange', title: 'strange', kind: 'count', isDetail: true },
    { key: 'imagesUnanswered', title: 'images unanswered', kind: 'count', isDetail: true },
    { key: 'leftoversRemoved', title: 'leftovers removed', kind: 'count', isDetail: true },
    { key: 'leftoversKept', title: 'leftovers kept', kind: 'count', isDetail: true },
  ],
  procedure: [
    `Of ${people} people with one device each, ${presentAtFirst} are connected and write ${ratePerSecond} messages per second together, to anybody; the others are away until the end. ${killed} A message goes out again under its id until it is acknowledged, and a connection that has ended is made again at the next node.`,
    'Then nobody writes any more, everybody comes, and all that was acknowledged must have been heard: exactly once, by the device that it was for.',
    mediaKilled,
  ],
  variants: (stages) => {
    const having = stages.filter(hasMailboxes);
    return [
      ...variantsOfStages(having, asked, variantOf),
      ...variantsOfStages(having.filter(takesImages), askedOfImages, variantOf),
    ];
  },
  notes: [
    'Killed is a process: with everysec Redis has written what it acknowledges to the file, which the kernel still has; a machine that loses its power loses up to about a second of it. With none a Redis that is killed has lost everything, and its people with it: they make their accounts again.',
    mediaNote,
    cheapPasswordsNote,
  ],
};

function variantOf(stage: StageInfo, { kill, persistence }: Asked): FigureVariant {
  // Only `always` promises it: with everysec a write may be held back behind a sync of the disk.
  const owed = persistence === 'always' ? ['lost', 'doubled', 'disordered', 'strange'] : [];
  const none = (figures: readonly string[], of: string) => figures.map((figure) => ({ figure, max: 0, of }));
  const variant = {
    name: `${kill} killed, ${persistence === 'none' ? 'nothing on disk' : persistence}`,
    stage,
    settings: { ...withoutRates, ...cheapPasswords },
    nodes: 2,
    persistence,
    allocation: allocate(),
    limits: none(owed, persistence),
  };
  if (kill !== 'media server') return { ...variant, measure: (context) => measureKills(kill, context) };
  const limits = [...variant.limits, ...none(owedImages, kill)];
  return { ...variant, media: mediaSettings, limits, measure: measureMediaKills };
}
