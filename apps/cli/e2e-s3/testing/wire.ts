/**
 * A TCP connection to a server that a test holds in its hands: it counts the bytes, stops them
 * at a certain one, cuts them off, or leads to somewhere else.
 */

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { until } from '../../e2e/testing/until.js';

/** Which way bytes go. */
export type Direction = 'up' | 'down';

/** A port that leads to another one. */
export class Wire {
  /** Bytes that went to the server, and that came from it. */
  readonly bytes = { up: 0, down: 0 };
  readonly #sockets = new Set<Socket>();
  readonly #limit = { up: Infinity, down: Infinity };
  #isHeld = false;

  private constructor(
    readonly endpoint: string,
    private readonly server: Server,
    private port: number,
  ) {}

  /** A wire to the server of that URL. */
  static async to(endpoint: string): Promise<Wire> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const wire = new Wire(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, Number(new URL(endpoint).port));
    server.on('connection', (client) => wire.#join(client));
    return wire;
  }

  /** New connections lead there; those that are open end. */
  leadTo(port: number): void {
    this.port = port;
    this.cut();
  }

  /** Lets so many more bytes pass in a direction, and then nothing any more in either. */
  holdAfter(count: number, direction: Direction): void {
    this.#limit[direction] = this.bytes[direction] + count;
  }

  /** Waits until it holds. */
  async held(): Promise<void> {
    await until(() => this.#isHeld, () => `bytes on the wire; there were ${JSON.stringify(this.bytes)}`, 60_000);
  }

  /** Ends the hold: connections that were held are lost, new ones work. */
  release(): void {
    this.#limit.up = this.#limit.down = Infinity;
    this.#isHeld = false;
    this.cut();
  }

  /** Ends all connections as a broken cable does. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #join(client: Socket): void {
    const server = connect({ port: this.port, host: '127.0.0.1' });
    this.#pass(client, server, 'up');
    this.#pass(server, client, 'down');
  }

  #pass(from: Socket, to: Socket, direction: Direction): void {
    this.#sockets.add(from);
    from.on('data', (chunk: Buffer) => {
      this.bytes[direction] += chunk.length;
      if (this.bytes[direction] > this.#limit[direction]) this.#isHeld = true;
      // What is not read any more comes to a standstill at the sender.
      if (this.#isHeld) from.pause();
      else if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => {
      if (!this.#isHeld) from.resume();
    });
    from.once('end', () => to.end());
    from.on('error', () => undefined);
    from.once('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
