/** Hot path. The frames of mailboxes as JSON. What is stored of a message is its frame without the end. */
import type { AckResult, Receipt } from '#protocol';
import type { MailboxMessage } from './mailbox-store.ts';

/** The start of the frame of a message, as it is stored: a name of a user needs no escapes in JSON. */
export function encodeBody(from: string, id: string, message: string): string {
  return `{"type":"message","from":"${from}","id":${JSON.stringify(id)},"Message":${JSON.stringify(message)}`;
}

/** The frame of a stored message. */
export function encodeMessage({ body, seq, sentAtMs }: MailboxMessage): string {
  return `${body},"seq":${seq},"sentAtMs":${sentAtMs}}`;
}

export function encodeAck(to: string, id: string, result: AckResult, seq?: number): string {
  const end = seq === undefined ? '}' : `,"seq":${seq}}`;
  return `{"type":"server_ack","id":${JSON.stringify(id)},"to":"${to}","result":"${result}"${end}`;
}

/** All from the one to the other, both included. */
export function encodeGap(from: number, to: number): string {
  return `{"type":"gap","from":${from},"to":${to}}`;
}

export function encodeReceipt({ type, by, upTo, version }: Receipt): string {
  return `{"type":"${type}","by":"${by}","upTo":${upTo},"version":${version}}`;
}

export function encodeTyping(from: string): string {
  return `{"type":"presence","from":"${from}","state":"typing"}`;
}
