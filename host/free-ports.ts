/** Ports for programs that cannot choose a free port themselves. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Different TCP ports that are free on 127.0.0.1 at this moment. Another program may take one meanwhile. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => server.listening || once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
