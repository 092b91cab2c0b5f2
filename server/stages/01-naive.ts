/** 01-naive: the control. Encode and send once per recipient; every client in one list; nothing bounded. */
import { NaiveChat } from '../chat/naive.ts';
import type { Stage } from './stage.ts';

export const naive: Stage = {
  name: '01-naive',
  summary: 'encode and send once per recipient, every client in one list, nothing bounded',
  needs: [],
  bounded: false,
  perCore: false,
  compose: (_config, metrics) => new NaiveChat(metrics),
};
