/** Objects as headers tell of them, both ways. An ETag is the same text wherever it comes from (T37). */

import { toSha256 } from '@wl/domain';

import type { Condition, CopySource, ObjectHead, ObjectProperties } from '../s3-api.js';
import type { S3Params } from '../s3-params.js';

import { type Answer, damaged, header } from './answer.js';
import { decodeMetadata, encodeKey, encodeMetadata, encodePart, type Pair } from './uri-encoding.js';

const METADATA = 'x-amz-meta-';

/** Without `W/` and quotes, and without what a compressing proxy appends. */
export function toEtag(raw: string): string {
  const strong = raw.startsWith('W/') ? raw.slice(2) : raw;
  const bare = strong.length > 1 && strong.startsWith('"') && strong.endsWith('"') ? strong.slice(1, -1) : strong;
  return bare.endsWith('-gzip') ? bare.slice(0, -'-gzip'.length) : bare;
}

/** What HEAD and GET tell. `sizeBytes`: of the whole object. */
export function toObjectHead(answer: Answer, sizeBytes: number): ObjectHead {
  const etag = toEtag(header(answer, 'etag') ?? '');
  const lastModifiedMs = Date.parse(header(answer, 'last-modified') ?? '');
  if (etag === '' || Number.isNaN(lastModifiedMs)) throw damaged('The answer about an object has no ETag or no date; it cannot come from S3 itself.');
  const metadata = new Map<string, string>();
  for (const name in answer.headers) {
    if (name.startsWith(METADATA)) metadata.set(name.slice(METADATA.length), decodeMetadata(header(answer, name) ?? ''));
  }
  const serverTimeMs = Date.parse(header(answer, 'date') ?? '');
  return {
    etag,
    sizeBytes,
    lastModifiedMs,
    versionId: header(answer, 'x-amz-version-id'),
    metadata,
    sha256: wholeChecksum(answer),
    serverTimeMs: Number.isNaN(serverTimeMs) ? undefined : serverTimeMs,
  };
}

/** `Content-Length`; an answer without one cannot be told from one that was cut short (T41). */
export function contentLength(answer: Answer): number {
  const length = header(answer, 'content-length');
  if (length === undefined || !/^\d{1,15}$/.test(length)) throw damaged('The answer about an object does not say how long it is.');
  return Number(length);
}

/** The checksum of an upload in parts is one of checksums, and ends in `-N`. */
function wholeChecksum(answer: Answer): ObjectHead['sha256'] {
  const checksum = header(answer, 'x-amz-checksum-sha256');
  if (checksum === undefined || header(answer, 'x-amz-checksum-type') === 'COMPOSITE' || !/^[A-Za-z0-9+/]{43}=$/.test(checksum)) return undefined;
  return toSha256(Buffer.from(checksum, 'base64').toString('hex'));
}

/** How a request under this condition may be repeated. */
export function manner(condition: Condition): { readonly isConditional: boolean; readonly isOnce: boolean } {
  return { isConditional: condition.kind !== 'none', isOnce: condition.kind === 'none' && condition.isOnce === true };
}

/** What is written along with an object. */
export function propertyHeaders(properties: ObjectProperties): Pair[] {
  const headers: Pair[] = [['content-type', properties.contentType ?? 'application/octet-stream']];
  for (const [name, value] of properties.metadata) headers.push([`${METADATA}${name}`, encodeMetadata(value)]);
  return headers;
}

/** How the bucket is to keep it. */
export function storageHeaders(params: Pick<S3Params, 'storageClass' | 'serverSideEncryption'>): Pair[] {
  const headers: Pair[] = [];
  if (params.storageClass !== undefined) headers.push(['x-amz-storage-class', params.storageClass]);
  const encryption = /^(AES256|aws:kms(?::dsse)?)(?::(.+))?$/.exec(params.serverSideEncryption ?? '');
  if (encryption?.[1] !== undefined) headers.push(['x-amz-server-side-encryption', encryption[1]]);
  if (encryption?.[2] !== undefined) headers.push(['x-amz-server-side-encryption-aws-kms-key-id', encryption[2]]);
  return headers;
}

/** What to copy: an object of `bucket` unless it names another. */
export function copySourceHeaders(source: CopySource, bucket: string): Pair[] {
  const version = source.versionId === undefined ? '' : `?versionId=${encodePart(source.versionId)}`;
  return [
    ['x-amz-copy-source', `/${source.bucket ?? bucket}/${encodeKey(source.key)}${version}`],
    ['x-amz-copy-source-if-match', `"${source.etag}"`],
    // Ceph reads this one, and compares the bare tag.
    ['x-amz-copy-if-match', source.etag],
  ];
}

/** What must hold for a write. */
export function conditionHeaders(condition: Condition): Pair[] {
  switch (condition.kind) {
    case 'none':
      return [];
    case 'absent':
      return [['if-none-match', '*']];
    case 'etag':
      return [['if-match', condition.isBare ? condition.etag : `"${condition.etag}"`]];
  }
}

const CONFLICTS: ReadonlySet<string> = new Set(['ConditionalRequestConflict', 'OperationAborted', 'PreconditionFailed']);

/** Whether the answer says that the condition did not hold. */
export function isRefusal(answer: Answer, condition: Condition): boolean {
  if (condition.kind === 'none' || answer.failure === undefined) return false;
  const { code } = answer.failure;
  if (answer.status === 412 || (code === undefined ? answer.status === 409 : CONFLICTS.has(code))) return true;
  return answer.status === 404 && condition.kind === 'etag' && (code === undefined || code === 'NoSuchKey');
}
