/**
 * Hot path. A wake tells the nodes with a device of a person that there is something new for them. It carries
 * the frame where that is short, so that nothing has to be read from the store.
 */
import { isPosition, type Receipt, readDirectFrame } from '#protocol';
import { encodeReceipt } from './direct-frames.ts';

export type Wake =
  | { readonly kind: 'message'; readonly seq: number; readonly text?: string }
  | { readonly kind: 'receipt'; readonly receipt: Receipt }
  /** Somebody is typing: never stored, so lost where nobody hears it. */
  | { readonly kind: 'typing'; readonly text: string }
  /** This session has lost its lease to a newer one of the same device. */
  | { readonly kind: 'displaced'; readonly device: string; readonly token: string };

/** Characters of a frame that travels with its wake; chosen. */
const carriedCharsMax = 8192;

/** `node`: the one that wakes the others. */
export function encodeWake(node: string, wake: Wake): Buffer {
  return Buffer.from(`${node} ${contentOf(wake)}`);
}

/** Reads a wake; undefined where it is of this node itself, or of a version that is not known here. */
export function readWake(payload: Buffer, node: string): Wake | undefined {
  const text = payload.toString();
  const [from, kind, what] = text.split(' ', 3) as [string, string?, string?];
  if (from === node || kind === undefined || what === undefined) return undefined;
  const rest = text.slice(from.length + kind.length + what.length + 3);
  if (kind === 'm') {
    const seq = Number(what);
    return isPosition(seq) ? { kind: 'message', seq, ...(rest !== '' && { text: rest }) } : undefined;
  }
  if (kind === 't') return { kind: 'typing', text: rest };
  if (kind === 'd') return { kind: 'displaced', device: what, token: rest };
  return kind === 'r' ? readReceipt(rest) : undefined;
}

function readReceipt(text: string): Wake | undefined {
  let value: Record<string, unknown>;
  try {
    value = Object(JSON.parse(text));
  } catch {
    return undefined; // It is not of a node of this chat.
  }
  const receipt = readDirectFrame(value);
  return receipt?.type === 'received' || receipt?.type === 'read' ? { kind: 'receipt', receipt } : undefined;
}

function contentOf(wake: Wake): string {
  if (wake.kind === 'message') {
    const { seq, text = '' } = wake;
    return `m ${seq} ${text.length > carriedCharsMax ? '' : text}`;
  }
  if (wake.kind === 'receipt') return `r ${wake.receipt.version} ${encodeReceipt(wake.receipt)}`;
  return wake.kind === 'typing' ? `t 0 ${wake.text}` : `d ${wake.device} ${wake.token}`;
}
