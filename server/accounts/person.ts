/** A person: a user on a device. Parts of a stage that serve people know a session by this interface only. */
import type { DevicePositions } from '#protocol';

/** Who is logged in: the user of an account, on one of their devices. */
export type Person = { readonly user: string; readonly device: string };

/** What the parts that serve people need of a session. The session implements it (gateway/session.ts). */
export interface PersonSession {
  /** Undefined until the login; it is set once and stays. */
  readonly person: Person | undefined;
  /** False once either side begins to close. */
  readonly open: boolean;
  /** Bytes that were written and that the kernel has not taken. */
  readonly bufferedBytes: number;
  /** Writes whole frames as they are. */
  write(frames: Buffer): void;
  /** Frames a text and writes it; a buffer holds UTF-8. */
  sendText(payload: string | Buffer): void;
  /** Writes whole frames, one behind the other, as they are. */
  write(frames: Buffer): void;
  /** Calls back when the kernel has taken all bytes, or with the error that ended the connection. */
  whenWritten(callback: (error?: Error | null) => void): void;
  /** Sends a close frame after all that was written. */
  close(code: number, reason: string): void;
}

/** A part of a stage that takes typed frames of people. */
export interface PersonPart {
  /** Takes the object of a frame by its `type`. Called only for sessions with a person. */
  readonly handlers: ReadonlyMap<
    string,
    (session: PersonSession, frame: Readonly<Record<string, unknown>>) => void
  >;
  /**
   * Before the login is acknowledged: takes what the device has already, and resolves with the number of its
   * messages that wait. Rejects where the store does not answer: the login is answered with `busy`.
   */
  signingIn?(person: Person, positions: DevicePositions): Promise<number>;
  /** The login was acknowledged: `login_ack` was written, and frames may follow it. */
  signedIn?(session: PersonSession, positions: DevicePositions): void;
  /** The session of a person ended. */
  left?(session: PersonSession): void;
  start?(): Promise<void>;
  close?(): Promise<void>;
}
