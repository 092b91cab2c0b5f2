/**
 * The negative families of the Autobahn test suite (3 to 7) as cases, with the positive ones beside them, and
 * numbered as there. A text that Autobahn wants echoed is the Message of a chat message here, because only
 * those are understood: this is the first of the differences, which are on purpose.
 */
import { frame } from '#host/raw-peer.ts';
import { encodeMessage } from '#protocol';

export type Rfc6455Case = {
  /** As in Autobahn. */
  id: string;
  about: string;
  /** Written one after the other. */
  sends: readonly Buffer[];
  /** Messages that the room hears of it. */
  hears: readonly string[];
  /** The close code that the peer gets; `open`: it stays. */
  code: number | 'open';
  /** How it differs from RFC 6455 or from Autobahn, and why. */
  differs?: string;
};

const [continuation, text, binary, close, ping, pong] = [0, 1, 2, 8, 9, 10] as const;
const fin = 0x80;
const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const json = (message: string) => Buffer.from(encodeMessage({ clientId: 'a', Message: message }));
/** A chat message whose Message holds these bytes as they are. */
const around = (inner: Buffer) =>
  Buffer.concat([Buffer.from('{"clientId":"a","Message":"'), inner, Buffer.from('"}')]);
const chat = (message: string) => frame(fin | text, json(message));
const control = (opcode: number, payload = Buffer.alloc(0), first = fin | opcode) => frame(first, payload);
const closes = (code: number, reason = Buffer.alloc(0)) =>
  control(close, Buffer.concat([bytes(code.toString(16).padStart(4, '0')), reason]));

/** A message in fragments; `between` stands behind the first of them. */
function inParts(opcode: number, payload: Buffer, parts: number, between: readonly Buffer[] = []): Buffer[] {
  const at = (part: number) => Math.floor((payload.length * part) / parts);
  const all = Array.from({ length: parts }, (_, part) =>
    frame(
      (part === parts - 1 ? fin : 0) | (part === 0 ? opcode : continuation),
      payload.subarray(at(part), at(part + 1)),
    ),
  );
  return [all[0]!, ...between, ...all.slice(1)];
}

const row = (
  id: string,
  about: string,
  sends: readonly Buffer[],
  code: number | 'open',
  hears: readonly string[] = [],
  differs?: string,
): Rfc6455Case => ({ id, about, sends, code, hears, ...(differs && { differs }) });

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
const notUnderstood = 'a binary message is understood by nobody here: 1003';

const reservedBits = [
  row('3.1', 'RSV 1 in a text', [frame(fin | 0x10 | text, json('x'))], 1002),
  row('3.2', 'a message, then RSV 2', [chat('a'), frame(fin | 0x20 | text, json('x')), control(ping)], 1002, [
    'a',
  ]),
  row('3.3', 'a message, then RSV 3', [chat('a'), frame(fin | 0x30 | text, json('x')), control(ping)], 1002, [
    'a',
  ]),
  row('3.4', 'a message, then RSV 4', [chat('a'), frame(fin | 0x40 | text, json('x')), control(ping)], 1002, [
    'a',
  ]),
  row('3.5', 'RSV 5 in a binary', [frame(fin | 0x50 | binary, json('x'))], 1002),
  row('3.6', 'RSV 6 in a ping', [control(ping, Buffer.alloc(0), fin | 0x60 | ping)], 1002),
  row('3.7', 'RSV 7 in a close', [control(close, Buffer.alloc(0), fin | 0x70 | close)], 1002),
];

const opcodes = [...range(3, 7), ...range(11, 15)].flatMap((opcode) => {
  const id = opcode < 8 ? `4.1.${opcode - 2}` : `4.2.${opcode - 10}`;
  const alone = row(id, `opcode ${opcode}`, [frame(fin | opcode, json('x')), control(ping)], 1002);
  const sends = [chat('a'), frame(fin | opcode, Buffer.alloc(0)), control(ping)];
  return [alone, row(`${id} after a message`, `opcode ${opcode}, empty`, sends, 1002, ['a'])];
});

const pinging = [control(ping, Buffer.from('p'))];
const fragmentation = [
  row('5.1', 'a ping in two fragments', inParts(ping, Buffer.from('pp'), 2), 1002),
  row('5.2', 'a pong in two fragments', inParts(pong, Buffer.from('pp'), 2), 1002),
  row('5.3', 'a text in two fragments', inParts(text, json('a'), 2), 'open', ['a']),
  row('5.6', 'a ping between two fragments', inParts(text, json('a'), 2, pinging), 'open', ['a']),
  row('5.8', 'a pong between two fragments', inParts(text, json('a'), 2, [control(pong)]), 'open', ['a']),
  row('5.9', 'a final continuation of nothing, then a text', [frame(fin, json('x')), chat('b')], 1002),
  row('5.10', 'the same in one write', [Buffer.concat([frame(fin, json('x')), chat('b')])], 1002),
  row('5.12', 'a continuation of nothing that is not final', [frame(0, json('x')), chat('b')], 1002),
  row(
    '5.15',
    'a message, then a continuation',
    [...inParts(text, json('a'), 2), frame(fin, json('x'))],
    1002,
    ['a'],
  ),
  row(
    '5.16',
    'continuations before texts',
    [frame(0, json('x')), frame(text, json('y')), frame(fin, json('z'))],
    1002,
  ),
  row('5.17', 'final continuations before texts', [frame(fin, json('x')), frame(text, json('y'))], 1002),
  row('5.18', 'a text within a text', [frame(text, json('x')), chat('b')], 1002),
  row(
    '5.19',
    'five fragments, pings between',
    inParts(text, json('a'), 5, [...pinging, ...pinging]),
    'open',
    ['a'],
  ),
  row('5.20', 'empty fragments', inParts(text, json('a'), 64), 'open', ['a']),
  row(
    '5 more',
    'a text in 65 fragments',
    inParts(text, json('a'.repeat(100)), 65),
    1008,
    [],
    'a bound: 64 fragments',
  ),
  row('5.binary', 'a binary in two fragments', inParts(binary, json('a'), 2), 1003, [], notUnderstood),
];

/** Valid and invalid UTF-8 of families 6.6 to 6.23. */
const valid = [
  ...[
    'ce ba',
    'ce ba e1 bd b9 cf 83 ce bc ce b5',
    'c2 80',
    'e0 a0 80',
    'f0 90 80 80',
    '7f',
    'df bf',
    'ef bf bf',
  ],
  ...[
    'f4 8f bf bf',
    'ed 9f bf',
    'ee 80 80',
    'ef bf bd',
    'ef bf be',
    'f0 9f bf be',
    'f0 af bf bf',
    'f3 bf bf bf',
  ],
];
const invalid = [
  ...['ce', 'ce ba e1', 'f0 90 80', 'f8 88 80 80 80', 'fc 84 80 80 80 80', 'f7 bf bf bf', 'fb bf bf bf bf'],
  ...[
    'fd bf bf bf bf bf',
    'f4 90 80 80',
    '80',
    'bf',
    '80 bf',
    '80 bf 80 bf 80 bf',
    'c0 20',
    'e0 20',
    'f0 20',
    'f8 20',
  ],
  ...['fe', 'ff', 'fe fe ff ff', 'c0 af', 'e0 80 af', 'f0 80 80 af', 'f8 80 80 80 af', 'fc 80 80 80 80 af'],
  ...[
    'c1 bf',
    'e0 9f bf',
    'f0 8f bf bf',
    'c0 80',
    'e0 80 80',
    'f0 80 80 80',
    'ed a0 80',
    'ed ad bf',
    'ed ae 80',
  ],
  ...['ed af bf', 'ed b0 80', 'ed be 80', 'ed bf bf', 'ed a0 80 ed b0 80', 'ed ad bf ed bf bf'],
];
const broken = bytes('ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80 65 64 69 74 65 64');
const atTheEnd =
  'it is found when the message ends, not at its first wrong byte: RFC 6455, 8.1 names no moment';

const utf8 = [
  row('6.1', 'an empty text', [frame(fin | text, Buffer.alloc(0))], 1007, [], 'an empty text is no JSON'),
  row('6.2', 'valid UTF-8 in fragments of a byte', inParts(text, around(bytes('ce ba')), 31), 'open', ['κ']),
  row('6.3', 'invalid UTF-8', [frame(fin | text, around(broken))], 1007),
  row(
    '6.4',
    'invalid in the second of three fragments',
    inParts(text, around(broken), 3),
    1007,
    [],
    atTheEnd,
  ),
  row(
    '6.4 unfinished',
    'the last of them never comes',
    inParts(text, around(broken), 3).slice(0, 2),
    'open',
    [],
    atTheEnd,
  ),
  ...valid.map((hex) =>
    row(`6.valid ${hex}`, 'valid', [frame(fin | text, around(bytes(hex)))], 'open', [bytes(hex).toString()]),
  ),
  ...invalid.map((hex) => row(`6.invalid ${hex}`, 'invalid', [frame(fin | text, around(bytes(hex)))], 1007)),
];

const closing = [
  row('7.1.1', 'a message, then a close', [chat('a'), closes(1000)], 1000, ['a']),
  row('7.1.2', 'two closes', [closes(1000), closes(1000)], 1000),
  row('7.1.3', 'a ping after the close', [closes(1000), control(ping)], 1000),
  row('7.1.4', 'a message after the close', [closes(1000), chat('x')], 1000),
  row(
    '7.1.5',
    'a close within a message',
    [frame(text, json('x')), closes(1000), frame(fin, json('y'))],
    1000,
  ),
  row('7.1.6', 'a large message, then a close', [chat('a'.repeat(4096)), closes(1000)], 1000, [
    'a'.repeat(4096),
  ]),
  row('7.3.1', 'a close without a code', [control(close)], 1005),
  row('7.3.2', 'a close of one byte', [control(close, bytes('03'))], 1002),
  row('7.3.3', 'a close with a code', [closes(1000)], 1000),
  row('7.3.4', 'a close with a reason', [closes(1000, Buffer.from('bye'))], 1000),
  row('7.3.5', 'the longest reason', [closes(1000, Buffer.alloc(123, 'x'))], 1000),
  row('7.3.6', 'a reason that is too long', [closes(1000, Buffer.alloc(124, 'x'))], 1002),
  row('7.5.1', 'a reason that is not UTF-8', [closes(1000, broken)], 1007),
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map((code) =>
    row(`7.7.${code}`, 'a code that may be sent', [closes(code)], code),
  ),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999].map((code) =>
    row(`7.9.${code}`, 'a code that may not be sent', [closes(code)], 1002),
  ),
  ...[5000, 65_535].map((code) =>
    row(`7.13.${code}`, 'a code that the RFC leaves open', [closes(code)], 1002),
  ),
];

/** By family, in Autobahn's words. */
export const rfc6455Cases: Readonly<Record<string, readonly Rfc6455Case[]>> = {
  '3 Reserved Bits': reservedBits,
  '4 Opcodes': opcodes,
  '5 Fragmentation': fragmentation,
  '6 UTF-8 Handling': utf8,
  '7 Close Handling': closing,
};
