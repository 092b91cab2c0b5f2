/** People who were away come back, and get what waits for them. */
import { allocate } from '../lab/deployment/allocation.ts';
import { hasMailboxes, type StageInfo } from '../lab/deployment/list-stages.ts';
import { cheapPasswords, cheapPasswordsNote, withoutRates } from '../lab/people/settings.ts';
import {
  type FigureExperiment,
  type FigureVariant,
  figures,
  variantsOfStages,
} from '../lab/shapes/figures/figures.ts';
import { measureReturn, type Return } from './return.ts';

const serverCpus = 0.5;
/** At half of the least capacity that the stage is to have: 2,000 messages/s in this box. */
const background = { ratePerSecond: 1000, people: 50 };

const asked: readonly (Return & { name: string; collectMsMax?: number })[] = [
  {
    name: '20 come per second, beside 1,000 messages/s',
    ...{ people: 200, waiting: 100, comePerSecond: 20, background },
    // A page of messages must be there before its reader wonders.
    collectMsMax: 500,
  },
  { name: '1,000 come at once, 100 messages for each', people: 1000, waiting: 100 },
  { name: '10,000 come at once, 10 messages for each', people: 10_000, waiting: 10 },
];

export const mailboxReturn: FigureExperiment = {
  name: '022-mailbox-return',
  question: `When 1,000 or 10,000 people come back to one node of ${serverCpus} CPU, how long until each has what waited, and how long from a login to the last of 100 messages beside other traffic?`,
  shape: figures,
  // Without its quota a node would take what the lab needs.
  target: 'container',
  repetitions: 1,
  secondsPerTrial: 70,
  figures: [
    { key: 'loginMsP99', title: 'login p99', kind: 'ms', good: 'lower' },
    { key: 'collectMsP50', title: 'collected p50', kind: 'ms', isDetail: true },
    {
      ...{ key: 'collectMsP99', title: 'collected p99', kind: 'ms', good: 'lower' },
      words: '99 % had all that waited {} after they asked to log in',
      plot: {
        title: 'From a login to the last waiting message',
        caption: 'A dot for each trial: the time that 99 % of those who came did not exceed.',
        file: 'collected',
      },
    },
    {
      key: 'allMs',
      title: 'all have theirs',
      kind: 'ms',
      good: 'lower',
      words: 'and all had theirs after {}',
    },
    { key: 'deliveriesPerSecond', title: 'deliveries/s', kind: 'number' },
    { key: 'missing', title: 'never came', kind: 'count', words: '{} messages never came' },
    { key: 'doubled', title: 'doubled', kind: 'count', isDetail: true },
    { key: 'refused', title: 'logins again', kind: 'count', isDetail: true },
    { key: 'othersMsP99', title: 'others p99', kind: 'ms' },
    { key: 'storedPerSecond', title: 'stored/s before', kind: 'number', isDetail: true },
    { key: 'othersLost', title: 'others lost', kind: 'count', isDetail: true },
  ],
  procedure: [
    'The mailboxes are filled through the server, without its CPU quota. Then the quota is in force, and everybody logs in with the token of an earlier login. A device tells how far it has received once in each turn of its event loop.',
    'At once: at most 256 handshakes are under way at a time, and the wait for one counts in “all have theirs”, and not in the other times, which are from the login request of each.',
  ],
  variants: (stages) => variantsOfStages(stages.filter(hasMailboxes), asked, variantOf),
  notes: [
    '10,000 × 10 and 1,000 × 100 are the same 100,000 messages: many people against much for each.',
    'Messages are of 128 B. Redis syncs each write to the disk (appendfsync always).',
    cheapPasswordsNote,
    'Others: 50 people who were there all the time, beside whom the 200 come.',
  ],
};

function variantOf(
  stage: StageInfo,
  { name, collectMsMax, ...wanted }: (typeof asked)[number],
): FigureVariant {
  const none = ['missing', 'doubled'].map((figure) => ({ figure, max: 0 }));
  const of = 'who come in turn';
  return {
    name,
    stage,
    settings: { ...withoutRates, ...cheapPasswords },
    nodes: 1,
    persistence: 'always',
    allocation: allocate(serverCpus),
    limits: [
      ...none,
      ...(collectMsMax === undefined ? [] : [{ figure: 'collectMsP99', max: collectMsMax, of }]),
    ],
    measure: (context) => measureReturn(wanted, context),
  };
}
