/** Somebody who was accepted and cannot join after all: 1013, a sentence that is true, and a counter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { pino } from 'pino';
import { Person } from '../../testing/person.ts';
import type { Chat, NoPlace } from '../chat/chat.ts';
import { commonSettings, readSettings } from '../settings.ts';
import { drainAtOnce } from './drain.ts';
import { Gateway } from './gateway.ts';
import { gatewaySettings } from './gateway-parts.ts';

const settings = readSettings(
  new Command(),
  [commonSettings, ...gatewaySettings],
  ['--host', '127.0.0.1', '--port', '0', '--internal-host', '127.0.0.1', '--internal-port', '0'],
);

/** A chat whose bound of that name is reached. */
function chatWithout(place: NoPlace): Chat {
  return {
    start: async () => {},
    ready: true,
    rooms: 0,
    join: () => place,
    leave: () => {},
    publish: () => true,
    flush: () => true,
    close: async () => {},
  };
}

const reasons: Record<NoPlace, RegExp> = { rooms: /another room/, missed_bytes: /missed messages/ };

for (const [place, reason] of Object.entries(reasons)) {
  test(`${place}: the close reason and the counter name the bound`, async () => {
    const chat = chatWithout(place as NoPlace);
    const gateway = new Gateway(
      'test',
      () => ({ chat, drain: drainAtOnce, settings }),
      pino({ level: 'silent' }),
    );
    const { chat: address } = await gateway.listen();
    try {
      const person = await Person.join(`ws://127.0.0.1:${address.port}/ws/tea`, 'alice');
      const closed = await person.closed;
      assert.equal(closed.code, 1013);
      assert.match(closed.reason, reason);
      const { values } = await gateway.metrics.rejections.get();
      assert.deepEqual(
        values.map(({ labels, value }) => [labels.reason, value]),
        [[place, 1]],
      );
      assert.equal(gateway.sessions, 0);
    } finally {
      await gateway.drain();
    }
  });
}
