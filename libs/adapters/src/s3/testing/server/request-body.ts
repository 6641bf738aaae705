/** Receives a request's body. A body that does not come whole never becomes anything (T41). */

import type { IncomingMessage } from 'node:http';

const nothing = Buffer.alloc(0);

/** The whole body, or `undefined` when the client went away before its end. */
export function receiveBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const hasBody = incoming.headers['transfer-encoding'] !== undefined || Number(incoming.headers['content-length'] ?? 0) > 0;
  if (!hasBody) return Promise.resolve(nothing);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    incoming.on('error', () => resolve(undefined));
    incoming.on('close', () => resolve(undefined));
  });
}
