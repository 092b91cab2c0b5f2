/** A person who is logged in and asks its node for the addresses of its images, one after the other. */
import { type Credentials, parseFilenamesAck, type UploadAddress } from '#protocol';
import { Device } from './device.ts';
import type { Uploader } from './image-uploads.ts';
import { imageType } from './upload.ts';

/** Chosen, not measured: many times what an answer takes. */
const answerTimeoutMs = 3000;

export class Photographer implements Uploader, Disposable {
  readonly #chatUrl: string;
  readonly #device: Device;
  /** Ends with the answer to the last request. */
  #asked: Promise<unknown> = Promise.resolve();
  #answer: PromiseWithResolvers<UploadAddress> | undefined;

  /** The account is there. */
  constructor(person: Credentials, chatUrl: string) {
    this.#chatUrl = chatUrl;
    this.#device = new Device(person, {
      other: (frame) => this.#take(frame),
      closed: () => this.#answer?.reject(new Error('the connection has ended')),
    });
  }

  /** Logs in first where it is not connected. Answers do not name their request: the others wait. */
  address(bytes: number): Promise<UploadAddress> {
    const asked = this.#asked.then(() => this.#ask(bytes));
    this.#asked = asked.catch(() => {});
    return asked;
  }

  [Symbol.dispose](): void {
    this.#device.drop();
  }

  async #ask(bytes: number): Promise<UploadAddress> {
    if (!this.#device.isIn) await this.#logIn();
    const answer = Promise.withResolvers<UploadAddress>();
    this.#answer = answer;
    const timer = setTimeout(() => {
      // A late answer must not be taken for that of the next request.
      this.#device.drop();
      answer.reject(new Error(`no address within ${answerTimeoutMs} ms`));
    }, answerTimeoutMs);
    this.#device.write({ type: 'filenames', count: 1, contentType: imageType, bytes });
    return answer.promise.finally(() => clearTimeout(timer));
  }

  async #logIn(): Promise<void> {
    const { result } = await this.#device.logIn(this.#chatUrl, 'password', answerTimeoutMs);
    if (result !== 'ok') throw new Error(`the login was answered with ${result}`);
  }

  #take(frame: Readonly<Record<string, unknown>>): void {
    const ack = parseFilenamesAck(JSON.stringify(frame));
    if (ack === undefined) return;
    const [address] = ack.result === 'ok' ? ack.uploads : [];
    if (address === undefined) this.#answer?.reject(new Error(`asked for an address: ${ack.result}`));
    else this.#answer?.resolve(address);
  }
}
