/** The cost of a post against the number of its subscribers, and of their filters. */
import { allocate } from '../lab/deployment/allocation.ts';
import { hasPosts, type StageInfo } from '../lab/deployment/list-stages.ts';
import { cheapPasswords, cheapPasswordsNote, withoutRates } from '../lab/people/settings.ts';
import { formatCount } from '../lab/report/format.ts';
import {
  type FigureExperiment,
  type FigureVariant,
  figures,
  variantsOfStages,
} from '../lab/shapes/figures/figures.ts';
import { measurePosts, publishers, type Readers } from './publish.ts';

const subscriberCounts = [1, 10, 100, 1000];
const filterCounts = [0, 1, 8, 64];
const asked: readonly Readers[] = filterCounts.flatMap((filters) =>
  subscriberCounts.map((subscribers) => ({ subscribers, filters })),
);

export const posts: FigureExperiment = {
  name: '016-posts',
  question:
    'What does publishing a post cost, and how long until its last subscriber has it, with 1 to 1,000 subscribers and 0 to 64 filters each?',
  shape: figures,
  // Cost is CPU time, which needs no box.
  target: 'process',
  repetitions: 1,
  secondsPerTrial: 11,
  across: 'subscribers',
  figures: [
    {
      ...{ key: 'cpuUsPerPost', title: 'CPU µs per post', kind: 'µs', good: 'lower' },
      words: '{} of CPU for a post',
      plot: {
        title: 'CPU time of the node for a post',
        caption: 'A line for each number of filters of each subscriber. Both axes are logarithmic.',
        file: 'cost',
      },
    },
    { key: 'cpuUsPerDelivery', title: 'CPU µs per delivery', kind: 'µs' },
    { key: 'redisUsPerPost', title: 'Redis µs per post', kind: 'µs' },
    { key: 'lastMsP50', title: 'last p50', kind: 'ms' },
    {
      ...{ key: 'lastMsP99', title: 'last p99', kind: 'ms', good: 'lower' },
      words: '{} until the last subscriber had it (p99)',
      plot: {
        title: 'Until the last subscriber has a post',
        caption: 'The time from publishing that 99 % of the posts did not exceed.',
        file: 'last-subscriber',
      },
    },
    { key: 'lost', title: 'never came', kind: 'count' },
    { key: 'doubled', title: 'doubled', kind: 'count', isDetail: true },
    { key: 'posts', title: 'posts', kind: 'count', isDetail: true },
    { key: 'refused', title: 'not accepted', kind: 'count', isDetail: true },
  ],
  procedure: [
    `${publishers} people publish in turn, at 10,000 deliveries per second together, but at least 10 and at most 200 posts per second, for 5 s. All subscribers read one channel. CPU time is that of the measured seconds less that of as many seconds without posts.`,
    'Of the filters of a subscriber only the last lets the posts pass, each of the others shares a feature with them and fails in its range: this is the most that a filter can cost.',
  ],
  variants: (stages) => variantsOfStages(stages.filter(hasPosts), asked, variantOf),
  notes: ['Bodies are of 100 B, in the menu “cars” that comes with the server.', cheapPasswordsNote],
};

function variantOf(stage: StageInfo, readers: Readers): FigureVariant {
  const { subscribers, filters } = readers;
  const family = filters === 1 ? '1 filter' : filters === 0 ? 'no filter' : `${filters} filters`;
  return {
    name: `${subscribers === 1 ? '1 subscriber' : `${formatCount(subscribers)} subscribers`}, ${family}`,
    stage,
    place: { family, value: subscribers },
    settings: { ...withoutRates, ...cheapPasswords, 'posts-per-person-max': '1000000' },
    nodes: 1,
    allocation: allocate(),
    limits: ['lost', 'doubled', 'refused'].map((figure) => ({ figure, max: 0 })),
    measure: (context) => measurePosts(readers, context),
  };
}
