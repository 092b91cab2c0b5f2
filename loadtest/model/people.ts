/** The people of a run: their names, their devices, who writes to whom. Pure, the same in every process. */
import type { ResolvedWorkload } from '../workload.ts';
import { type IndexRange, usersOfWorker } from './assignment.ts';
import type { Seal } from './stamp.ts';

/** Every person has a number of six digits. */
const personDigits = 6;

/** The user name of a person: prefix and number. */
export function nameOfPerson(prefix: string, person: number): string {
  return prefix + String(person).padStart(personDigits, '0');
}

/** The person of that name; −1 if it is none of the run. */
export function personOfName({ peoplePrefix, people }: ResolvedWorkload, name: unknown): number {
  if (typeof name !== 'string' || name.length !== peoplePrefix.length + personDigits) return -1;
  if (!name.startsWith(peoplePrefix)) return -1;
  const digits = name.slice(peoplePrefix.length);
  const person = /^\d+$/.test(digits) ? Number(digits) : -1;
  return person < people ? person : -1;
}

/** The same in every run with this prefix: that is how a later run can log in. It guards nothing. */
export function passwordOf(prefix: string, person: number): string {
  return `load of ${nameOfPerson(prefix, person)}`;
}

/** The name of one of a person's devices. */
export function nameOfDevice(device: number): string {
  return `d${device}`;
}

/** The people of one worker. Each of them plays all devices of its people. */
export function peopleOfWorker({ people, workers }: ResolvedWorkload, worker: number): IndexRange {
  return usersOfWorker({ clients: people, workers }, worker);
}

/** The person that message `number` of a step is for: anybody, at random. */
export function recipientOf({ people, seed }: ResolvedWorkload, step: number, number: number): number {
  let h = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15) ^ step, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ number, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x27d4eb2f);
  return ((h ^ (h >>> 15)) >>> 0) % people;
}

/** What distinguishes the messages of this run from those of another one with the same people. */
export function runTagOf([one, other]: Seal): string {
  return (Math.imul(one ^ 0x165667b1, 0x9e3779b1) ^ Math.imul(other, 0x85ebca6b) ^ (other >>> 13))
    .toString(36)
    .replace('-', 'z');
}

/** Means in seconds of the random time that a device is present, and away. */
export type VisitMeans = { presentSeconds: number; awaySeconds: number };

/** Undefined where nobody comes and goes. */
export function visitMeans({ presentShare, visitSeconds }: ResolvedWorkload): VisitMeans | undefined {
  if (visitSeconds === 0 || presentShare === 1) return undefined;
  return { presentSeconds: visitSeconds, awaySeconds: (visitSeconds * (1 - presentShare)) / presentShare };
}

/**
 * An exponential time in ms with that mean. It has no memory: so devices that are in the middle of a visit
 * when the run begins have the same time left, and the share of those present is even from the first second.
 */
export function exponentialMs(meanSeconds: number, random: number): number {
  return -Math.log(1 - random) * meanSeconds * 1000;
}
