/** What the commands of a person need of the chat. */
import type { PersonClient } from '../core/person-client.ts';
import type { DirectLines } from './direct-lines.ts';
import type { PostLines } from './post-lines.ts';

export type Place = {
  readonly roomName: string;
  readonly clientId: string;
  rename(clientId: string): void;
  /** Names that messages had since this client started, the last one first. */
  readonly heard: readonly string[];
  readonly person: PersonClient;
  readonly direct: DirectLines;
  readonly posts: PostLines;
  /** Says a line in the room. */
  say(line: string): void;
  /** The next line of the person; undefined if they give up. */
  ask(question: string): Promise<string | undefined>;
  /** The same, and what is typed is not shown. */
  askSecret(question: string): Promise<string | undefined>;
  /** Closes the chat. */
  leave(): void;
  notice(text: string): void;
  /** A row of a table: the text stands beside the name, also where it takes several lines. */
  row(name: string, text: string): void;
  warning(text: string): void;
};

export type Command = {
  readonly usage: string;
  readonly about: string;
  /** What it throws is shown to the person. */
  run(place: Place, argument: string): void | Promise<void>;
};

export const noAccounts =
  'this server has no accounts: its stage is older than 07-mailbox. The room works without them';
