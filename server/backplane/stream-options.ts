/** The options of the stream backplane, and the settings that a configuration gives. */

import type { Redis } from 'ioredis';
import { size, time } from '#host/units.ts';
import { group, integer, limit, type ValuesOf } from '../settings.ts';
import type { BackplaneEvents } from './backplane.ts';
import type { PartitionLog } from './partition-log.ts';
import type { PartitionMeter } from './partition-meter.ts';
import type { RedisOptions } from './redis-link.ts';

const mebibyte = 1024 ** 2;

/** The defaults are chosen, except for `batchIntervalMs` (see there). */
export const streamSettings = group('Partitions', {
  partitions: integer(1, 4096, 64, 'partitions of the rooms; the same on all nodes of a chat, for ever'),
  logBytesPerPartition: limit(
    4096,
    1024 * mebibyte,
    4 * mebibyte,
    'bytes that Redis keeps of each partition',
    size,
  ),
  logAgeMs: limit(1000, 86_400_000, 300_000, 'time after which Redis may forget an entry', time),
  logRoomsMax: limit(16, 10_000_000, 20_000, 'rooms of a partition whose offsets Redis remembers at least'),
  tailBytesMax: limit(
    4096,
    16_384 * mebibyte,
    32 * mebibyte,
    'memory of the newest entries that this process keeps',
    size,
  ),
  resumeBytesMax: limit(
    4096,
    256 * mebibyte,
    8 * mebibyte,
    'bytes of missed messages that one resume may bring',
    size,
  ),
  resumeDeadlineMs: limit(10, 60_000, 2000, 'time that a join may wait for the log', time),
  // Measured on two cores, 3,000 messages/s in 100 rooms of 10: with 0, 4 and 8 ms Redis used 0.27, 0.17 and
  // 0.13 cores, the node 0.75, 0.65 and 0.62, and the median latency was 1, 9 and 13 ms.
  batchIntervalMs: integer(
    0,
    1000,
    4,
    'least time between two rounds of writing to Redis, and between two of reading; 0: none',
    time,
  ),
});

export type StreamOptions = RedisOptions &
  ValuesOf<typeof streamSettings> & {
    partitionMeter: PartitionMeter;
    /** Heartbeats for which messages that Redis does not take are kept and sent again. */
    patienceTicks: number;
    /** Heartbeats for which a partition is read on after its last session here has left. */
    lingerTicks: number;
    /** Entries of one partition in one reply. */
    entriesPerRead: number;
    /** Time for which Redis remembers the last number of a publisher, in ms. */
    publisherMs: number;
  };

/** What a partition needs of the backplane. */
export type PartitionOptions = StreamOptions & {
  events: BackplaneEvents;
  /** The connection for short commands, while it is in service. */
  client(): Redis | undefined;
  /** A name of its server in a cluster; empty for one Redis. */
  server(): string;
  /** That connection cannot be used. */
  failed(error: Error, client: Redis): void;
  /** Another log is to be read from its cursor, or none any more. */
  logChanged(log: PartitionLog | undefined): void;
  /** The id of this process as a publisher. */
  publisher: string;
  /** Whether there is memory to read entries back. */
  mayReadBack(): boolean;
};

/** The options that a configuration gives. */
export function streamOptionsOf(settings: ValuesOf<typeof streamSettings>): ValuesOf<typeof streamSettings> {
  const { partitions, logBytesPerPartition, logAgeMs, logRoomsMax } = settings;
  const { tailBytesMax, resumeBytesMax, resumeDeadlineMs, batchIntervalMs } = settings;
  const log = { partitions, logBytesPerPartition, logAgeMs, logRoomsMax };
  return { ...log, tailBytesMax, resumeBytesMax, resumeDeadlineMs, batchIntervalMs };
}

/** The values of the settings where none is given. */
export const streamDefaults = Object.fromEntries(
  Object.entries(streamSettings.settings).map(([key, setting]) => [key, setting.default]),
) as ValuesOf<typeof streamSettings>;
