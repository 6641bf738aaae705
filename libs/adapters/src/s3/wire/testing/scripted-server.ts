/** An HTTP server on loopback that answers what a test wrote down, in order, and keeps what it was asked. */

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A request that came. */
export interface Asked {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What to answer. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Ends the connection after so many bytes of the body. */
  readonly cutAfter?: number;
  /** Ends the connection without an answer. */
  readonly drops?: boolean;
  /** Leaves the request without an answer. */
  readonly hangs?: boolean;
}

/** A running server. */
export interface ScriptedServer {
  readonly origin: string;
  readonly asked: readonly Asked[];
  /** Connections made so far. */
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

/** One reply a request; a request beyond the script is answered with status 418, which nothing repeats. */
export async function openScriptedServer(script: readonly (Reply | ((asked: Asked) => Reply))[]): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const target = request.url ?? '';
      const [path = '', query = ''] = target.split('?');
      const one: Asked = { method: request.method ?? '', target, path, query: new URLSearchParams(query), headers: request.headers, body: Buffer.concat(chunks) };
      const reply = script[asked.length] ?? { status: 418 };
      asked.push(one);
      answer(response, one.method, typeof reply === 'function' ? reply(one) : reply);
    });
  });
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    asked,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function answer(response: ServerResponse, method: string, reply: Reply): void {
  if (reply.hangs === true) return;
  if (reply.drops === true) return void response.destroy();
  const body = Buffer.from(reply.body ?? '');
  // The time of the test is not that of the script; a script that means one sends it.
  response.sendDate = false;
  response.writeHead(reply.status ?? 200, { ...(reply.headers?.['transfer-encoding'] === undefined && { 'content-length': String(body.length) }), ...reply.headers });
  if (method === 'HEAD') return void response.end();
  if (reply.cutAfter === undefined) return void response.end(body);
  response.write(body.subarray(0, reply.cutAfter), () => setImmediate(() => response.destroy()));
}

/** An `<Error>` document. */
export function errorDocument(code: string, more = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>Words of the server.</Message>${more}<RequestId>1</RequestId></Error>`;
}

/** A failure with its document. */
export function failing(status: number, code: string, headers: Readonly<Record<string, string>> = {}, more = ''): Reply {
  return { status, headers: { 'content-type': 'application/xml', ...headers }, body: errorDocument(code, more) };
}
