/**
 * Raw S3 requests, signed by hand: what the sentences about servers are asked with. It shares
 * nothing with the product's client, so that a mistake there cannot hide behind the same
 * mistake here. Source: AWS Signature Version 4, "Authenticating Requests (Authorization header)".
 */

import { createHash, createHmac } from 'node:crypto';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';

/** Where requests go and who sends them. */
export interface RawTarget {
  /** `http://host:port`. */
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

/** One request; `bucket` and `key` are not encoded yet. */
export interface RawRequest {
  readonly method: string;
  readonly bucket?: string;
  readonly key?: string;
  /** A valueless parameter (`?uploads`) is `''`. */
  readonly query?: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** What `x-amz-content-sha256` says; default: the true hash of the body. */
  readonly payloadHash?: string;
  /** The client's clock; default now. */
  readonly at?: Date;
  /** Breaks the connection after so many bytes of the body; `send` rejects then. */
  readonly breakAfterBytes?: number;
  /** Puts the bucket into this domain's host name instead of the path. */
  readonly hostDomain?: string;
}

/** What came back, whole. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The S3 code of an error document, `undefined` without one. */
  readonly code: string | undefined;
}

/** A client. */
export interface RawClient {
  readonly target: RawTarget;
  send(request: RawRequest): Promise<RawAnswer>;
  close(): void;
}

/** Opens a client; `close` ends its connections. None is kept for a next request: one that the server closes meanwhile, as radosgw does after a minute, would be a failure. */
export function openRawClient(target: RawTarget): RawClient {
  const agent = new Agent({ keepAlive: false, maxSockets: 64 });
  return {
    target,
    send: (request) => send(target, agent, request),
    close: () => agent.destroy(),
  };
}

/** Percent-encoding of RFC 3986: everything but unreserved characters, in upper-case hex. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** First text of an element in an XML answer, entities resolved; `undefined` when there is none. */
export function elementOf(body: Buffer, name: string): string | undefined {
  return elementsOf(body, name)[0];
}

/** Texts of all elements of a name, in document order, entities resolved. */
export function elementsOf(body: Buffer, name: string): readonly string[] {
  const found = body.toString('utf8').matchAll(new RegExp(`<${name}(?: [^>]*)?(?:/>|>([^]*?)</${name}>)`, 'g'));
  return [...found].map((match) => decodeEntities(match[1] ?? ''));
}

function send(target: RawTarget, agent: Agent, request: RawRequest): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(target.endpoint);
  const body = typeof request.body === 'string' ? Buffer.from(request.body) : (request.body ?? new Uint8Array());
  const path = pathOf(request);
  const query = queryOf(request.query ?? {});
  const hostHeader = request.hostDomain === undefined ? host : `${request.bucket}.${request.hostDomain}:${port}`;
  const headers = signedHeaders(target, request, body, hostHeader, path, query);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { agent, hostname, port, method: request.method, path: query === '' ? path : `${path}?${query}`, headers },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const whole = Buffer.concat(chunks);
          const code = (answer.statusCode ?? 0) >= 300 ? elementOf(whole, 'Code') : undefined;
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: whole, code });
        });
      },
    );
    outgoing.on('error', reject);
    if (request.breakAfterBytes === undefined) outgoing.end(body);
    else outgoing.write(body.subarray(0, request.breakAfterBytes), () => outgoing.destroy(new Error('broken off on purpose')));
  });
}

function pathOf({ bucket, key, hostDomain }: RawRequest): string {
  const inPath = [hostDomain === undefined ? bucket : undefined, key].filter((part) => part !== undefined);
  return `/${inPath.map((part) => part.split('/').map(percentEncode).join('/')).join('/')}`;
}

function queryOf(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`);
  return pairs.sort().join('&');
}

function signedHeaders(
  target: RawTarget,
  request: RawRequest,
  body: Uint8Array,
  host: string,
  path: string,
  query: string,
): Record<string, string> {
  const time = (request.at ?? new Date()).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const payload = request.payloadHash ?? createHash('sha256').update(body).digest('hex');
  const headers: Record<string, string> = {
    'content-length': String(body.length),
    ...request.headers,
    host,
    'x-amz-date': time,
    'x-amz-content-sha256': payload,
  };
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}\n`).join('');
  const canonical = [request.method, path, query, lines, names.join(';'), payload].join('\n');
  const scope = `${time.slice(0, 8)}/${target.region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = signingKey(target.secretKey, scope);
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${target.accessKey}/${scope}, SignedHeaders=${names.join(';')}, ` +
    `Signature=${hmac(key, toSign).toString('hex')}`;
  return headers;
}

/** Derived keys; deriving one costs more than the signature. */
const derived = new Map<string, Buffer | string>();

function signingKey(secretKey: string, scope: string): Buffer | string {
  const name = `${secretKey} ${scope}`;
  const key = derived.get(name) ?? scope.split('/').reduce<Buffer | string>((secret, part) => hmac(secret, part), `AWS4${secretKey}`);
  derived.set(name, key);
  return key;
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function decodeEntities(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(lt|gt|amp|quot|apos));/gi, (_whole, hex?: string, decimal?: string, name?: string) =>
    hex !== undefined ? String.fromCodePoint(parseInt(hex, 16)) : decimal !== undefined ? String.fromCodePoint(Number(decimal)) : (named[name ?? ''] ?? ''),
  );
}
