/** A network that can be cut, for tests of those who must not import the lab. */
export { SilentProxy } from '../experiments/lab/deployment/silent-proxy.ts';
