/** Starts a listener and waits for it. */
import { once } from 'node:events';
import type { AddressInfo, ListenOptions, Server } from 'node:net';

/** Resolves with the address once the server listens; rejects with the system's error, such as EADDRINUSE. */
export async function listen(server: Server, options: ListenOptions): Promise<AddressInfo> {
  server.listen(options);
  await once(server, 'listening');
  return server.address() as AddressInfo;
}
