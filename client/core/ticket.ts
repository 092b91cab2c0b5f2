/** How a login goes with the connections of a client. */
import type { ConnectionEnd } from './reconnect.ts';

/** What a login adds to the connections of a client. */
export type Ticket = {
  /** The address with the login in it, or unchanged while there is none. */
  addressOf(url: string): string;
  /**
   * A connection to that address ended, or never opened. True: it ended because of the login, which the
   * ticket has given up, and the client connects again at once.
   */
  ended(end: ConnectionEnd, wasAdmitted: boolean): boolean;
};
