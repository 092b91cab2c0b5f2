/** Frames that break RFC 6455 or the protocol of the chat, each answered with its close code. */
import { frame, frameHeader, textFrame } from '#host/raw-peer.ts';
import { encodeMessage } from '#protocol';
import { inSession, type Scenario, unanswered } from './scenario.ts';

const message = textFrame(encodeMessage({ clientId: 'mallory', Message: 'after' }));
const text = (payload: string) => Buffer.from(payload);
const closeFrame = (code: number, reason = '') =>
  frame(0x88, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), text(reason)]));
/** Each offender sends one of these, and a message behind it, which must not count. */
const sends = (...all: readonly Buffer[]) =>
  inSession((peer, _scene, offender) => peer.write(Buffer.concat([all[offender % all.length]!, message])));
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

/** A row: what is sent, how many offenders send it, and the close code. */
const standard: readonly [name: string, offenders: number, code: number, frames: readonly Buffer[]][] = [
  ['reserved bits', 30, 1002, [0xc1, 0xa1, 0x91, 0xf1].map((first) => frame(first, text('x')))],
  [
    'reserved opcodes',
    30,
    1002,
    [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((op) => frame(0x80 | op, text('x'))),
  ],
  ['frames without a mask', 20, 1002, [Buffer.from([0x81, 2, 0x7b, 0x7d]), Buffer.from([0x89, 0])]],
  ['a continuation of nothing', 20, 1002, [frame(0x80, text('x')), frame(0x00, text('x'))]],
  [
    'a message within a message',
    20,
    1002,
    [Buffer.concat([frame(0x01, text('{')), frame(0x81, text('{}'))])],
  ],
  ['a ping in fragments', 20, 1002, [frame(0x09, text('x')), frame(0x0a, text('x')), frame(0x08, text(''))]],
  ['a ping of 126 bytes', 20, 1002, [frame(0x89, Buffer.alloc(126)), frame(0x8a, Buffer.alloc(126))]],
  [
    'close codes that may not be sent',
    60,
    1002,
    [0, 999, 1004, 1005, 1006, ...range(1015, 1030), 2000, 2999, 5000, 65_535].map((code) =>
      closeFrame(code),
    ),
  ],
  ['half a close code', 20, 1002, [frame(0x88, Buffer.from([3]))]],
  [
    'text that is not UTF-8',
    30,
    1007,
    [
      frame(0x81, Buffer.from([0xff, 0xfe])),
      frame(0x81, Buffer.from('eda080', 'hex')),
      frame(0x81, Buffer.from('f4908080', 'hex')),
      Buffer.concat([frame(0x01, Buffer.from('ce', 'hex')), frame(0x80, Buffer.from('ce', 'hex'))]),
    ],
  ],
  ['a close reason that is not UTF-8', 20, 1007, [frame(0x88, Buffer.from('03e8ff', 'hex'))]],
];

const ofThisChat: typeof standard = [
  ['a frame of 1 MB', 10, 1009, [frame(0x81, Buffer.alloc(1_000_000, 'x'))]],
  ['16 MB and 2^40 bytes in a header', 20, 1009, [frameHeader(0x81, 2 ** 24), frameHeader(0x81, 2 ** 40)]],
  ['2^63 bytes in a header', 20, 1009, [Buffer.from('81ff800000000000000000000000', 'hex')]],
  ['binary frames', 20, 1003, [frame(0x82, text('x'))]],
  [
    'no JSON',
    30,
    1007,
    [textFrame('{'), textFrame(''), textFrame('[]'), textFrame('null'), textFrame('1e999')],
  ],
  ['JSON of a great depth', 20, 1007, [textFrame('['.repeat(20_000)), textFrame('{"a":'.repeat(4000))]],
  ['fields of other types', 20, 1007, [textFrame('{"clientId":1,"Message":{}}'), textFrame('{"type":"?"}')]],
  [
    'a clientId of 65 characters',
    20,
    1007,
    [textFrame(encodeMessage({ clientId: 'm'.repeat(65), Message: '' }))],
  ],
  [
    'a Message of 4,097 bytes',
    20,
    1009,
    [textFrame(encodeMessage({ clientId: 'm', Message: 'x'.repeat(4097) }))],
  ],
];

const rowsOf = (rows: typeof standard): Scenario[] =>
  rows.map(([name, offenders, code, frames]) => ({
    name,
    offenders,
    gets: [code],
    offend: sends(...frames),
  }));

export const frames: readonly Scenario[] = [
  ...rowsOf(standard).map((scenario) => ({ ...scenario, isStandard: true as const })),
  ...rowsOf(ofThisChat),
  {
    name: 'data after a close frame',
    offenders: 20,
    gets: [1000],
    offend: inSession((peer) => peer.write(Buffer.concat([closeFrame(1000), message, message]))),
    isStandard: true,
  },
  {
    name: 'fields that are no fields: __proto__, constructor',
    offenders: 20,
    gets: ['nothing'],
    offend: unanswered((peer) =>
      peer.write(textFrame('{"__proto__":{"a":1},"constructor":null,"clientId":"m","Message":"x"}')),
    ),
  },
  {
    name: 'pings between fragments, as the RFC allows',
    offenders: 20,
    gets: ['nothing'],
    offend: unanswered((peer) => {
      const [head, tail] = ['{"clientId":"m",', '"Message":"x"}'];
      peer.write(Buffer.concat([frame(0x01, text(head)), frame(0x89, text('p')), frame(0x80, text(tail))]));
    }),
    isStandard: true,
  },
];
