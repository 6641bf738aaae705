/**
 * A server in this process that answers what a test tells it to, for answers that no decent server
 * gives; by default a folder in memory, just enough of one to be listed and read.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers one request, or leaves it to the folder with `undefined`. */
export type Canned = (request: IncomingMessage, respond: ServerResponse) => boolean;

/** A running server. */
export interface CannedServer {
  readonly url: string;
  /** Requests so far, `METHOD /path`, with the credentials they came with. */
  readonly requests: { readonly line: string; readonly authorization: string | undefined }[];
  close(): Promise<void>;
}

/** Starts one on a free port of this machine. */
export async function startCannedServer(answer: Canned): Promise<CannedServer> {
  const requests: CannedServer['requests'] = [];
  const server = createServer((request, response) => {
    requests.push({ line: `${request.method ?? ''} ${request.url ?? ''}`, authorization: request.headers.authorization });
    request.resume();
    request.on('end', () => {
      if (!answer(request, response)) response.writeHead(404).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}/dav/`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** One `<response>` of a listing; `properties` as XML. */
export function responseOf(href: string, properties: string, status = 200): string {
  return `<D:response><D:href>${href}</D:href><D:propstat><D:prop>${properties}</D:prop><D:status>HTTP/1.1 ${String(status)} X</D:status></D:propstat></D:response>`;
}

/** A whole answer to `PROPFIND`. */
export function multistatusOf(...responses: readonly string[]): string {
  return `<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">${responses.join('\n')}</D:multistatus>\n`;
}

/** Properties of a directory. */
export const COLLECTION = '<D:resourcetype><D:collection/></D:resourcetype>';

/** Properties of a file of five bytes. */
export function fileProperties({ etag = '"v1"', modified = 'Mon, 01 Jun 2020 12:00:00 GMT', more = '' }: { readonly etag?: string; readonly modified?: string; readonly more?: string } = {}): string {
  const tag = etag === '' ? '' : `<D:getetag>${etag}</D:getetag>`;
  const time = modified === '' ? '' : `<D:getlastmodified>${modified}</D:getlastmodified>`;
  return `<D:resourcetype/><D:getcontentlength>5</D:getcontentlength>${time}${tag}${more}`;
}
