/** A thread that makes the files of the page ready: stripping types must not hold up the chat. */
import { parentPort } from 'node:worker_threads';
import { readPageFiles } from './page-files.ts';

parentPort?.postMessage(readPageFiles());
