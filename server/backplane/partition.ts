/** Partitions: fixed shares of the rooms. Each one is a log in Redis, and all its keys are in one slot. */

/** The keys of one partition; the hash tag `{p}` brings them to one slot of a cluster. */
export type PartitionKeys = {
  /** The stream: an entry is what one turn of one node brought for the rooms of the partition. */
  readonly stream: string;
  /** A hash: the epoch, and the position of the end. */
  readonly state: string;
  /** A hash: for each room its base and its number of messages. */
  readonly rooms: string;
  /** The same, of rooms that had no message lately; those that have none for longer are forgotten. */
  readonly olderRooms: string;
};

/**
 * The partition of a room: FNV-1a of 32 bits over its name (http://www.isthe.com/chongo/tech/comp/fnv),
 * modulo their number. All nodes of a chat, and all who place its rooms, must use this function and the same
 * number.
 */
export function partitionOf(room: string, partitions: number): number {
  return hashOf(room) % partitions;
}

/** FNV-1a of 32 bits; a character of a room name is a byte. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/** The names of a partition's keys; `channel` is the name of the chat. */
export function keysOf(channel: string, partition: number): PartitionKeys {
  const stream = `${channel}:{${partition}}`;
  return { stream, state: `${stream}:state`, rooms: `${stream}:rooms`, olderRooms: `${stream}:rooms:older` };
}
