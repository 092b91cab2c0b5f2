/** The log: one JSON object per line on standard output. */
import { type LoggerOptions, pino } from 'pino';

/**
 * Writes at once. With a buffer, a process whose reader has gone (`npm start | head`) could wait for ever at
 * its exit for the rest of the buffer to be written.
 */
export function createLog(options: LoggerOptions) {
  return pino(options, pino.destination({ dest: 1, sync: true }));
}
