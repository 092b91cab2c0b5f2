/**
 * The workload: one table of all quantities that describe the load on a target. The command line, the
 * environment, the type, the result file and the lab follow from it.
 */
import {
  address,
  bytes,
  count,
  httpUrl,
  isGiven,
  list,
  name,
  one,
  oneOf,
  perSecond,
  type Quantity,
  seconds,
  share,
  timeRange,
  url,
} from './quantity.ts';

/** Bounds of a stamp: 3 digits of base 64 for the room, 5 for the message number. */
export const roomsMax = 2 ** 18;
export const messageNumberMax = 2 ** 30 - 1;
/** A client id has six decimal digits. */
export const usersMax = 1_000_000;
/** Bytes of the smallest JSON message: 28 of JSON, 7 of the client id, 27 of the stamp. */
export const payloadBytesMin = 62;

/**
 * The same of a frame of a person, with the longest prefix of names and the longest id: 47 of JSON, 21 of the
 * name, 32 of the id, 28 of the text.
 */
export const directPayloadBytesMin = 128;

/** All quantities by their name in code, which is also their name in the result file. */
export const workloadTable = {
  urls: list('--url', 'target, ws://host:port/ws; repeat it to spread clients over several targets', url(), [
    'ws://127.0.0.1:8080/ws',
  ]),
  connectUrls: list(
    '--connect',
    'ask GET /connect there (http://host:port) for the URL of each connection; repeatable',
    httpUrl(),
    [],
  ),
  clients: one('--clients', 'virtual users, each with a connection of its own', count(1, usersMax), 100),
  ratePerSecond: one('--rate', 'messages per second, of all rooms together', perSecond(), 100),
  durationSeconds: one('--duration', 'length of the measure phase, such as 20s or 500ms', seconds(1), 10),
  warmUpSeconds: one(
    '--warm-up',
    'phase before that, not measured: three quarters to climb to the rate, the rest at the rate',
    seconds(0),
    2,
  ),
  drainSeconds: one(
    '--drain',
    'wait for deliveries under way and for duplicates; what is outstanding then is lost',
    seconds(0),
    2,
  ),
  rooms: one(
    '--rooms',
    'rooms of equal size; with more than one, room i is <url>/load-i',
    count(1, roomsMax),
    1,
  ),
  sendersPerRoom: one<number | undefined>(
    '--senders',
    'users of each room that send, in turn (default: 10; more where each would send over 50 messages/s)',
    count(1, usersMax),
    undefined,
  ),
  payloadBytes: one(
    '--payload-size',
    `size of a message as JSON, at least ${payloadBytesMin}B`,
    bytes(payloadBytesMin, 16_777_216),
    128,
  ),
  arrival: one<'constant' | 'poisson'>(
    '--arrival',
    'constant or poisson',
    oneOf(['constant', 'poisson']),
    'constant',
  ),
  order: one<'per-sender' | 'one-for-all'>(
    '--order',
    'order that the target promises: per-sender, or one-for-all: all users of a room receive in one order',
    oneOf(['per-sender', 'one-for-all']),
    'per-sender',
  ),
  seed: one('--seed', 'seed of everything random', count(0, 2 ** 32 - 1), 1),
  connectPerSecond: one('--connect-rate', 'connections opened per second', perSecond(1, 1e6), 2000),
  connectTimeoutSeconds: one('--connect-timeout', 'longest wait for a handshake', seconds(1), 10),
  probeTimeoutSeconds: one(
    '--probe-timeout',
    'longest wait until each client has received a probe',
    seconds(1),
    10,
  ),
  stalledReaders: one(
    '--stalled-readers',
    'extra connections that join and never read',
    count(0, usersMax),
    0,
  ),
  churnPerSecond: one(
    '--churn',
    'extra connections per second that join, stay one second and leave',
    perSecond(0, 100_000),
    0,
  ),
  resume: isGiven(
    '--resume',
    'users join with ?after=, come back after every close that allows it, and resume; audited across reconnects',
  ),
  stormShare: one(
    '--storm',
    'share of the users that drop their connections at once and come back',
    share(),
    0,
  ),
  stormAtSeconds: one('--at', 'when they do, after the beginning of the measure phase', seconds(0), 0),
  thinkSeconds: one<readonly number[]>(
    '--think-time',
    'every user says its next message after a random time in that range, such as 5s..30s; in place of --rate',
    timeRange(),
    [],
  ),
  people: one(
    '--people',
    'people with accounts, who write direct messages to each other at --rate, in place of users in rooms',
    count(0, usersMax),
    0,
  ),
  peoplePrefix: one(
    '--people-prefix',
    'their names begin so (default: new names); with that of an earlier run on this server, its people again',
    name(),
    '',
  ),
  devices: one('--devices', 'devices of each person, each with a connection of its own', count(1, 16), 1),
  presentShare: one('--present', 'share of the devices that are connected', share(), 1),
  visitSeconds: one(
    '--visit',
    'devices come and go: the mean time that one stays, such as 30s (default: they stay)',
    seconds(0),
    0,
  ),
  readShare: one('--reads', 'share of the received messages that are reported as read', share(), 0.1),
  loginPerSecond: one(
    '--login-rate',
    'more logins per second: a device that is away looks in, collects what waits, and leaves',
    perSecond(0, 100_000),
    0,
  ),
  loginBy: one<'token' | 'password'>(
    '--login-by',
    'token or password: how a device logs in again after its first login',
    oneOf(['token', 'password']),
    'token',
  ),
  collectSeconds: one(
    '--collect',
    'at the end of the run everybody comes back for what waits: the longest time for that',
    seconds(0),
    30,
  ),
  workers: one<number | undefined>(
    '--workers',
    'simulator processes (default: as few as the load needs)',
    count(1, 256),
    undefined,
  ),
  sourceAddresses: list('--source-address', 'local address to connect from; repeatable', address(), []),
};

type Table = typeof workloadTable;
export type QuantityName = keyof Table;

/** A workload as it is asked for: clients, rates, sizes, and times in seconds. */
export type Workload = { readonly [K in QuantityName]: Table[K]['fallback'] };

/** A workload without open quantities, as a run uses it and a result file keeps it. */
export type ResolvedWorkload = { readonly [K in QuantityName]: NonNullable<Workload[K]> };

/** The default of every quantity. */
export const defaultWorkload = Object.fromEntries(
  quantities().map(([name, { fallback }]) => [name, fallback]),
) as Workload;

/** The table as a list, in the order of the help text. */
export function quantities(): [QuantityName, Quantity<unknown>][] {
  return Object.entries(workloadTable) as [QuantityName, Quantity<unknown>][];
}

/**
 * Reads the quantities that are given. `texts` holds values as commander returns them: by the flag's name in
 * camel case, a list as an array. The problems say what is required and what was given, all mistakes at once.
 */
export function readWorkload(texts: Readonly<Record<string, unknown>>): {
  workload: Partial<Workload>;
  problems: string[];
} {
  const problems: string[] = [];
  const given = quantities().flatMap(([name, quantity]) => {
    const text = texts[attributeOf(quantity.flag)] as string | readonly string[] | undefined;
    return text === undefined ? [] : [[name, quantity.read([text].flat(), problems)]];
  });
  return { workload: Object.fromEntries(given), problems };
}

/** Combinations of quantities that cannot be run, one sentence each. */
export function checkWorkload(workload: Workload): string[] {
  const { clients, rooms, ratePerSecond, warmUpSeconds, durationSeconds } = workload;
  const { people, payloadBytes, presentShare, visitSeconds } = workload;
  const { resume, stormShare, stormAtSeconds } = workload;
  const problems: string[] = [];
  if (rooms > clients) problems.push(`--rooms must be at most --clients (${clients}); given: ${rooms}`);
  const messages = ratePerSecond * (warmUpSeconds + durationSeconds);
  if (messages > messageNumberMax)
    problems.push(
      `a run holds at most ${messageNumberMax} messages; --rate × (--warm-up + --duration) is ${messages}`,
    );
  if (stormShare > 0 && !resume && people === 0)
    problems.push('--storm needs --resume or --people: its users come back');
  if (people > 0 && payloadBytes < directPayloadBytesMin)
    problems.push(
      `--payload-size must be at least ${directPayloadBytesMin}B with --people; given: ${payloadBytes}B`,
    );
  if (people === 1) problems.push('--people must be at least 2: nobody writes to themselves; given: 1');
  if (people > 0 && presentShare === 0)
    problems.push('--present must be above 0%: who is away sends nothing');
  if (people > 0 && presentShare === 1 && visitSeconds > 0)
    problems.push('--visit needs --present below 100%: who comes and goes is away for a time');
  if (stormShare > 0 && stormAtSeconds >= durationSeconds)
    problems.push(
      `--at must be before the end of the measure phase (--duration ${durationSeconds}s); given: ${stormAtSeconds}s`,
    );
  return problems;
}

/** Deliveries of one message. */
export function recipientsOf({ people, devices, clients, rooms }: Workload): number {
  return people > 0 ? devices : clients / rooms;
}

/** Each device of each person is a client. Without a prefix of names, the people have that one. */
export function withPeople(workload: Workload, prefix: string): Workload {
  const { people, devices, peoplePrefix } = workload;
  if (people === 0) return workload;
  return { ...workload, clients: people * devices, rooms: 1, peoplePrefix: peoplePrefix || prefix };
}

/**
 * The workload with the rate that its think times make: each user says one message in a mean think time.
 * Every user is a sender then. Of people, those who are present write.
 */
export function withThinkTimes(workload: Workload): Workload {
  const [min, max] = workload.thinkSeconds;
  if (min === undefined || max === undefined) return workload;
  const { clients, rooms, people, presentShare } = workload;
  if (people > 0) return { ...workload, ratePerSecond: (people * presentShare) / ((min + max) / 2) };
  return {
    ...workload,
    ratePerSecond: clients / ((min + max) / 2),
    sendersPerRoom: Math.ceil(clients / rooms),
  };
}

/** The command-line arguments that give this part of a workload. */
export function workloadArguments(part: Partial<Workload>): string[] {
  return textsOf(part).flatMap(({ flag, argument, texts }) =>
    texts.flatMap((text) => (argument === '' ? [flag] : [flag, text])),
  );
}

/** The environment variables that give this part of a workload. */
export function workloadEnvironment(part: Partial<Workload>): Record<string, string> {
  return Object.fromEntries(textsOf(part).map(({ variable, texts }) => [variable, texts.join(' ')]));
}

function textsOf(part: Partial<Workload>) {
  return quantities().flatMap(([name, { flag, argument, variable, write }]) => {
    const texts = part[name] === undefined ? [] : write(part[name]).filter((text) => text !== '');
    return texts.length === 0 ? [] : [{ flag, argument, variable, texts }];
  });
}

/** The name under which commander keeps the value of a flag. */
function attributeOf(flag: string): string {
  return flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
