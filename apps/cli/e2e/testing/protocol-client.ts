/**
 * A client of the control protocol that knows nothing but the original's wire format: documents
 * divided by an empty line, ids, results, errors, doubly encoded events.
 */

import { createConnection, type Socket } from 'node:net';

import { until } from './until.js';

/** A message as sent, byte for byte, with its separator; and read as JSON. */
export interface Message {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** One connection. Messages are taken in the order they came. */
export class ProtocolClient {
  readonly #socket: Socket;
  #received = '';
  /** Whether the daemon has ended its sending half, or the connection is broken. */
  hasEnded = false;

  /** Connects, or rejects with the system's error. */
  static connect(socketPath: string): Promise<ProtocolClient> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ path: socketPath, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new ProtocolClient(socket));
      });
    });
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => (this.#received += text));
    for (const event of ['end', 'error', 'close']) {
      socket.on(event, () => {
        this.hasEnded = true;
      });
    }
  }

  /** Sends bytes as they are. */
  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Ends the sending half, after `bytes`. */
  end(bytes = ''): void {
    this.#socket.end(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** The next message. */
  async next(): Promise<Message> {
    await until(() => this.#received.includes('\n\n') || this.hasEnded, () => `a message; received: ${JSON.stringify(this.#received)}`);
    const end = this.#received.indexOf('\n\n');
    if (end < 0) throw new Error(`the connection ended after ${JSON.stringify(this.#received)}`);
    const text = this.#received.slice(0, end + 2);
    this.#received = this.#received.slice(end + 2);
    return { text, json: JSON.parse(text) as Message['json'] };
  }

  /** Everything up to the end of the connection that was not taken yet. */
  async rest(): Promise<string> {
    await until(() => this.hasEnded, () => `the end of the connection; received: ${JSON.stringify(this.#received)}`);
    return this.#received;
  }

  /** Sends a request without an id and gives the next message that is no event; events before it are passed to `onEvent`. */
  async ask(cmd: string, args?: object, onEvent: (event: unknown) => void = () => undefined): Promise<Message['json']> {
    this.send(`${JSON.stringify({ cmd, args })}\n\n`);
    for (;;) {
      const { json } = await this.next();
      if (typeof json['event'] !== 'string') return json;
      onEvent(JSON.parse(json['event']));
    }
  }
}
