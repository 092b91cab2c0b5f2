/** A session of a person without a connection, for tests. */
import type { Person, PersonSession } from './person.ts';

export class FakeSession implements PersonSession {
  readonly person: Person;
  open = true;
  readonly bufferedBytes = 0;
  readonly sent: string[] = [];
  closedWith: number | undefined = undefined;

  constructor(user: string, device = 'phone') {
    this.person = { user, device };
  }

  sendText(payload: string | Buffer): void {
    this.sent.push(payload.toString());
  }

  write(): void {}

  whenWritten(callback: (error?: Error | null) => void): void {
    setImmediate(callback);
  }

  close(code: number): void {
    this.open = false;
    this.closedWith ??= code;
  }
}
