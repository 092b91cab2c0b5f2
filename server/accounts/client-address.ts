/** The address of a client, as far as attempts are counted by it. */
import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

/**
 * The address of who sent a request; of IPv6 its first 64 bits, because a client has all the rest. So many
 * trusted proxies have each added the address that they saw to X-Forwarded-For; what stands before them may
 * be forged.
 */
export function clientAddress({ socket, headers }: IncomingMessage, proxiesTrusted: number): string {
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  const seen = [...forwarded.map((text) => text.trim()), socket.remoteAddress ?? ''];
  const address = seen.at(-1 - proxiesTrusted) ?? seen[0]!;
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  return isIPv6(address) ? networkOf(address) : address.slice(0, 45);
}

/** The first four groups, such as `2001:db8:0:0`. */
function networkOf(address: string): string {
  const [head = '', tail] = address.split('%', 1)[0]!.toLowerCase().split('::', 2);
  const left = head === '' ? [] : head.split(':');
  const right = !tail ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right].slice(0, 4).join(':');
}
