/** Prints the script of the page; a process of its own for `pageAssets`. */
import { join } from 'node:path';
import { bundle } from './bundle.ts';

process.stdout.write(bundle(join(import.meta.dirname, 'browser', 'main.ts')));
