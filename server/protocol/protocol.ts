/** The wire, as everybody but the server's own files imports it: `#protocol`. It imports nothing from outside. */
export * from './close-code.ts';
export * from './message.ts';
export * from './room.ts';
