/** 01-naive: the control. Encode and send once per recipient; every client in one list; nothing bounded. */
import { roomSettings } from '../chat/chat.ts';
import { NaiveChat } from '../chat/naive.ts';
import { drainAtOnce } from '../gateway/drain.ts';
import { gatewaySettings } from '../gateway/gateway-parts.ts';
import { infiniteLimitsOf } from '../settings.ts';
import { oneProcess, type Stage } from './stage.ts';

export const naive: Stage = {
  name: '01-naive',
  summary: 'encode and send once per recipient, every client in one list, nothing bounded',
  processes: oneProcess,
  services: [],
  limits: infiniteLimitsOf([...gatewaySettings, roomSettings]),
  order: 'one for all',
  delivery: 'at most once',
  compose: (config, metrics) => ({
    settings: { ...config, ...infiniteLimitsOf(gatewaySettings), token: '', origins: [] },
    chat: new NaiveChat(metrics),
    drain: drainAtOnce,
  }),
};
