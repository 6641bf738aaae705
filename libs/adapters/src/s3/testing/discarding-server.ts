/**
 * A server that forgets what it is sent and makes up what it is asked for, piece by piece: the
 * memory of the process is then that of the driver alone. It knows just the requests of one file.
 */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Answers as S3 would for one object. */
export class DiscardingServer {
  /** Bytes of bodies received. */
  receivedBytes = 0;
  /** What reads are given, again and again. */
  readonly #piece = Buffer.alloc(256 * 1024, 'piece');
  /** Of the upload under way, by number. */
  readonly #parts = new Map<number, { readonly sizeBytes: number; readonly md5: string }>();
  /** Of the object that is there: where its parts begin, and their MD5. */
  #md5s = new Map<number, string>();
  #etag = 'tag';
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
    const { sizeBytes, md5 } = await this.#drained(incoming);
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
        if (incoming.headers['x-amz-copy-source'] !== undefined) return xml(this.#copied(part, incoming));
        if (part > 0) this.#parts.set(part, { sizeBytes, md5 });
        else this.#shown(incoming, sizeBytes);
        return void response.writeHead(200, { etag: part > 0 ? `"${md5}"` : '"tag"' }).end();
      case 'POST':
        if (searchParams.has('uploads')) {
          this.#shown(incoming, undefined);
          return xml('<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>');
        }
        this.#complete();
        return xml(`<CompleteMultipartUploadResult><ETag>"${this.#etag}"</ETag></CompleteMultipartUploadResult>`);
      default:
        return void response.writeHead(204).end();
    }
  }

  async #drained(incoming: IncomingMessage): Promise<{ readonly sizeBytes: number; readonly md5: string }> {
    let sizeBytes = 0;
    const hash = createHash('md5');
    for await (const chunk of incoming) {
      sizeBytes += (chunk as Buffer).length;
      hash.update(chunk as Buffer);
    }
    this.receivedBytes += sizeBytes;
    return { sizeBytes, md5: hash.digest('hex') };
  }

  /** As though the bytes were still there; without a number: into the trash. */
  #copied(part: number, { headers }: IncomingMessage): string {
    if (part === 0) return `<CopyObjectResult><ETag>"${this.#etag}"</ETag></CopyObjectResult>`;
    const [first = 0, last = 0] = /^bytes=(\d+)-(\d+)$/.exec(String(headers['x-amz-copy-source-range']))?.slice(1).map(Number) ?? [];
    const md5 = this.#md5s.get(first) ?? '';
    this.#parts.set(part, { sizeBytes: last - first + 1, md5 });
    return `<CopyPartResult><ETag>"${md5}"</ETag></CopyPartResult>`;
  }

  #complete(): void {
    const parts = [...this.#parts].sort(([a], [b]) => a - b).map(([, part]) => part);
    this.#parts.clear();
    this.#md5s = new Map();
    this.#sizeBytes = 0;
    for (const { sizeBytes, md5 } of parts) {
      this.#md5s.set(this.#sizeBytes, md5);
      this.#sizeBytes += sizeBytes;
    }
    const md5s = Buffer.from(parts.map(({ md5 }) => md5).join(''), 'hex');
    this.#etag = `${createHash('md5').update(md5s).digest('hex')}-${String(parts.length)}`;
  }

  #shown({ headers }: IncomingMessage, sizeBytes: number | undefined): void {
    this.#metadata = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'))) as Record<string, string>;
    this.#sizeBytes = sizeBytes;
  }

  #listedParts(): string {
    const parts = [...this.#parts].sort(([a], [b]) => a - b);
    const list = parts.map(([number, { sizeBytes, md5 }]) => `<Part><PartNumber>${String(number)}</PartNumber><ETag>"${md5}"</ETag><Size>${String(sizeBytes)}</Size></Part>`);
    return `<ListPartsResult><IsTruncated>false</IsTruncated>${list.join('')}</ListPartsResult>`;
  }

  async #read(method: string, response: ServerResponse): Promise<void> {
    const sizeBytes = this.#sizeBytes;
    if (sizeBytes === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { ...this.#metadata, etag: `"${this.#etag}"`, 'content-length': sizeBytes, 'last-modified': new Date().toUTCString() });
    if (method === 'HEAD') return void response.end();
    await pipeline(Readable.from(this.#pieces(sizeBytes), { objectMode: false }), response);
  }

  *#pieces(sizeBytes: number): Generator<Buffer> {
    for (let left = sizeBytes; left > 0; left -= this.#piece.length) yield this.#piece.subarray(0, Math.min(left, this.#piece.length));
  }
}

/** An empty bucket without versions. */
function bucketAnswer(query: URLSearchParams): string {
  if (query.has('versioning')) return '<VersioningConfiguration/>';
  if (query.has('uploads')) return '<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>';
  return '<ListBucketResult><Name>bucket</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>';
}
