/** Signs batches with a secret that all nodes share, so that nobody else who reaches Redis can forge one. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { BatchError } from './batch.ts';

const tagBytes = 32;

/** Nobody who knows the secret made this batch. */
export class SignatureError extends BatchError {}

/** A batch followed by its tag: HMAC-SHA-256 over the channel and the batch. Without a secret, the batch. */
export function sign(batch: Buffer, channel: string, secret: string): Buffer {
  return secret === '' ? batch : Buffer.concat([batch, tagOf(batch, channel, secret)]);
}

/** The batch without its tag. Throws a `SignatureError` when nobody who knows the secret made it. */
export function verify(signed: Buffer, channel: string, secret: string): Buffer {
  if (secret === '') return signed;
  const at = Math.max(0, signed.length - tagBytes);
  const [batch, tag] = [signed.subarray(0, at), signed.subarray(at)];
  if (tag.length !== tagBytes || !timingSafeEqual(tag, tagOf(batch, channel, secret)))
    throw new SignatureError('it does not bear the signature of this chat');
  return batch;
}

/** The channel is part of it: a batch of another chat with the same secret is no batch of this one. */
function tagOf(batch: Buffer, channel: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(`${channel}\n`).update(batch).digest();
}
