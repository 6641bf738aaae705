/** A server and facts about it, for the specs of this folder. */

import { Facts } from './facts.js';
import type { S3ServerOptions } from './server-options.js';
import { S3TestServer } from './s3-test-server.js';
import { openRawClient, type RawTarget } from './signed-request.js';

/** A running server with a client of its bucket. */
export interface OpenServer {
  readonly server: S3TestServer;
  readonly facts: Facts;
  /** A second client, that differs in something. */
  client(change: Partial<RawTarget>): ReturnType<typeof openRawClient>;
  close(): Promise<void>;
}

/** Starts a server, with the bucket `test`. */
export async function openServer(options: S3ServerOptions = {}): Promise<OpenServer> {
  const server = new S3TestServer(options);
  await server.listen();
  const target: RawTarget = { endpoint: server.endpointUrl, accessKey: server.accessKey, secretKey: server.secretKey, region: server.region };
  const clients = [openRawClient(target)];
  const client = (change: Partial<RawTarget>) => {
    const other = openRawClient({ ...target, ...change });
    clients.push(other);
    return other;
  };
  const close = async () => {
    for (const each of clients) each.close();
    await server.close();
  };
  return { server, facts: new Facts(clients[0] as ReturnType<typeof openRawClient>, 'test'), client, close };
}
