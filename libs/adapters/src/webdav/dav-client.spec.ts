/** Connections that a server closes just when something is sent over them: what may be sent again is (T53). */

import { describe, expect, it } from '@jest/globals';
import { isBackendError, type Clock } from '@wl/ports';

import { Transport } from '../http/transport.js';
import { Authorization } from './authorization.js';
import { DavClient, type DavRequest } from './dav-client.js';
import { startCannedServer } from './testing/canned-server.js';

const clock: Clock = { nowMs: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() };
const concern = { operation: 'test' };

/** Sends a request to a server that closes so many connections without an answer: the status in the end, or the code of the failure, and how often it was asked. */
async function sent(request: Omit<DavRequest, 'concern' | 'target'>, closes: number): Promise<readonly [number | string, number]> {
  let left = closes;
  const server = await startCannedServer((_request, respond) => {
    left -= 1;
    if (left >= 0) respond.socket?.destroy();
    else respond.writeHead(201).end();
    return true;
  });
  const client = new DavClient({ origin: new URL(server.url).origin, transport: new Transport({}), authorization: new Authorization(undefined), clock });
  try {
    const { status } = await client.send({ ...request, target: '/dav/a', concern });
    return [status, server.requests.length];
  } catch (error) {
    if (!isBackendError(error)) throw error;
    return [error.code, server.requests.length];
  } finally {
    await client.close();
    await server.close();
  }
}

async function* streamed(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('x');
}

describe('a connection that is closed without an answer', () => {
  it.each(['GET', 'PROPFIND', 'MKCOL', 'DELETE'] as const)('is no failure of a %s', async (method) => {
    expect(await sent({ method }, 1)).toEqual([201, 2]);
  });

  it.each(['PUT', 'PROPPATCH'] as const)('is no failure of a %s of bytes', async (method) => {
    expect(await sent({ method, body: Buffer.from('x') }, 2)).toEqual([201, 3]);
  });

  it('INV-5, INV-18: is one of what may not be carried out twice: a move, a copy, a condition, a stream', async () => {
    expect(await sent({ method: 'MOVE' }, 1)).toEqual(['unreachable', 1]);
    expect(await sent({ method: 'COPY' }, 1)).toEqual(['unreachable', 1]);
    expect(await sent({ method: 'PUT', headers: { 'if-none-match': '*' }, body: Buffer.from('x') }, 1)).toEqual(['unreachable', 1]);
    expect(await sent({ method: 'PUT', body: streamed() }, 1)).toEqual(['unreachable', 1]);
  });

  it('is one when it happens again and again', async () => {
    expect(await sent({ method: 'MKCOL' }, 9)).toEqual(['unreachable', 4]);
  });
});
