/** What is asked of `GET /connect`, with any query and any headers. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import fc from 'fast-check';
import { isRoomName } from '#protocol';
import { createConnect } from '../server/gateway/connect.ts';

const node = 'ws://chat.example:8080';
let isFull = false;
const options = {
  partitionOf: (room: string) => room.length,
  seat: () => (isFull ? undefined : node),
  origins: ['https://chat.example'],
  waitMsMax: 3000,
  count: () => {},
  keep: () => false,
};
const connect = createConnect(options);

const anyQuery = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.stringMatching(/^(room|not)=[%A-Fa-f0-9_.&=+-]{0,80}$/),
  fc.stringMatching(/^room=[A-Za-z0-9_.-]{1,70}$/),
);

export const connectTarget = {
  name: 'question where to connect',
  property: () =>
    fc.property(
      anyQuery,
      fc.constantFrom('GET', 'HEAD', 'POST', 'get', ''),
      fc.option(fc.oneof(fc.string(), fc.constant('https://chat.example')), { nil: undefined }),
      fc.boolean(),
      (query, method, origin, full) => {
        isFull = full;
        const answers: { status: number; body: string }[] = [];
        let status = 0;
        const response = {
          writeHead: (given: number) => {
            status = given;
          },
          end: (body: string) => answers.push({ status, body }),
        } as unknown as ServerResponse;
        const request = {
          method,
          url: `/connect?${query}`,
          headers: { origin },
        } as unknown as IncomingMessage;
        connect(request, response);
        assert.equal(answers.length, 1);
        const [answer] = answers;
        assert.ok([200, 400, 403, 405, 503].includes(answer!.status));
        if (answer!.status !== 200) return;
        const { url } = JSON.parse(answer!.body) as { url: string };
        assert.ok(url === `${node}/ws` || isRoomName(url.slice(`${node}/ws/`.length)), url);
      },
    ),
};
