/** Tells whether a peer is within a message. Its bytes are kept for as long as that lasts. */
import type { WebSocket } from 'ws';

type ReceiverState = { _state: number; _bufferedBytes: number; _fragmented: number };

/**
 * True while the peer is within a message or a frame. ws has no public way to ask for it, and its version is
 * pinned: a test fails where a new one keeps this state elsewhere.
 */
export function isInsideMessage(ws: WebSocket): boolean {
  const { _state, _bufferedBytes, _fragmented } = (ws as unknown as { _receiver: ReceiverState })._receiver;
  return _state !== 0 || _bufferedBytes > 0 || _fragmented !== 0;
}
