/**
 * Decides with all workers what one of them leaves open: messages that were excused or never reached a room.
 */
import type { Messages, OpenMessages } from '../users/step-audit.ts';

/** Of the measure phase. */
export type Settled = {
  /** Deliveries that users were told they may have missed. */
  missed: number;
  /** Messages that nobody heard, whose sender lost its connection before the echo. */
  unpublished: number;
  /** The deliveries that these would have been. */
  unpublishedDeliveries: number;
};

/** `ask` resolves to those of the messages that somebody has heard. */
export async function settle(
  reports: readonly OpenMessages[],
  recipientsByRoom: Uint32Array,
  ask: (messages: Messages[]) => Promise<Messages[]>,
): Promise<Settled> {
  const unsent = merge(reports.flatMap((report) => report.unsent));
  const doubtful = merge(reports.flatMap((report) => report.unconfirmed));
  for (const [room, numbers] of unsent) for (const number of numbers) doubtful.get(room)?.delete(number);
  const asked = [...doubtful].filter(([, numbers]) => numbers.size > 0);
  const heard =
    asked.length === 0
      ? []
      : await ask(asked.map(([room, numbers]) => ({ room, numbers: Int32Array.from(numbers) })));
  for (const { room, numbers } of heard) for (const number of numbers) doubtful.get(room)!.delete(number);
  const settled: Settled = { missed: 0, unpublished: 0, unpublishedDeliveries: 0 };
  for (const [room, numbers] of doubtful) {
    settled.unpublished += numbers.size;
    settled.unpublishedDeliveries += numbers.size * recipientsByRoom[room]!;
  }
  for (const { room, numbers, users } of reports.flatMap((report) => report.excused))
    numbers.forEach((number, i) => {
      const isOwed = !unsent.get(room)?.has(number) && !doubtful.get(room)?.has(number);
      if (isOwed) settled.missed += users[i]!;
    });
  return settled;
}

function merge(all: readonly Messages[]): Map<number, Set<number>> {
  const merged = new Map<number, Set<number>>();
  for (const { room, numbers } of all) {
    const known = merged.get(room) ?? new Set();
    for (const number of numbers) known.add(number);
    merged.set(room, known);
  }
  return merged;
}
