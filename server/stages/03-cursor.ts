/**
 * 03-cursor: a room is a log, a session is a cursor. Asked for by experiments/001-ladder: before it, a write per message
 * per recipient is all that a core can do.
 */
import { MemoryBackplane } from '../backplane/memory.ts';
import { RelayedChat } from '../chat/chat.ts';
import { CursorFanOut } from '../chat/fan-out.ts';
import type { Stage } from './stage.ts';

export const cursor: Stage = {
  name: '03-cursor',
  summary: 'a room is a log and a session a cursor: one write carries all that piled up',
  needs: [],
  bounded: true,
  perCore: false,
  compose: (config, metrics) => new RelayedChat(new MemoryBackplane(), new CursorFanOut(config, metrics)),
};
