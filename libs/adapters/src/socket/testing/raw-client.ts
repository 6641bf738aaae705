/** A client that knows nothing but bytes, for tests that compare them. */

import { createConnection, type Socket } from 'node:net';

/** What a raw client saw: text so far, and how the stream ended. */
export class RawClient {
  readonly socket: Socket;
  /** All text received. */
  received = '';
  /** `end` after a clean end of stream, the error's code after a broken one. */
  ending: string | undefined;
  readonly #watchers = new Set<() => void>();

  /** Connects; with `reading: false` the client takes in nothing until `socket.resume()`. */
  static connect(path: string, options: { reading: boolean } = { reading: true }): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ path, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket, options.reading));
      });
    });
  }

  private constructor(socket: Socket, reading: boolean) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.received += text;
      this.#notify();
    });
    socket.on('end', () => {
      this.ending ??= 'end';
      this.#notify();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.ending ??= error.code ?? 'error';
      this.#notify();
    });
    socket.on('close', () => {
      this.ending ??= 'end';
      this.#notify();
    });
    if (!reading) socket.pause();
  }

  send(bytes: string | Uint8Array): this {
    this.socket.write(bytes);
    return this;
  }

  /** Ends the sending half. */
  end(bytes = ''): this {
    this.socket.end(bytes);
    return this;
  }

  /** The next `count` messages with their separators, as one text; they are taken from `received`. */
  async take(count = 1): Promise<string> {
    await this.until(() => this.received.split('\n\n').length > count);
    const end = nthEnd(this.received, count);
    const taken = this.received.slice(0, end);
    this.received = this.received.slice(end);
    return taken;
  }

  /** Everything up to the end of the stream. */
  async rest(): Promise<string> {
    await this.until(() => this.ending !== undefined);
    return this.received;
  }

  /** Resolves when `holds` does; rejects if the stream ends without it. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (holds()) resolve();
        else if (this.ending !== undefined) reject(new Error(`the stream ended (${this.ending}) after ${JSON.stringify(this.received.slice(0, 500))}`));
        else return;
        this.#watchers.delete(check);
      };
      this.#watchers.add(check);
      check();
    });
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

function nthEnd(text: string, count: number): number {
  let end = 0;
  for (let seen = 0; seen < count; seen += 1) end = text.indexOf('\n\n', end) + 2;
  return end;
}
