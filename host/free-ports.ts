/** Ports for programs that cannot choose a free port themselves. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

/**
 * Below the ports that systems give to outgoing connections (Linux: from 32,768), of which thousands come and
 * go under load: one of them could have a port before the program for which it was chosen.
 */
const [lowest, beyond] = [20_000, 32_000];
const attemptsMax = 100;

/** Different TCP ports that are free on 127.0.0.1 at this moment. Another program may take one meanwhile. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  try {
    while (servers.length < count) servers.push(await listenSomewhere());
    return servers.map((server) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(servers.map((server) => once(server.close(), 'close')));
  }
}

/** Rejects where no port of a hundred can be had. */
async function listenSomewhere(): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const server = createServer().listen(randomInt(lowest, beyond), '127.0.0.1');
    try {
      await once(server, 'listening');
      return server;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt >= attemptsMax) throw error;
    }
  }
}
