/** Hash slots: the shares in which Redis Cluster spreads its keys over its primaries. */

/** https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model */
export const slotsTotal = 16_384;

/** The slot of a key: of the text between its first `{` and the next `}`, unless that is empty. */
export function slotOf(key: string): number {
  const tag = /\{([^}]+)\}/.exec(key);
  // An empty tag is none, and no later one counts.
  const hashed = tag && tag.index === key.indexOf('{') ? tag[1]! : key;
  return crc16(Buffer.from(hashed)) % slotsTotal;
}

/**
 * Tags for so many groups of keys. The slots are cut into as many equal stretches, and each group lies in its
 * own: primaries that have equal stretches of slots then have nearly equal numbers of groups.
 */
export function tagsOf(groups: number): readonly string[] {
  const tags: (string | undefined)[] = Array(groups).fill(undefined);
  for (let number = 0, found = 0; found < groups; number++) {
    const group = Math.floor((slotOf(`{${number}}`) * groups) / slotsTotal);
    if (tags[group] !== undefined) continue;
    tags[group] = String(number);
    found++;
  }
  return tags as string[];
}

/** CRC-16/XMODEM: polynomial 0x1021, from 0. */
function crc16(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc;
}
