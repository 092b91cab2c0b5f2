/** The wire, `#protocol` for all parts. It imports nothing and uses no Node API: a browser uses it too. */
export * from './close-code.ts';
export * from './direct.ts';
export * from './filenames.ts';
export * from './login.ts';
export * from './menu.ts';
export * from './message.ts';
export * from './posts.ts';
export * from './resume.ts';
export * from './room.ts';
