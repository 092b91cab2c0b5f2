/**
 * The two scripts that Redis runs on partitions, each in one atomic step. The sequencer is Redis: whatever
 * node appends, an entry gets the next place in the log and the next offsets of its rooms.
 *
 * State of a partition: `epoch`, a random name of this life of the log · `at`, the position of its end ·
 * `last`, the id of the newest entry · `from`, before it the log is trimmed · `markMs` and `markAt`, a time
 * and the position at that time, to trim by age · `server`, the server of a cluster that has the log. Another
 * one is a promoted replica: it may lack the newest entries, and nobody can tell. So the log begins anew.
 *
 * A position counts bytes, and each entry counts some more for what Redis keeps beside it. An entry's id is
 * `<position behind it>-<random number>`, so that trimming to so many bytes is trimming to an id, and the
 * same position of two lives of a log has two ids. Each entry names the id of the one before: a reader knows
 * at once whether it missed any.
 *
 * A room has `<base> <messages>`: the position at which it was first counted, and the messages since. A room
 * that was forgotten gets another base, which is part of the epoch that clients are told.
 */
import { randomBytes, randomInt } from 'node:crypto';
import type { Redis, Result } from 'ioredis';
import type { PartitionKeys } from './partition.ts';
import type { StreamOptions } from './stream-options.ts';

/** What Redis keeps for an entry beside its batch, in bytes; chosen. */
export const entryOverheadBytes = 128;

/** Makes the state of a new life of the log. The first write is one that a full Redis refuses. */
const begin = `
local function begin(keys, epoch, server)
  local time = redis.call('TIME')
  local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
  redis.call('HSET', keys[2], 'epoch', epoch, 'last', '0-0', 'at', '0', 'from', '0', 'markMs', now,
    'markAt', '0', 'server', server)
  redis.call('DEL', keys[1], keys[3], keys[4])
end
local function forget(keys, roomsMax)
  if redis.call('HLEN', keys[3]) > tonumber(roomsMax) then
    redis.call('UNLINK', keys[4])
    redis.call('RENAME', keys[3], keys[4])
  end
end
`;

/** Keys of one partition in a round: those of its log, and the publisher's last number. */
const keysPerBatch = 5;

/**
 * Appends a round: one batch in each of several partitions. One script for all of them is one command and one
 * answer, and a blocked read is answered with all of the round.
 *
 * KEYS, for each partition: stream, state, rooms, older rooms, the publisher's last number.
 * ARGV: epoch where there is none, bytes to keep, time to keep in ms, rooms to keep, time to keep the
 * publisher's number in ms, the server (or empty); then for each partition its batch, the number of it, a
 * random number, how many rooms it has, and for each room its name and its messages.
 * Returns for each partition an empty text, or what went wrong there: the others are appended all the same.
 * It writes nothing where the number is known.
 */
const append = `${begin}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function append(keys, at)
  local batch, number, nonce, rooms = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  if redis.call('EXISTS', keys[2]) == 0 then
    begin(keys, ARGV[1], ARGV[6])
    redis.call('DEL', keys[5])
  elseif ARGV[6] ~= '' and redis.call('HGET', keys[2], 'server') ~= ARGV[6] then
    begin(keys, ARGV[1], ARGV[6])
  end
  local known = redis.call('GET', keys[5])
  if known and tonumber(known) >= tonumber(number) then return end
  local state = redis.call('HMGET', keys[2], 'epoch', 'last', 'at', 'from', 'markMs', 'markAt')
  local epoch, last, position, from = state[1], state[2], tonumber(state[3]), tonumber(state[4])

  local places, writes = {epoch, last}, {}
  for index = at + 4, at + 2 + 2 * rooms, 2 do
    local value = redis.call('HGET', keys[3], ARGV[index]) or redis.call('HGET', keys[4], ARGV[index])
      or string.format('%.0f 0', position)
    local space = string.find(value, ' ', 1, true)
    local messages = tonumber(string.sub(value, space + 1)) + tonumber(ARGV[index + 1])
    places[#places + 1] = value
    writes[#writes + 1] = ARGV[index]
    writes[#writes + 1] = string.format('%s%.0f', string.sub(value, 1, space), messages)
  end

  local markMs, markAt = tonumber(state[5]), tonumber(state[6])
  if now - markMs >= tonumber(ARGV[3]) then
    from = math.max(from, markAt)
    markMs, markAt = now, position
  end
  position = position + #batch + ${entryOverheadBytes}
  from = math.max(from, position - tonumber(ARGV[2]))
  local id = string.format('%.0f-%s', position, nonce)
  redis.call('XADD', keys[1], 'MINID', '~', string.format('%.0f', from), id,
    'b', batch, 'm', table.concat(places, ' '))
  redis.call('HSET', keys[2], 'last', id, 'at', string.format('%.0f', position), 'from',
    string.format('%.0f', from), 'markMs', string.format('%.0f', markMs),
    'markAt', string.format('%.0f', markAt))
  redis.call('SET', keys[5], number, 'PX', ARGV[5])
  for index = 1, #writes, 2 do redis.call('HSET', keys[3], writes[index], writes[index + 1]) end
  forget(keys, ARGV[4])
end

local reply, at = {}, 7
for first = 1, #KEYS, ${keysPerBatch} do
  local keys = {}
  for index = 1, ${keysPerBatch} do keys[index] = KEYS[first + index - 1] end
  local done, fault = pcall(append, keys, at)
  reply[#reply + 1] = done and '' or (type(fault) == 'table' and fault.err or tostring(fault))
  at = at + 4 + 2 * tonumber(ARGV[at + 3])
end
return reply
`;

/**
 * KEYS: stream, state, rooms, older rooms.
 * ARGV: epoch if there is none, an epoch that must end (or empty), rooms to keep, the server (or empty); then
 * the names of rooms.
 * Returns the epoch, the id of the newest entry, the bytes of the log, and base and messages of each room.
 */
const look = `${begin}
local known = redis.call('HMGET', KEYS[2], 'epoch', 'server')
if not known[1] or known[1] == ARGV[2] or (ARGV[4] ~= '' and known[2] ~= ARGV[4]) then
  begin(KEYS, ARGV[1], ARGV[4])
end
local state = redis.call('HMGET', KEYS[2], 'epoch', 'last', 'at', 'from')
local reply = {state[1], state[2], string.format('%.0f', tonumber(state[3]) - tonumber(state[4]))}
for index = 5, #ARGV do
  local value = redis.call('HGET', KEYS[3], ARGV[index]) or redis.call('HGET', KEYS[4], ARGV[index])
  if not value then
    value = state[3] .. ' 0'
    redis.call('HSET', KEYS[3], ARGV[index], value)
  end
  reply[#reply + 1] = value
end
forget(KEYS, ARGV[3])
return reply
`;

type Argument = string | Buffer | number;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    appendBatches(...args: Argument[]): Result<string[], Context>;
    lookAtLog(...args: Argument[]): Result<string[], Context>;
  }
}

/** Gives a client the commands `appendBatches` and `lookAtLog`. */
export function defineScripts(client: Redis): void {
  client.defineCommand('appendBatches', { lua: append });
  client.defineCommand('lookAtLog', { numberOfKeys: 4, lua: look });
}

/** A random name of a life of a log. */
export const newEpoch = () => randomBytes(9).toString('base64url');

/** What a look at Redis returns of a log. */
export type Look = {
  readonly epoch: string;
  /** The id of the newest entry. */
  readonly last: string;
  /** Bytes that Redis means to keep of it. */
  readonly logBytes: number;
  /** For each room that was asked for. */
  readonly places: readonly (readonly [base: number, messages: number])[];
};

/** A batch of one partition, in the form in which the script takes it. */
export type AppendedBatch = { readonly keys: readonly string[]; readonly args: readonly Argument[] };

/** The batch that is the next `number` of this publisher; `rooms`: its messages by room. */
export function appendedBatch(
  { stream, state, rooms: places, olderRooms }: PartitionKeys,
  { publisher, number, batch, rooms }: AppendedBatchParts,
): AppendedBatch {
  const args: Argument[] = [batch, number, randomInt(2 ** 32), rooms.size];
  for (const [room, messages] of rooms) args.push(room, messages);
  return { keys: [stream, state, places, olderRooms, `${stream}:by:${publisher}`], args };
}

type AppendedBatchParts = {
  publisher: string;
  number: number;
  batch: Buffer;
  rooms: ReadonlyMap<string, number>;
};

/** Appends each batch in its partition. Resolves with what went wrong, for each; empty where nothing did. */
export function appendRound(
  client: Redis,
  batches: readonly AppendedBatch[],
  { logBytesPerPartition, logAgeMs, logRoomsMax, publisherMs, server }: RoundOptions,
): Promise<string[]> {
  const keys = batches.flatMap((batch) => batch.keys);
  const args = batches.flatMap((batch) => batch.args);
  const bounds = [logBytesPerPartition, logAgeMs, logRoomsMax, publisherMs];
  return client.appendBatches(keys.length, ...keys, newEpoch(), ...bounds, server, ...args);
}

type RoundOptions = Pick<
  StreamOptions,
  'logBytesPerPartition' | 'logAgeMs' | 'logRoomsMax' | 'publisherMs'
> & {
  /** The server that the node means; empty for one Redis. */
  server: string;
};

/** Looks at a log, and makes it where there is none. An epoch of the name `ending` ends. */
export async function lookAt(
  client: Redis,
  { stream, state, rooms, olderRooms }: PartitionKeys,
  {
    ending = '',
    roomsMax,
    server,
    names,
  }: { ending: string | undefined; roomsMax: number; server: string; names: readonly string[] },
): Promise<Look> {
  const keys = [stream, state, rooms, olderRooms];
  const [epoch, last, bytes, ...found] = await client.lookAtLog(
    ...keys,
    newEpoch(),
    ending,
    roomsMax,
    server,
    ...names,
  );
  const places = found.map((place) => place.split(' ').map(Number) as [number, number]);
  return { epoch: epoch!, last: last!, logBytes: Number(bytes), places };
}
