import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DirectFormat } from '../model/direct-text.ts';
import { nameOfPerson, recipientOf } from '../model/people.ts';
import { newDirectCounts } from '../record/direct-counts.ts';
import { defaultWorkload, type ResolvedWorkload } from '../workload.ts';
import { MailboxAudit, type MailboxCursor } from './mailbox-audit.ts';

const workload = {
  ...defaultWorkload,
  ...{ people: 4, devices: 2, peoplePrefix: 'p-', workers: 1, warmUpSeconds: 0 },
} as unknown as ResolvedWorkload;
const format = new DirectFormat(workload, 'run', [1, 2]);

function newAudit() {
  const audit = new MailboxAudit(workload, format, newDirectCounts());
  audit.beginStep(0, workload, newDirectCounts());
  audit.start(1e6);
  return audit;
}

/** The frame of a message, as the server delivers it. */
function frame(number: number, seq: number, step = 0) {
  const { id, Message } = JSON.parse(format.frame(3, recipientOf(workload, step, number), step, number, 40));
  return { from: nameOfPerson('p-', 3), id, seq, Message };
}

/** The first messages of a step that are for this person. */
function numbersFor(person: number, step = 0): number[] {
  const all = Array.from({ length: 200 }, (_, number) => number);
  return all.filter((number) => recipientOf(workload, step, number) === person);
}

const newCursor = (device = 0): MailboxCursor => ({ person: 1, device, seqMax: 0 });

test('a message is delivered once to each device, with its due time', () => {
  const audit = newAudit();
  const [one] = numbersFor(1) as [number];
  const first = audit.receive(newCursor(), frame(one, 1));
  // 100 messages/s.
  assert.deepEqual(first, { step: 0, number: one, dueUs: 1e6 + one * 10_000, lagUs: 40 });
  assert.equal(audit.receive({ ...newCursor(), seqMax: 1 }, frame(one, 1)), undefined);
  assert.notEqual(audit.receive(newCursor(1), frame(one, 1)), undefined);
  const { delivered, duplicated, misordered } = audit.counts;
  assert.deepEqual({ delivered, duplicated, misordered }, { delivered: 2, duplicated: 1, misordered: 0 });
});

test('the order is that of the mailbox, and a number may be left out', () => {
  const audit = newAudit();
  const cursor = newCursor();
  numbersFor(1)
    .slice(0, 4)
    .forEach((number, i) => {
      audit.receive(cursor, frame(number, [1, 5, 3, 6][i]!));
    });
  assert.equal(audit.counts.misordered, 1);
  assert.equal(audit.counts.ordered, 3);
  assert.equal(cursor.seqMax, 6);
});

test('what is for somebody else, changed, never due or of another run is told apart', () => {
  const audit = newAudit();
  const [own] = numbersFor(1) as [number];
  const [other] = numbersFor(2) as [number];
  const cursor = newCursor();
  audit.receive(cursor, frame(other, 1));
  audit.receive(cursor, { ...frame(own, 1), from: nameOfPerson('p-', 2) });
  audit.receive(cursor, { ...frame(own, 1), seq: '1' });
  audit.receive(cursor, frame(5_000_000, 2));
  audit.receive(cursor, { ...frame(own, 1), id: 'other.0.1' });
  const { misdelivered, corrupted, foreign, delivered } = audit.counts;
  assert.deepEqual([misdelivered, corrupted, foreign, delivered], [1, 3, 1, 0]);
});

test('what was acknowledged, here or in another worker, and has not come is lost where it is owed', () => {
  const audit = newAudit();
  const [one, two, three] = numbersFor(1) as [number, number, number];
  audit.acked(0, one);
  audit.receive(newCursor(0), frame(one, 1));
  const elsewhere = newAudit();
  elsewhere.acked(0, two);
  elsewhere.acked(0, three);
  const unanswered = () => 0;
  const all = [...audit.ackedMessages(unanswered), ...elsewhere.ackedMessages(unanswered)];
  const isOurs = (person: number) => person === 1;
  // The second device is away.
  const judge = (isOwed: (person: number, device: number) => boolean) => audit.judge(all, isOurs, isOwed);
  assert.deepEqual(
    judge((_, device) => device === 0),
    { lost: 2, waiting: 3 },
  );
  assert.deepEqual(
    judge((_, device) => device === 0),
    { lost: 0, waiting: 3 },
    'each is counted once',
  );
  assert.equal(audit.receive({ ...newCursor(0), seqMax: 1 }, frame(two, 2)), undefined);
  assert.equal(audit.counts.late, 1);
  audit.receive(newCursor(1), frame(one, 1));
  assert.deepEqual(
    judge(() => true),
    { lost: 2, waiting: 0 },
  );
  assert.equal(audit.ackedMessages(unanswered).length, 0, 'the step is closed');
  audit.receive(newCursor(1), frame(one, 1));
  assert.equal(audit.counts.duplicated, 1, 'and what comes of it is a duplicate');
});

test('messages of an earlier step are delivered in the next one, and an unanswered one keeps a step open', () => {
  const audit = newAudit();
  const [one] = numbersFor(1) as [number];
  const open = audit.ackedMessages(() => 1);
  assert.deepEqual(
    audit.judge(
      open,
      () => true,
      () => true,
    ),
    { lost: 0, waiting: 0 },
  );
  audit.beginStep(1, workload, newDirectCounts(audit.counts));
  audit.start(9e6);
  const [later] = numbersFor(1, 1) as [number];
  assert.equal(audit.receive(newCursor(), frame(one, 1))?.step, 0);
  assert.equal(audit.receive(newCursor(), frame(later, 2, 1))?.dueUs, 9e6 + later * 10_000);
});
