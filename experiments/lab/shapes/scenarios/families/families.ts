/** All scenarios of hostile clients, by family. A new one is a row in its family's file. */
import { floodsFamily } from './floods.ts';
import { frames } from './frames.ts';
import { handshakes } from './handshakes.ts';
import { readers } from './readers.ts';
import type { Scenario } from './scenario.ts';
import { unfinished } from './unfinished.ts';

export const families: Readonly<Record<string, readonly Scenario[]>> = {
  handshakes,
  frames,
  'unfinished messages': unfinished,
  floods: floodsFamily,
  'readers and leavers': readers,
};
