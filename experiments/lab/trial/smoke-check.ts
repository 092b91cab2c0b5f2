/** Before anything is measured, two clients really exchange a message: a trial against a silent server proves nothing. */

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { encodeMessage, pathOfRoom } from '#protocol';

const verifyDeadlineMs = 5000;

/**
 * One client on the first node and one on the last each say a word that both must hear. Rejects with what did not
 * arrive. They meet in a room of their own, so the audited rooms start empty.
 */
export async function verifyExchange(
  chatUrls: readonly string[],
  signal: AbortSignal,
  deadlineMs = verifyDeadlineMs,
): Promise<void> {
  const path = pathOfRoom('lab-verify');
  const urls = [chatUrls[0]!, chatUrls[chatUrls.length - 1]!];
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  const sockets = urls.map((url) => new WebSocket(new URL(path, url)));
  try {
    await Promise.all(sockets.map((socket) => once(socket, 'open', { signal: deadline })));
    for (const [index, socket] of sockets.entries()) {
      const word = `word ${index + 1}`;
      const heard = sockets.map((listener) => hears(listener, word, deadline));
      socket.send(encodeMessage({ clientId: `lab-${index + 1}`, Message: word }));
      await Promise.all(heard);
    }
  } catch (error) {
    signal.throwIfAborted();
    const cause = deadline.aborted
      ? `nothing was heard within ${deadlineMs / 1000} s`
      : (error as Error).message;
    throw new Error(`Two clients could not exchange a message at ${urls.join(' and ')}: ${cause}`);
  } finally {
    for (const socket of sockets) {
      // A socket that is still connecting reports its termination as an error, which is what was wanted.
      socket.on('error', () => {});
      socket.terminate();
    }
  }
}

async function hears(socket: WebSocket, word: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const [data] = (await once(socket, 'message', { signal })) as [Buffer];
    if ((JSON.parse(data.toString()) as { Message: unknown }).Message === word) return;
  }
}
