/**
 * A server that forgets what it is sent and makes up what it is asked for, piece by piece: the
 * memory of the process is then that of the driver alone. It knows just the requests of one file.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers as S3 would for one object. */
export class DiscardingServer {
  /** Bytes of bodies received. */
  receivedBytes = 0;
  /** What reads are given, again and again. */
  readonly #piece = Buffer.alloc(256 * 1024, 'piece');
  readonly #parts = new Map<number, number>();
  #metadata: Record<string, string> = {};
  #sizeBytes: number | undefined;
  readonly #http: Server;

  constructor() {
    this.#http = createServer((incoming, response) => void this.#serve(incoming, response).catch(() => response.destroy()));
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
  }

  get endpointUrl(): string {
    return `http://127.0.0.1:${String((this.#http.address() as AddressInfo).port)}`;
  }

  close(): Promise<unknown> {
    const closed = new Promise((resolve) => this.#http.close(resolve));
    this.#http.closeAllConnections();
    return closed;
  }

  /** Lets an object be there. */
  show(sizeBytes: number): void {
    this.#sizeBytes = sizeBytes;
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const sizeBytes = await this.#drained(incoming);
    const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://host');
    const xml = (text: string): void => void response.writeHead(200, { 'content-type': 'application/xml' }).end(text);
    const isObject = pathname.split('/').length > 2 && pathname !== '/bucket/';
    if (!isObject) return incoming.method === 'HEAD' ? void response.end() : xml(bucketAnswer(searchParams));
    const part = Number(searchParams.get('partNumber') ?? 0);
    switch (incoming.method) {
      case 'HEAD':
      case 'GET':
        if (searchParams.has('uploadId')) return xml(this.#listedParts());
        return this.#read(incoming.method, response);
      case 'PUT':
        if (part > 0) this.#parts.set(part, sizeBytes);
        else this.#shown(incoming, sizeBytes);
        return void response.writeHead(200, { etag: part > 0 ? `"part-${String(part)}"` : '"tag"' }).end();
      case 'POST':
        if (searchParams.has('uploads')) {
          this.#shown(incoming, undefined);
          return xml('<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>');
        }
        this.#sizeBytes = [...this.#parts.values()].reduce((sum, bytes) => sum + bytes, 0);
        return xml('<CompleteMultipartUploadResult><ETag>"tag"</ETag></CompleteMultipartUploadResult>');
      default:
        return void response.writeHead(204).end();
    }
  }

  async #drained(incoming: IncomingMessage): Promise<number> {
    let sizeBytes = 0;
    for await (const chunk of incoming) sizeBytes += (chunk as Buffer).length;
    this.receivedBytes += sizeBytes;
    return sizeBytes;
  }

  #shown({ headers }: IncomingMessage, sizeBytes: number | undefined): void {
    this.#metadata = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'))) as Record<string, string>;
    this.#sizeBytes = sizeBytes;
  }

  #listedParts(): string {
    const parts = [...this.#parts].sort(([a], [b]) => a - b);
    const list = parts.map(([number, bytes]) => `<Part><PartNumber>${String(number)}</PartNumber><ETag>"part-${String(number)}"</ETag><Size>${String(bytes)}</Size></Part>`);
    return `<ListPartsResult><IsTruncated>false</IsTruncated>${list.join('')}</ListPartsResult>`;
  }

  async #read(method: string, response: ServerResponse): Promise<void> {
    const sizeBytes = this.#sizeBytes;
    if (sizeBytes === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { ...this.#metadata, etag: '"tag"', 'content-length': sizeBytes, 'last-modified': new Date().toUTCString() });
    for (let left = method === 'HEAD' ? 0 : sizeBytes; left > 0 && !response.destroyed; left -= this.#piece.length) {
      const hasRoom = response.write(this.#piece.subarray(0, Math.min(left, this.#piece.length)));
      if (!hasRoom) await new Promise<void>((resolve) => response.once('drain', resolve).once('close', resolve));
    }
    response.end();
  }
}

/** An empty bucket without versions. */
function bucketAnswer(query: URLSearchParams): string {
  if (query.has('versioning')) return '<VersioningConfiguration/>';
  if (query.has('uploads')) return '<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>';
  return '<ListBucketResult><Name>bucket</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>';
}
