/** Ports for programs that cannot choose one themselves and say which. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** So many different TCP ports that nobody listens on at 127.0.0.1; they stay free only as long as nobody takes them. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => server.listening || once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
