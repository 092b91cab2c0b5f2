/** The connection that the client needs: a WebSocket of the `ws` package or of a browser. */
import type { ConnectionEnd } from './reconnect.ts';

/** Opens a connection. It throws a SyntaxError for a URL that is not one of a WebSocket. */
export type OpenSocket = (url: string, listener: SocketListener) => ChatSocket;

export type ChatSocket = {
  /** Sends a text frame; false, and nothing sent, while the connection is not open. */
  send(text: string): boolean;
  /** Starts the closing handshake. */
  close(code: number): void;
  /** Ends the connection without a closing handshake. A browser cannot. */
  terminate?(): void;
  /** Sends a ping and calls `onPong` when it is answered. A browser cannot. */
  ping?(onPong: () => void): void;
};

/** The events of one connection. None is called before `OpenSocket` has returned. */
export type SocketListener = {
  opened(): void;
  /** A text frame; binary frames are dropped. */
  received(text: string): void;
  /** The last event, also of a connection that never opened. */
  ended(end: ConnectionEnd): void;
};
