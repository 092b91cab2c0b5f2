/** A goal in words: so many sessions, and so many messages in each room. Pure. */
import { InputError } from '../input-error.ts';

export type Goal = {
  sessions: number;
  /** Null: as in the result that the goal is asked of. */
  roomSize: number | null;
  /** Of each room, or of each session. */
  messagesPerSecond: number;
  per: 'room' | 'session';
  /** Of a message as JSON; null: as in the result. */
  payloadBytes: number | null;
};

const number = String.raw`(\d+(?:\.\d+)?)([kM]?)`;
const grammar = new RegExp(
  String.raw`^${number} sessions?, ${number} messages?/s per (?:room of ${number}|session(?: in rooms of ${number})?)(?:, (\d+) B)?$`,
);

/** Reads a goal such as `1M sessions, 1 message/s per room of 100`. Throws an `InputError`. */
export function parseGoal(text: string): Goal {
  const found = grammar.exec(text.trim().replaceAll(/\s+/g, ' '));
  if (found === null) throw refusal(text);
  const at = (group: number) => (found[group] === undefined ? null : scaled(found[group], found[group + 1]!));
  const roomOf = at(5);
  const goal: Goal = {
    sessions: at(1)!,
    messagesPerSecond: at(3)!,
    per: roomOf === null ? 'session' : 'room',
    roomSize: roomOf ?? at(7),
    payloadBytes: found[9] === undefined ? null : Number(found[9]),
  };
  const { sessions, messagesPerSecond, roomSize } = goal;
  const whole = Number.isInteger(sessions) && (roomSize === null || Number.isInteger(roomSize));
  const positive = sessions > 0 && messagesPerSecond > 0 && roomSize !== 0 && goal.payloadBytes !== 0;
  if (!whole || !positive || (roomSize ?? 1) > sessions) throw refusal(text);
  return goal;
}

function scaled(digits: string, unit: string): number {
  return Number(digits) * ({ k: 1e3, M: 1e6 }[unit] ?? 1);
}

function refusal(given: string): InputError {
  return new InputError([
    `Give a goal such as '1M sessions, 1 message/s per room of 100': required <n>[k|M] sessions, <x> messages/s per room of <m>, or … per session [in rooms of <m>], where a room has no more than all sessions, and , <b> B at the end for another payload; given ${given}.`,
  ]);
}
