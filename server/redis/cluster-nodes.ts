/** What one node of Redis Cluster knows of all: the answer to CLUSTER NODES. Pure. */

/** A node that has slots, or had some. */
export type ClusterNode = {
  readonly id: string;
  /** Empty where the node does not know its own address yet: then it is the one that was asked. */
  readonly host: string;
  readonly port: number;
  /** The name that it announces; empty without one. */
  readonly hostname: string;
  readonly isPrimary: boolean;
  /** The node that was asked. */
  readonly isSelf: boolean;
  /** As far as the node that was asked can tell. */
  readonly isReachable: boolean;
  /** First and last slot of each stretch. */
  readonly slots: readonly (readonly [first: number, last: number])[];
};

/**
 * Reads lines of `id host:port@bus[,hostname[,…]] flags primary ping pong epoch link slots…`
 * (https://redis.io/docs/latest/commands/cluster-nodes). Lines of another form are left out.
 */
export function parseClusterNodes(text: string): ClusterNode[] {
  return text.split('\n').flatMap((line) => {
    const [id = '', address = '', flagList = '', , , , , , ...slots] = line.trim().split(' ');
    const [endpoint = '', hostname = ''] = address.split(',');
    const parts = /^(.*):(\d+)(?:@\d+)?$/.exec(endpoint);
    if (!parts) return [];
    const flags = flagList.split(',');
    const node = {
      id,
      host: parts[1]!,
      port: Number(parts[2]),
      hostname,
      isPrimary: flags.includes('master'),
      isSelf: flags.includes('myself'),
      isReachable: !unreachable.some((flag) => flags.includes(flag)),
      slots: slots.flatMap(readStretch),
    };
    return [node];
  });
}

/** True where the node that was asked sees more than half of the primaries that have slots. */
export function seesMajority(nodes: readonly ClusterNode[]): boolean {
  const voters = nodes.filter(({ isPrimary, slots }) => isPrimary && slots.length > 0);
  return voters.filter(({ isReachable }) => isReachable).length * 2 > voters.length;
}

/** The primary of a slot, as far as this answer goes. */
export function primaryOf(nodes: readonly ClusterNode[], slot: number): ClusterNode | undefined {
  const serves = ({ slots }: ClusterNode) => slots.some(([first, last]) => first <= slot && slot <= last);
  return nodes.find((node) => node.isPrimary && serves(node));
}

/** A primary that may be down (`fail?`) counts as one that is. */
const unreachable = ['fail?', 'fail', 'noaddr', 'handshake'];

/** `5`, `0-5460`; a slot that moves is in brackets, and is still one of those. */
function readStretch(text: string): (readonly [number, number])[] {
  const parts = /^(\d+)(?:-(\d+))?$/.exec(text);
  return parts ? [[Number(parts[1]), Number(parts[2] ?? parts[1])]] : [];
}
