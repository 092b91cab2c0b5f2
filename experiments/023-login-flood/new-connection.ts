/**
 * A login over a connection of its own, which ends with the answer. It is the connection of the simulator,
 * because a thread that is busy comes late, and then offers many logins at once.
 */
import { type Credentials, encodeLogin, type LoginAck, parseLoginAck } from '#protocol';
import { type ConnectionOwner, TextConnection } from '../../loadtest/wire/text-connection.ts';

/** What a login comes with: a token, or a password and the name of a device. */
export type LoginWith = { readonly token: string } | (Credentials & { readonly device: string });

/** Larger frames end the connection; nobody who is let in here hears more than the chat allows. */
const messageBytesMax = 65_536;

/** Rejects where no answer came in time, or with the HTTP status, the error of the socket, or the close. */
export function logInAnew(chatUrl: string, login: LoginWith, timeoutMs: number): Promise<LoginAck> {
  const { promise, resolve, reject } = Promise.withResolvers<LoginAck>();
  const url = new URL(chatUrl);
  if ('token' in login) url.searchParams.set('login', login.token);
  const owner: ConnectionOwner = {
    opened: () => {
      if ('password' in login) connection.send(encodeLogin(login));
    },
    refused: (why) => reject(new Error(why)),
    closed: (code, reason) => reject(new Error(`closed with ${code} ${reason} before the answer`)),
    message: (bytes, start, stop) => {
      const ack = parseLoginAck(bytes.toString('utf8', start, stop));
      if (ack === undefined) return;
      connection.close();
      resolve(ack);
    },
    reading: () => {},
    read: () => {},
  };
  const target = {
    address: url.hostname,
    port: Number(url.port),
    url,
    sourceAddress: undefined,
    headers: {},
  };
  const connection = new TextConnection(target, messageBytesMax, owner);
  const timer = setTimeout(() => {
    connection.destroy();
    reject(new Error('no answer in time'));
  }, timeoutMs);
  return promise.finally(() => clearTimeout(timer));
}
