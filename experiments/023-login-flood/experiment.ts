/** A flood of logins: how many a node completes, and what people feel who are already in. */
import { allocate } from '../lab/deployment/allocation.ts';
import { hasMailboxes, type StageInfo } from '../lab/deployment/list-stages.ts';
import { withoutRates } from '../lab/people/settings.ts';
import {
  type FigureExperiment,
  type FigureVariant,
  figures,
  variantsOfStages,
} from '../lab/shapes/figures/figures.ts';
import {
  atOnceMax,
  compileSeconds,
  type Flood,
  floodSeconds,
  measureFlood,
  people,
  ratePerSecond,
} from './flood.ts';
import { connectionsOpen } from './open-connections.ts';

/**
 * In a whole core the threads that hash stop when the event loop has something to do. In a part of one they
 * use up the quota that it needs, whatever their priority.
 */
const boxesCpus = [1, 0.5];
const loginsPerSecond = 1000;

type NamedFlood = Flood & {
  name: string;
  /** The node lets in so many newcomers per second; left out: as they come. */
  letInPerSecond?: number;
  /** To another node than that of the people, on the same machine and with the same Redis. */
  elsewhere?: true;
};

const floods: readonly NamedFlood[] = [
  { kind: 'right', name: 'passwords, 5/s', perSecond: 5 },
  { kind: 'right', name: 'passwords', perSecond: loginsPerSecond },
  { kind: 'wrong', name: 'wrong passwords', perSecond: loginsPerSecond },
  { kind: 'unknown', name: 'unknown users', perSecond: loginsPerSecond },
  { kind: 'token', name: 'tokens, 125/s', perSecond: loginsPerSecond / 8 },
  { kind: 'token', name: 'tokens, 250/s', perSecond: loginsPerSecond / 4 },
  { kind: 'token', name: 'tokens', perSecond: loginsPerSecond },
  {
    ...{ kind: 'right', name: 'passwords, on open connections', perSecond: loginsPerSecond },
    onOpenConnections: true,
  },
];

/** A quarter of the flood. */
const letInPerSecond = loginsPerSecond / 4;
const paced = (flood: NamedFlood): NamedFlood => ({
  ...flood,
  name: `${flood.name}, ${letInPerSecond}/s let in`,
  letInPerSecond,
});
const toAnotherNode = (flood: NamedFlood): NamedFlood => ({
  ...flood,
  name: `${flood.name}, to another node`,
  elsewhere: true,
});

const others = floods.filter(({ name }) => name === 'passwords' || name === 'tokens');
const asked = [
  ...boxesCpus.flatMap((cpus) => [...floods, ...others.map(paced)].map((flood) => ({ ...flood, cpus }))),
  ...others.map((flood) => ({ ...toAnotherNode(flood), cpus: 1 })),
];

export const loginFlood: FigureExperiment = {
  name: '023-login-flood',
  question: `How many logins per second does one node of ${boxesCpus.join(' or ')} CPU complete, and what do people who are in feel in a flood of ${loginsPerSecond.toLocaleString('en-US')}/s?`,
  shape: figures,
  // Without its quota a node would take what the lab needs.
  target: 'container',
  repetitions: 1,
  secondsPerTrial: 62,
  figures: [
    {
      ...{ key: 'loginsPerSecond', title: 'logins/s', kind: 'number', good: 'higher' },
      words: '{} logins completed per second',
      plot: {
        title: 'Logins that were completed per second',
        caption:
          'A dot for each trial: the offered logins that ended with an answer of ok, per second of the flood.',
        file: 'logins',
      },
    },
    { key: 'loginMsP99', title: 'login p99', kind: 'ms' },
    { key: 'busyPerSecond', title: 'busy/s', kind: 'number' },
    { key: 'failedPerSecond', title: 'failed/s', kind: 'number', isDetail: true },
    { key: 'quietMsP99', title: 'p99 quiet', kind: 'ms' },
    {
      ...{ key: 'floodMsP99', title: 'p99 in the flood', kind: 'ms', good: 'lower' },
      plot: {
        title: 'p99 of the messages of people who were in, during the flood',
        caption: 'A dot for each trial. Without a flood it is some ms: see the column of the quiet time.',
        file: 'p99',
      },
    },
    {
      key: 'timesQuiet',
      title: 'times quiet',
      kind: 'times',
      words: 'the p99 of people who were in was {} of quiet',
    },
    { key: 'firstMsP99', title: 'p99 in the first flood', kind: 'ms', isDetail: true },
    { key: 'offeredPerSecond', title: 'offered/s', kind: 'number', isDetail: true },
    { key: 'brokenPerSecond', title: 'cut off/s', kind: 'number', isDetail: true },
    { key: 'skippedPerSecond', title: 'not offered/s', kind: 'number', isDetail: true },
    { key: 'ownMsP99', title: 'p99 of the lab’s own lateness', kind: 'ms', isDetail: true },
    { key: 'lost', title: 'acked and lost', kind: 'count', isDetail: true },
    { key: 'cpuCores', title: 'CPU cores', kind: 'number', isDetail: true },
  ],
  procedure: [
    `${people} people are in and write ${ratePerSecond} messages per second to each other. A first flood of ${compileSeconds} s, without the quota, lets the code of logins be compiled, and is not judged (p99 in the first flood). After ${floodSeconds} s of quiet the flood begins, and lasts as long. Every login of it comes over a connection of its own, which ends with the answer, or as a frame on one of ${connectionsOpen} connections that are open before (on open connections). The flood comes from a thread of its own that runs only where the core has nothing else to do, so that it does not delay the clients of the people. Where that made it late, at most ${atOnceMax} logins begin in one ms, and the others after them: a flood that is offered at once would be another one.`,
    'Passwords are hashed as by default: argon2id, 19 MiB, 2 passes. The p99 is from writing a message until its recipient has it.',
  ],
  variants: (stages) => variantsOfStages(stages.filter(hasMailboxes), asked, variantOf),
  notes: [
    'Wrong passwords and unknown users meet the limits of failed logins for one user and one address, as by default; all of the lab’s clients have one address.',
    'Busy: told to come back, because as many passwords as are allowed wait to be hashed already. A flood of right passwords therefore shows the most that the node completes.',
    'Fewer tokens per second than the flood has show up to where people do not feel it.',
    '5 logins/s of passwords leave no queue, so that their p99 is the time of one login. A login that waits for longer than 5 s is counted as cut off.',
    `${letInPerSecond}/s let in: the node has --handshake-rate-max ${letInPerSecond}/s. The others wait in their order for at most a second; who would wait for longer is refused with 503, and counted as busy.`,
    'To another node: the people are on one node and the flood on another, on the same core and with the same Redis. What is above quiet there is the machine and Redis, and no work of the node of the people.',
    'At most 2,000 logins of the flood wait for an answer at a time; those that are due meanwhile are not offered, and counted as such.',
  ],
};

function variantOf(
  stage: StageInfo,
  { name, letInPerSecond, elsewhere, cpus, ...flood }: (typeof asked)[number],
): FigureVariant {
  return {
    name: `${name}, ${cpus} CPU`,
    stage,
    settings: {
      ...withoutRates,
      ...(letInPerSecond !== undefined && { 'handshake-rate-max': `${letInPerSecond}/s` }),
    },
    nodes: elsewhere ? 2 : 1,
    persistence: 'always',
    allocation: allocate(cpus),
    limits: [
      { figure: 'timesQuiet', max: 2 },
      { figure: 'lost', max: 0 },
    ],
    measure: (context) => measureFlood(flood, context),
  };
}
