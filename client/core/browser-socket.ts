/** The connection of a browser: its own WebSocket, which knows neither pings nor HTTP statuses. */
import type { OpenSocket } from './chat-socket.ts';

/**
 * A server may open a connection only to close it with the reason why it does not admit the client. A browser
 * cannot ping, so a connection that stays for this long, or brings a frame, counts as open. Chosen.
 */
const refusalMsMax = 250;
const neverOpened = 'nothing answers, or the server refuses (a browser is not told which)';

/** Opens the WebSocket of a browser; Node has the same class. */
export const browserSocket: OpenSocket = (url, listener) => {
  const socket = new WebSocket(url);
  let state: 'connecting' | 'kept' | 'open' = 'connecting';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = (): void => {
    if (state === 'open') return;
    state = 'open';
    clearTimeout(timer);
    listener.opened();
  };
  socket.onopen = () => {
    state = 'kept';
    timer = setTimeout(open, refusalMsMax);
  };
  socket.onmessage = ({ data }) => {
    open();
    if (typeof data === 'string') listener.received(data);
  };
  socket.onclose = ({ code, reason }) => {
    clearTimeout(timer);
    if (state === 'connecting')
      return listener.ended({ kind: 'unreachable', cause: neverOpened, unexplained: true });
    listener.ended({ kind: 'closed', code, reason, ...(state === 'kept' && { admitted: false }) });
  };
  return {
    send(text) {
      if (socket.readyState !== socket.OPEN) return false;
      socket.send(text);
      return true;
    },
    close: (code) => socket.close(code),
    // It cannot do without the handshake, but nobody waits for that.
    terminate: () => socket.close(),
  };
};
