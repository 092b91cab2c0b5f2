/** A start that takes long says what it waits for, so that nobody has to guess. */
import type { Logger } from 'pino';
import type { Chat } from '../chat/chat.ts';

/** A service that is there answers sooner, and a person still waits for a line. Chosen, not measured. */
const patienceMs = 700;

/** Logs what the chat waits for, unless the result is disposed of before. */
export function tellWhatIsAwaited(chat: Chat, log: Logger): Disposable {
  const tell = () => log.warn({ event: 'waiting', for: chat.waitsFor }, 'the chat has not started yet');
  const timer = setTimeout(tell, patienceMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
