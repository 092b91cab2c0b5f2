/** People who write to each other, evenly over time, whether they are connected or not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../loadtest/model/schedule.ts';
import type { DeployedNode } from '../deployment/deployment.ts';
import { createAccounts, peopleNamed } from './accounts.ts';
import { Correspondent } from './correspondent.ts';
import { Ledger } from './ledger.ts';
import { steadily } from './steadily.ts';

const textBytes = 128;
const resendEveryMs = 250;

export class Correspondence implements Disposable {
  readonly ledger = new Ledger();
  readonly people: readonly Correspondent[];
  readonly #nodes: readonly Pick<DeployedNode, 'directUrl'>[];
  readonly #signal: AbortSignal;
  readonly #random: () => number;
  #turn = 0;
  #clock: NodeJS.Timeout | undefined;
  readonly #resending: NodeJS.Timeout;

  /** `prefix` of the names of its people; two of one deployment have different ones. */
  constructor(
    {
      nodes,
      signal,
      seed,
    }: { nodes: readonly Pick<DeployedNode, 'directUrl'>[]; signal: AbortSignal; seed: number },
    { prefix, count }: { prefix: string; count: number },
  ) {
    this.#nodes = nodes;
    this.#signal = signal;
    this.#random = seededRandom(seed);
    const nextUrl = () => nodes[this.#turn++ % nodes.length]!.directUrl;
    const options = { ledger: this.ledger, nextUrl, random: this.#random, signal };
    this.people = peopleNamed(prefix, count).map((person) => new Correspondent(person, options));
    this.#resending = setInterval(() => {
      for (const person of this.people) person.resend();
    }, resendEveryMs);
  }

  /** Makes their accounts, and brings so many of them in. */
  async begin(present = this.people.length): Promise<void> {
    const [first] = this.#nodes;
    await createAccounts(
      first!.directUrl,
      this.people.map(({ person }) => person),
      this.#signal,
    );
    await this.come(this.people.slice(0, present));
  }

  /** Brings these in; by default everybody who is away. */
  async come(people: readonly Correspondent[] = this.people): Promise<void> {
    await Promise.all(people.filter(({ isIn }) => !isIn).map((person) => person.come()));
  }

  /** Those who are among the first `writers` write to anybody, so many messages per second together. */
  write(ratePerSecond: number, writers = this.people.length): void {
    this.#clock = steadily(ratePerSecond, (number) => this.#writeOne(number % writers, number));
  }

  /** Nobody writes from now on. */
  rest(): void {
    clearInterval(this.#clock);
  }

  /** Waits until everything was answered and heard, at most for so long. */
  async settle(timeoutMs: number): Promise<void> {
    const deadlineAtMs = performance.now() + timeoutMs;
    const isSettled = () =>
      this.ledger.outstanding === 0 && this.people.every(({ unanswered }) => unanswered === 0);
    while (!isSettled() && performance.now() < deadlineAtMs)
      await sleep(20, undefined, { signal: this.#signal });
  }

  [Symbol.dispose](): void {
    this.rest();
    clearInterval(this.#resending);
    for (const person of this.people) person.end();
  }

  #writeOne(writer: number, number: number): void {
    const others = this.people.length - 1;
    const other = (writer + 1 + Math.floor(this.#random() * others)) % this.people.length;
    this.people[writer]!.write(this.people[other]!.person.user, `${number} `.padEnd(textBytes, 'x'));
  }
}
