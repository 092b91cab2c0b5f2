/** What the lab needs of a server beside the chat: a port that answers, and a line that says where it is. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers every request at the internal port with 200, and prints the line `listening` once it can. */
export function announce(chatPort: number): void {
  const { CHAT_HOST, CHAT_INTERNAL_HOST, CHAT_INTERNAL_PORT } = process.env;
  const server = createServer((_request, response) => response.end());
  server.listen(Number(CHAT_INTERNAL_PORT), CHAT_INTERNAL_HOST, () => {
    const { port } = server.address() as AddressInfo;
    const chat = `ws://${CHAT_HOST}:${chatPort}/ws`;
    const internal = `http://${CHAT_INTERNAL_HOST}:${port}`;
    console.log(JSON.stringify({ event: 'listening', chat, internal }));
  });
}
