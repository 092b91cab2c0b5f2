/** The lab's configuration of HAProxy: the committed one with other addresses. Pure. */

/** A node as the balancer reaches it. */
export type BalancedNode = {
  name: string;
  /** `host:port` of the chat. */
  address: string;
  /** Port of that host at which GET /readyz answers. */
  readinessPort: number;
};

/**
 * Puts these nodes in the place of those that the configuration lists, and binds it to these addresses, such
 * as `127.0.0.1:8070`, or `:8070` for all. Throws where the text does not have the lines that it replaces.
 */
export function configOf(
  committed: string,
  nodes: readonly BalancedNode[],
  binds: { chat: string; observatory: string },
): string {
  const servers = nodes.map((node) => `  server ${node.name} ${node.address} port ${node.readinessPort}`);
  let text = replaced(committed, /^ {2}bind :8070$/m, `  bind ${binds.chat}`);
  text = replaced(text, /^ {2}bind :8404$/m, `  bind ${binds.observatory}`);
  return replaced(text, /^(?: {2}server .*\n)+/m, `${servers.join('\n')}\n`);
}

function replaced(text: string, lines: RegExp, by: string): string {
  if (!lines.test(text)) throw new Error(`haproxy.cfg has no lines like ${lines.source}.`);
  return text.replace(lines, by);
}
