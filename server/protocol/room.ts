/** The room in the URL: `/ws` is the global room, `/ws/<room>` is the room of that name. */

/** The name of the global room. No path can ask for the empty name, so no other room has it. */
export const globalRoom = '';

const roomPattern = /^[A-Za-z0-9_.-]{1,64}$/;

/** True for 1 to 64 characters of `A-Za-z0-9_.-`. */
export function isRoomName(name: string): boolean {
  return roomPattern.test(name);
}

/** The room of a request path, or undefined when the path is not a chat path. A query string is ignored. */
export function roomOfPath(path: string): string | undefined {
  const query = path.indexOf('?');
  const bare = query === -1 ? path : path.slice(0, query);
  if (bare === '/ws') return globalRoom;
  if (!bare.startsWith('/ws/')) return undefined;
  const name = bare.slice('/ws/'.length);
  return isRoomName(name) ? name : undefined;
}

/** The path that joins a room; the global room is `/ws`. */
export function pathOfRoom(room: string): string {
  return room === globalRoom ? '/ws' : `/ws/${room}`;
}
