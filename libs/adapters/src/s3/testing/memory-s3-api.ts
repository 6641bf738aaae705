/**
 * A client of a `MemoryBucket`: `S3Api` for tests of the driver. A hook runs before and after each
 * request took effect, and may change the bucket as another machine would, or throw: before, the
 * request never arrives; after, its answer is lost. `LostReply` is met as the wire meets it: by
 * sending the request again, where it may be.
 */

import { createHash } from 'node:crypto';

import type { Sha256 } from '@wl/domain';

import type {
  ByteRange,
  Condition,
  CopySource,
  DeleteAnswer,
  ListedVersion,
  ListPage,
  ListRequest,
  ObjectBody,
  ObjectHead,
  ObjectProperties,
  PendingUpload,
  S3Api,
  StreamedContent,
  UploadedPart,
  WriteAnswer,
} from '../s3-api.js';
import { S3Error } from '../s3-error.js';

import { digest, type MemoryBucket, type MemoryVersion } from './memory-bucket.js';

/** A request, at one of its two moments. */
export interface Call {
  readonly method: keyof S3Api;
  readonly key: string;
  readonly moment: 'before' | 'after';
  /** From 1, over all requests of this client. */
  readonly number: number;
}

/** What a test does at a request. */
export type Hook = (call: Call) => void | Promise<void>;

/** Thrown by a hook after a request: the answer is lost, and the wire tries again where it may. */
export class LostReply extends Error {
  override readonly name = 'LostReply';
}

/** The network is gone. */
export function unreachable(): S3Error {
  return new S3Error('unreachable', 'the server cannot be reached', { isRetryable: true });
}

/** A client. */
export class MemoryS3Api implements S3Api {
  hook: Hook = () => undefined;
  /** Its keys may not read other buckets. */
  isBarredFromOthers = false;
  /** Methods called, in order, with their keys. */
  readonly calls: string[] = [];
  #number = 0;

  constructor(
    readonly bucket: MemoryBucket,
    /** Other buckets of the endpoint, as sources of copies. */
    private readonly others: ReadonlyMap<string, MemoryBucket> = new Map(),
  ) {}

  async headBucket(): Promise<void> {
    await this.#send('headBucket', '', true, () => undefined);
  }

  headObject(key: string, signal?: AbortSignal): Promise<ObjectHead | undefined> {
    return this.#send('headObject', key, true, () => {
      const version = this.bucket.current(key);
      return version === undefined ? undefined : this.#head(version);
    }, signal);
  }

  getObject(key: string, etag: string | undefined, offset: number, signal?: AbortSignal): Promise<ObjectBody | 'stale'> {
    return this.#send('getObject', key, true, () => {
      const version = this.bucket.current(key);
      if (version === undefined || (etag !== undefined && version.etag !== etag)) return 'stale' as const;
      return { head: this.#head(version), offset, body: pieces(version.content.subarray(offset)), destroy: () => undefined };
    }, signal);
  }

  async putObject(key: string, content: Uint8Array, sha256: Sha256, properties: ObjectProperties, condition: Condition, signal?: AbortSignal): Promise<WriteAnswer> {
    return this.#write('putObject', key, condition, () => this.#store(key, content, sha256, properties, condition), signal);
  }

  async putStream(key: string, content: StreamedContent, properties: ObjectProperties, condition: Condition, signal?: AbortSignal): Promise<WriteAnswer> {
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of content.chunks) {
      if (signal?.aborted === true) throw new S3Error('cancelled', 'stopped', { isRetryable: false });
      chunks.push(chunk);
      sizeBytes += chunk.length;
    }
    if (sizeBytes !== content.sizeBytes) throw new S3Error('io-error', 'the body is not as long as announced', { isRetryable: true, status: 400 });
    const once: Condition = condition.kind === 'none' ? { kind: 'none', isOnce: true } : condition;
    return this.#send('putStream', key, false, () => this.#store(key, Buffer.concat(chunks), content.sha256, properties, once), signal);
  }

  async deleteObject(key: string, condition: Condition, versionId?: string, signal?: AbortSignal): Promise<DeleteAnswer> {
    let tries = 0;
    return this.#send('deleteObject', key, mayRepeat(condition), () => {
      tries += 1;
      if (versionId === undefined && this.bucket.manners.deleteMatch && !this.bucket.holds(key, condition)) return { kind: 'refused' as const, mayBeOurs: tries > 1 };
      const told = this.bucket.remove(key, versionId);
      return { kind: 'done' as const, ...(told !== undefined && { versionId: told }) };
    }, signal);
  }

  copyObject(source: CopySource, key: string, condition: Condition, properties?: ObjectProperties, signal?: AbortSignal): Promise<WriteAnswer | { readonly kind: 'stale' }> {
    return this.#write('copyObject', key, condition, () => {
      const version = this.#source(source);
      if (version === undefined) return { kind: 'stale' as const };
      if (this.bucket.manners.copySourceMatch && version.etag !== source.etag) return { kind: 'stale' as const };
      if (this.bucket.manners.copyConditions && !this.bucket.holds(key, condition)) return { kind: 'refused' as const, mayBeOurs: false };
      const keepsTag = this.bucket.manners.copyKeepsTag || !version.etag.includes('-');
      const stored = this.bucket.store(key, version.content, properties ?? version.properties, { ...(keepsTag && this.bucket.manners.md5Tags && { etag: version.etag }), sha256: version.sha256 });
      return this.#done(stored);
    }, signal);
  }

  list(request: ListRequest, signal?: AbortSignal): Promise<ListPage> {
    return this.#send('list', request.prefix, true, () => {
      const after = request.continuation ?? request.startAfter ?? '';
      const keys = this.bucket.keys().filter((key) => key.startsWith(request.prefix) && key > after);
      const page = keys.slice(0, request.maxKeys ?? 1000);
      const objects = page.map((key) => {
        const { etag, content, lastModifiedMs } = this.bucket.current(key)!;
        return { key, etag, sizeBytes: content.length, lastModifiedMs };
      });
      return { objects, commonPrefixes: [], next: page.length < keys.length ? page.at(-1) : undefined };
    }, signal);
  }

  listVersions(key: string, signal?: AbortSignal): Promise<readonly ListedVersion[]> {
    return this.#send('listVersions', key, true, () =>
      (this.bucket.versions.get(key) ?? []).map(({ versionId, isDeleteMarker, etag, content, lastModifiedMs }, index) => ({
        key, versionId, isLatest: index === 0, isDeleteMarker, etag, sizeBytes: content.length, lastModifiedMs,
      })), signal);
  }

  isVersioned(): Promise<boolean> {
    return this.#send('isVersioned', '', true, () => this.bucket.manners.isVersioned);
  }

  createUpload(key: string, properties: ObjectProperties, signal?: AbortSignal): Promise<{ readonly uploadId: string }> {
    return this.#send('createUpload', key, true, () => {
      const uploadId = this.bucket.nextId('upload');
      this.bucket.uploads.set(uploadId, { key, properties, initiatedMs: this.bucket.nowMs(), parts: new Map() });
      return { uploadId };
    }, signal);
  }

  uploadPart(key: string, uploadId: string, partNumber: number, content: Uint8Array, sha256: Sha256, signal?: AbortSignal): Promise<UploadedPart> {
    return this.#send('uploadPart', key, true, () => {
      const upload = this.bucket.uploads.get(uploadId);
      if (upload === undefined) throw new S3Error('io-error', 'there is no such upload', { status: 404, code: 'NoSuchUpload', isRetryable: false });
      this.#verify(content, sha256);
      const copy = new Uint8Array(this.bucket.corrupt(content, key));
      upload.parts.set(partNumber, { content: copy, etag: digest(copy) });
      return { partNumber, etag: digest(copy), sizeBytes: copy.length };
    }, signal);
  }

  copyPart(source: CopySource, range: ByteRange, key: string, uploadId: string, partNumber: number, signal?: AbortSignal): Promise<UploadedPart | 'stale'> {
    return this.#send('copyPart', key, true, () => {
      const { copiesParts, partSourceMatch } = this.bucket.manners;
      if (copiesParts === 'refused') throw new S3Error('unsupported', 'the endpoint cannot do this', { status: 501, code: 'NotImplemented', isRetryable: false });
      const upload = this.bucket.uploads.get(uploadId);
      if (upload === undefined) throw new S3Error('not-found', 'there is no such upload', { status: 404, code: 'NoSuchUpload', isRetryable: false });
      const version = this.#source(source);
      const end = range.offset + range.sizeBytes;
      if (version === undefined || (partSourceMatch && version.etag !== source.etag) || end > version.content.length) return 'stale';
      const copied = new Uint8Array(this.bucket.corrupt(copiesParts === 'whole' ? version.content : version.content.subarray(range.offset, end), key));
      upload.parts.set(partNumber, { content: copied, etag: digest(copied) });
      return { partNumber, etag: digest(copied), sizeBytes: range.sizeBytes };
    }, signal);
  }

  listParts(key: string, uploadId: string, signal?: AbortSignal): Promise<readonly UploadedPart[] | undefined> {
    return this.#send('listParts', key, true, () => {
      const upload = this.bucket.uploads.get(uploadId);
      if (upload === undefined) return undefined;
      const parts = [...upload.parts].map(([partNumber, { content, etag }]) => ({ partNumber, etag, sizeBytes: content.length }));
      return parts.sort((a, b) => a.partNumber - b.partNumber);
    }, signal);
  }

  completeUpload(key: string, uploadId: string, parts: readonly UploadedPart[], condition: Condition, signal?: AbortSignal): Promise<WriteAnswer> {
    return this.#write('completeUpload', key, condition, () => {
      const upload = this.bucket.uploads.get(uploadId);
      if (upload === undefined) throw new S3Error('io-error', 'there is no such upload', { status: 404, code: 'NoSuchUpload', isRetryable: false });
      if (this.bucket.manners.completeConditions && !this.bucket.holds(key, condition)) return { kind: 'refused' as const, mayBeOurs: false };
      const whole = this.bucket.assemble(upload, parts);
      if (whole === undefined) throw new S3Error('io-error', 'a part is missing', { status: 400, code: 'InvalidPart', isRetryable: false });
      this.bucket.uploads.delete(uploadId);
      const stored = this.bucket.store(key, whole.content, upload.properties, { etag: whole.etag });
      return this.bucket.manners.completeTells ? this.#done(stored) : { ...this.#done(stored), etag: '' };
    }, signal);
  }

  async abortUpload(key: string, uploadId: string, signal?: AbortSignal): Promise<void> {
    await this.#send('abortUpload', key, true, () => this.bucket.uploads.delete(uploadId), signal);
  }

  async *listUploads(prefix: string, signal?: AbortSignal): AsyncGenerator<PendingUpload> {
    const found = await this.#send('listUploads', prefix, true, () => [...this.bucket.uploads], signal);
    for (const [uploadId, { key, initiatedMs }] of found) if (key.startsWith(prefix)) yield { key, uploadId, initiatedMs };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #source({ bucket, key }: CopySource): MemoryVersion | undefined {
    if (this.isBarredFromOthers && bucket !== undefined) throw new S3Error('permission-denied', 'access to the object is denied', { status: 403, code: 'AccessDenied', isRetryable: false });
    return (bucket === undefined || bucket === this.bucket.name ? this.bucket : this.others.get(bucket))?.current(key);
  }

  #store(key: string, content: Uint8Array, sha256: Sha256, properties: ObjectProperties, condition: Condition): WriteAnswer {
    this.#verify(content, sha256);
    if (!this.bucket.holds(key, condition)) return { kind: 'refused', mayBeOurs: false };
    return this.#done(this.bucket.store(key, content, properties, { sha256 }));
  }

  #verify(content: Uint8Array, sha256: Sha256): void {
    if (!this.bucket.manners.verifies || createHash('sha256').update(content).digest('hex') === sha256) return;
    throw new S3Error('damaged', 'the content is not what was signed', { status: 400, code: 'XAmzContentSHA256Mismatch', isRetryable: true });
  }

  #done({ etag, versionId }: MemoryVersion): WriteAnswer & { readonly kind: 'done' } {
    return { kind: 'done', etag, versionId: this.bucket.manners.isVersioned ? versionId : undefined };
  }

  #head(version: MemoryVersion): ObjectHead {
    const { manners, nowMs } = this.bucket;
    return {
      etag: version.etag,
      sizeBytes: version.content.length,
      lastModifiedMs: Math.floor(version.lastModifiedMs / 1000) * 1000,
      versionId: manners.isVersioned ? version.versionId : undefined,
      metadata: version.properties.metadata,
      sha256: version.sha256,
      serverTimeMs: manners.tellsTime ? Math.floor(nowMs() / 1000) * 1000 : undefined,
    };
  }

  /** A write; one that is sent again after a lost reply and then refused may have been carried out. */
  async #write<T extends { readonly kind: string }>(method: keyof S3Api, key: string, condition: Condition, effect: () => T | WriteAnswer, signal?: AbortSignal): Promise<T | WriteAnswer> {
    let tries = 0;
    const answer = await this.#send(method, key, mayRepeat(condition), () => {
      tries += 1;
      return effect();
    }, signal);
    return answer.kind === 'refused' ? { kind: 'refused', mayBeOurs: tries > 1 } : answer;
  }

  async #send<T>(method: keyof S3Api, key: string, isRepeatable: boolean, effect: () => T, signal?: AbortSignal): Promise<T> {
    for (;;) {
      if (signal?.aborted === true) throw new S3Error('cancelled', 'stopped', { isRetryable: false });
      const number = (this.#number += 1);
      this.calls.push(`${method} ${key}`.trimEnd());
      await this.hook({ method, key, moment: 'before', number });
      const answer = effect();
      try {
        await this.hook({ method, key, moment: 'after', number });
        return answer;
      } catch (error) {
        if (!(error instanceof LostReply)) throw error;
        if (!isRepeatable) throw unreachable();
      }
    }
  }
}

function mayRepeat(condition: Condition): boolean {
  return condition.kind !== 'none' || condition.isOnce !== true;
}

/** A body in pieces. */
async function* pieces(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < content.length; start += 65_536) yield content.subarray(start, start + 65_536);
}
