/** `GET /connect?room=tea`: tells a client on which node the people of that room sit. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { globalRoom, isRoomName, pathOfRoom } from '#protocol';
import { isAllowedOrigin } from './admission.ts';

export type ConnectOptions = {
  readonly partitionOf: (room: string) => number;
  /** The address of the node for the next person of a partition; `not`: one that this person cannot reach. */
  readonly seat: (partition: number, not: string | undefined) => string | undefined;
  /** Origins that may ask; empty: all. */
  readonly origins: readonly string[];
  /** Longest wait that a client is asked for where no node has a place, in ms. */
  readonly waitMsMax: number;
  readonly count: (status: number) => void;
  /** Whether the connection of this request stays open after its answer. */
  readonly keep: (request: IncomingMessage) => boolean;
};

/**
 * The answer is `{"url", "node", "partition"}`. A client that could not reach the node asks again with `not=`
 * and the name of that node. No header lets a page of another origin read the answer.
 */
export function createConnect({ partitionOf, seat, origins, waitMsMax, count, keep }: ConnectOptions) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const answer = (status: number, body: string, headers: Record<string, string | number> = {}) => {
      count(status);
      // Who asks for many clients, as a proxy does, asks again. An offence costs the connection.
      const connection = [200, 503].includes(status) && keep(request) ? {} : { connection: 'close' };
      const common = { 'cache-control': 'no-store', 'content-type': 'text/plain' };
      const length = Buffer.byteLength(body);
      response.writeHead(status, { ...common, ...connection, 'content-length': length, ...headers });
      response.end(body);
    };
    if (request.method !== 'GET') return answer(405, 'send GET\n', { allow: 'GET' });
    if (!isAllowedOrigin(request.headers.origin, origins)) return answer(403, 'this origin is not allowed\n');
    const { searchParams } = new URL(request.url ?? '', 'http://localhost');
    const room = searchParams.get('room') ?? globalRoom;
    if (room !== globalRoom && !isRoomName(room))
      return answer(400, 'set room to 1-64 of A-Za-z0-9_.-, or leave it out for the global room\n');
    const partition = partitionOf(room);
    const url = seat(partition, searchParams.get('not') ?? undefined);
    if (url === undefined) {
      const waitSeconds = Math.max(1, Math.ceil((Math.random() * waitMsMax) / 1000));
      return answer(503, 'no node has a place at present\n', { 'retry-after': waitSeconds });
    }
    const found = { url: url + pathOfRoom(room), node: nodeName(url), partition };
    answer(200, `${JSON.stringify(found)}\n`, { 'content-type': 'application/json' });
  };
}

/** The name of a node: its public address without the protocol, `host:port`. */
export function nodeName(url: string): string {
  return url.replace(/^wss?:\/\//, '');
}
