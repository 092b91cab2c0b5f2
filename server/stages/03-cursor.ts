/**
 * 03-cursor: a room is a log, a session is a cursor. Made necessary by experiments/001-ladder: before it, a
 * write per message per recipient is all that a core can do.
 */
import { MemoryBackplane } from '../backplane/memory.ts';
import { roomSettings } from '../chat/chat.ts';
import { CursorFanOut, cursorFanOutSettings } from '../chat/fan-out.ts';
import { gatewaySettings } from '../gateway/gateway-parts.ts';
import { limitsOf } from '../settings.ts';
import { boundedParts, oneProcess, type Stage } from './stage.ts';

export const cursor: Stage = {
  name: '03-cursor',
  summary: 'a room is a log and a session a cursor: one write carries all that piled up',
  processes: oneProcess,
  services: [],
  limits: limitsOf([...gatewaySettings, roomSettings, cursorFanOutSettings]),
  order: 'one for all',
  delivery: 'at most once',
  compose: (config, metrics) =>
    boundedParts(config, new MemoryBackplane(), new CursorFanOut(config, metrics)),
};
