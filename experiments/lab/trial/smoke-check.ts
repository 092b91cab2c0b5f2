/** Checks before a trial that two clients exchange a message. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { encodeMessage, pathOfRoom } from '#protocol';

/**
 * One client on the first node and one on the last each send a message that both must receive; rejects with
 * the cause where one does not. They use a room of their own, so that the audited rooms start empty.
 */
export async function smokeCheck(
  chatUrls: readonly string[],
  signal: AbortSignal,
  deadlineMs = 5000,
): Promise<void> {
  const path = pathOfRoom('lab-verify');
  const urls = [chatUrls[0]!, chatUrls.at(-1)!];
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  const sockets = urls.map((url) => new WebSocket(new URL(path, url)));
  try {
    await Promise.all(sockets.map((socket) => once(socket, 'open', { signal: deadline })));
    for (const [index, socket] of sockets.entries()) {
      const text = `message ${index + 1}`;
      const received = sockets.map((listener) => receives(listener, text, deadline));
      socket.send(encodeMessage({ clientId: `lab-${index + 1}`, Message: text }));
      await Promise.all(received);
    }
  } catch (error) {
    signal.throwIfAborted();
    const late = `no message arrived within ${deadlineMs / 1000} s`;
    const cause = deadline.aborted ? late : (error as Error).message;
    throw new Error(`Two clients could not exchange a message at ${urls.join(' and ')}: ${cause}`);
  } finally {
    for (const socket of sockets) {
      // A socket that is still connecting reports its termination as an error; that is expected here.
      socket.on('error', () => {});
      socket.terminate();
    }
  }
}

async function receives(socket: WebSocket, text: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const [data] = (await once(socket, 'message', { signal })) as [Buffer];
    if ((JSON.parse(data.toString()) as { Message: unknown }).Message === text) return;
  }
}
