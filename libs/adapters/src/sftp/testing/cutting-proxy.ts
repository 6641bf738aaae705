/** A wire to a server that can be cut: at once, or after so many bytes have gone to the server. */

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One wire. */
export class CuttingProxy {
  readonly #sockets = new Set<Socket>();
  #left = Infinity;
  /** Connections that were made. */
  count = 0;
  /** Whether new connections are cut as they come. */
  isDown = false;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async to(target: number): Promise<CuttingProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new CuttingProxy(server, (server.address() as AddressInfo).port);
    server.on('connection', (client) => proxy.#join(client, target));
    return proxy;
  }

  /** Cuts what is connected once so many more bytes have gone to the server; what comes after is served. */
  cutAfter(bytes: number): void {
    this.#left = bytes;
  }

  /** Cuts what is connected now. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #join(client: Socket, target: number): void {
    this.count += 1;
    if (this.isDown) {
      client.destroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    const pair = [client, upstream];
    for (const socket of pair) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        for (const other of pair) other.destroy();
      });
    }
    upstream.pipe(client);
    client.on('data', (chunk: Buffer) => {
      this.#left -= chunk.length;
      if (this.#left > 0) {
        upstream.write(chunk);
        return;
      }
      this.#left = Infinity;
      client.destroy();
    });
  }
}
