/** Uploads in parts: begun, filled, completed or aborted. */

import { createHash } from 'node:crypto';

import type { Sha256 } from '@wl/domain';

import { S3Error } from '../s3-error.js';
import type { ByteRange, Condition, CopySource, ObjectProperties, PendingUpload, UploadedPart, WriteAnswer } from '../s3-api.js';

import { type Answer, damaged, documentOf, header } from './answer.js';
import { toFailure } from './failures.js';
import { decode, toSize, toTime } from './listing.js';
import { conditionHeaders, copySourceHeaders, isRefusal, manner, propertyHeaders, toEtag } from './object-headers.js';
import type { Requester } from './requester.js';
import type { Pair } from './uri-encoding.js';
import { childText } from '../../http/xml.js';

/** Begins an upload. A repetition after a lost answer leaves one behind, which housekeeping removes. */
export async function createUpload(requester: Requester, key: string, headers: readonly Pair[], properties: ObjectProperties, signal: AbortSignal | undefined): Promise<{ readonly uploadId: string }> {
  const answer = await requester.perform({ method: 'POST', key, query: [['uploads', '']], headers: [...propertyHeaders(properties), ...headers] }, signal);
  if (answer.failure !== undefined) throw toFailure(answer, requester.concern(key));
  const uploadId = childText(documentOf(answer, 'InitiateMultipartUploadResult'), 'UploadId') ?? '';
  if (uploadId === '') throw damaged('The endpoint began an upload in parts and did not say its id.');
  return { uploadId };
}

/** Sends one part. */
export async function uploadPart(requester: Requester, key: string, uploadId: string, partNumber: number, bytes: Uint8Array, sha256: Sha256, signal: AbortSignal | undefined): Promise<UploadedPart> {
  const query: Pair[] = [['partNumber', String(partNumber)], ['uploadId', uploadId]];
  const answer = await requester.perform({ method: 'PUT', key, query, content: { bytes, sha256 } }, signal);
  if (answer.failure !== undefined) throw partFailure(answer, requester, key);
  const etag = toEtag(header(answer, 'etag') ?? '');
  if (etag === '') throw damaged('The part was answered without an ETag; a proxy or a login page may have answered instead of S3.');
  return { partNumber, etag, sizeBytes: bytes.length };
}

/** The version that was seen had this key and was as long as the range. */
const SOURCE_GONE: ReadonlySet<string> = new Set(['NoSuchKey', 'NoSuchVersion', 'InvalidRange']);

/** Makes a part of a range of an object, on the server. */
export async function copyPart(requester: Requester, source: CopySource, range: ByteRange, key: string, uploadId: string, partNumber: number, signal: AbortSignal | undefined): Promise<UploadedPart | 'stale'> {
  const { offset, sizeBytes } = range;
  const query: Pair[] = [['partNumber', String(partNumber)], ['uploadId', uploadId]];
  const headers: Pair[] = [...copySourceHeaders(source, requester.location.bucket), ['x-amz-copy-source-range', `bytes=${String(offset)}-${String(offset + sizeBytes - 1)}`]];
  const answer = await requester.perform({ method: 'PUT', key, query, headers }, signal);
  if (answer.status === 412 || SOURCE_GONE.has(answer.failure?.code ?? '')) return 'stale';
  if (answer.failure !== undefined) throw partFailure(answer, requester, key);
  const etag = toEtag(childText(documentOf(answer, 'CopyPartResult'), 'ETag') ?? '');
  if (etag === '') throw damaged('The copied part was answered without an ETag.');
  return { partNumber, etag, sizeBytes };
}

/** Parts the server holds, in order; `undefined` when the upload is gone. */
export async function listParts(requester: Requester, key: string, uploadId: string, signal: AbortSignal | undefined): Promise<readonly UploadedPart[] | undefined> {
  const parts: UploadedPart[] = [];
  let marker = '';
  for (;;) {
    const query: Pair[] = [['uploadId', uploadId], ...(marker === '' ? [] : [['part-number-marker', marker] as const])];
    const answer = await requester.perform({ method: 'GET', key, query }, signal);
    // Ceph calls it NoSuchKey.
    if (isGone(answer) || answer.failure?.code === 'NoSuchKey') return undefined;
    if (answer.failure !== undefined) throw toFailure(answer, requester.concern(key));
    const root = documentOf(answer, 'ListPartsResult');
    for (const element of root.children) {
      if (element.name !== 'Part') continue;
      const partNumber = Number(childText(element, 'PartNumber'));
      if (!(partNumber > (parts.at(-1)?.partNumber ?? 0))) throw damaged('The list of parts repeats itself or goes backwards.');
      parts.push({ partNumber, etag: toEtag(childText(element, 'ETag') ?? ''), sizeBytes: toSize(childText(element, 'Size') ?? '') });
    }
    const isTruncated = childText(root, 'IsTruncated');
    if (isTruncated === 'false') return parts;
    const next = childText(root, 'NextPartNumberMarker') ?? '';
    if (isTruncated !== 'true' || !(Number(next) > Number(marker))) throw damaged('The list of parts does not say how it goes on.');
    marker = next;
  }
}

/** Makes an object of the parts. An upload that is gone at a repetition may have become that object: `refused`, `mayBeOurs`. */
export async function completeUpload(requester: Requester, key: string, uploadId: string, parts: readonly UploadedPart[], condition: Condition, signal: AbortSignal | undefined): Promise<WriteAnswer> {
  const list = parts.map((part) => `<Part><PartNumber>${String(part.partNumber)}</PartNumber><ETag>&quot;${escape(part.etag)}&quot;</ETag></Part>`).join('');
  const bytes = Buffer.from(`<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list}</CompleteMultipartUpload>`);
  const headers: Pair[] = [['content-type', 'application/xml'], ...conditionHeaders(condition)];
  const content = { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  const answer = await requester.perform({ method: 'POST', key, query: [['uploadId', uploadId]], headers, content, ...manner(condition) }, signal);
  if (isGone(answer) && answer.mayHaveRunBefore) return { kind: 'refused', mayBeOurs: true };
  if (!isGone(answer) && isRefusal(answer, condition)) return { kind: 'refused', mayBeOurs: answer.mayHaveRunBefore };
  if (answer.failure !== undefined) throw partFailure(answer, requester, key);
  const root = documentOf(answer, 'CompleteMultipartUploadResult');
  return { kind: 'done', etag: toEtag(childText(root, 'ETag') ?? ''), versionId: header(answer, 'x-amz-version-id') };
}

/** Gives an upload up, with its parts. */
export async function abortUpload(requester: Requester, key: string, uploadId: string, signal: AbortSignal | undefined): Promise<void> {
  const answer = await requester.perform({ method: 'DELETE', key, query: [['uploadId', uploadId]] }, signal);
  if (answer.failure !== undefined && !isGone(answer)) throw toFailure(answer, requester.concern(key));
}

/** Uploads under way below a prefix. */
export async function* listUploads(requester: Requester, prefix: string, signal: AbortSignal | undefined): AsyncGenerator<PendingUpload> {
  let markers: Pair[] = [];
  for (;;) {
    const query: Pair[] = [['uploads', ''], ['encoding-type', 'url'], ['prefix', prefix], ...markers];
    const answer = await requester.perform({ method: 'GET', query }, signal);
    if (answer.failure !== undefined) throw toFailure(answer, requester.concern());
    const root = documentOf(answer, 'ListMultipartUploadsResult');
    const isEncoded = childText(root, 'EncodingType') === 'url';
    const decodeIf = (text: string | undefined): string => (isEncoded ? decode(text ?? '') : (text ?? ''));
    for (const element of root.children) {
      if (element.name !== 'Upload') continue;
      const key = decodeIf(childText(element, 'Key'));
      const uploadId = childText(element, 'UploadId') ?? '';
      if (!key.startsWith(prefix) || uploadId === '') throw damaged('The list of uploads has one that was not asked for.');
      yield { key, uploadId, initiatedMs: toTime(childText(element, 'Initiated') ?? '') };
    }
    if (childText(root, 'IsTruncated') !== 'true') return;
    const next: Pair[] = [['key-marker', decodeIf(childText(root, 'NextKeyMarker'))], ['upload-id-marker', childText(root, 'NextUploadIdMarker') ?? '']];
    if (next[0]?.[1] === '' || JSON.stringify(next) === JSON.stringify(markers)) throw damaged('The list of uploads does not say how it goes on.');
    markers = next;
  }
}

/** 404 without a code, or with that of uploads: it is there no more. */
function isGone(answer: Answer): boolean {
  return answer.failure !== undefined && answer.status === 404 && answer.failure.code !== 'NoSuchBucket' && answer.failure.code !== 'NoSuchKey';
}

function partFailure(answer: Answer, requester: Requester, key: string): S3Error {
  if (!isGone(answer)) return toFailure(answer, requester.concern(key));
  return new S3Error('not-found', 'The upload in parts is not there any more.', { status: answer.status, code: 'NoSuchUpload', isRetryable: false });
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
