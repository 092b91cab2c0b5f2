/** A stage for tests. It adds itself to the table, also in a server started with `--import`. */
import { MemoryBackplane } from '../backplane/memory.ts';
import { BoundedFanOut } from '../chat/bounded-fan-out.ts';
import type { TypedMessageHandler } from '../gateway/dispatch.ts';
import { bounded } from './02-bounded.ts';
import { stages } from './index.ts';
import { boundedParts, type Stage } from './stage.ts';

const echo: TypedMessageHandler = (session, value) => session.sendText(JSON.stringify(value));

export const madeUp: Stage = {
  ...bounded,
  name: '99-made-up',
  summary: 'composed of existing parts, with a typed message and a route of its own',
  compose: (config, metrics) => ({
    ...boundedParts(config, new MemoryBackplane(), new BoundedFanOut(config, metrics)),
    typedMessages: new Map([['echo', echo]]),
    routes: new Map([['/hello', (_request, response) => response.end('hello\n')]]),
  }),
};

(stages as Stage[]).push(madeUp);
