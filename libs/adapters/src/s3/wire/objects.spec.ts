/** Requests about single objects, against a server that answers by script. */

import { afterEach, describe, expect, it } from '@jest/globals';

import type { Condition, ObjectProperties } from '../s3-api.js';

import { ALWAYS, failureOf, OBJECT_HEADERS, openApi, PLAIN, sha256 } from './testing/open-api.js';
import { errorDocument, failing, openScriptedServer, type Reply, type ScriptedServer } from './testing/scripted-server.js';

const BYTES = Buffer.from('content');
const HASH = sha256(BYTES);
const BASE64 = Buffer.from(HASH, 'hex').toString('base64');
const ABSENT: Condition = { kind: 'absent' };
const E1: Condition = { kind: 'etag', etag: 'e1', isBare: false };
const LOGIN: Reply = { headers: { 'content-type': 'text/html' }, body: '<!DOCTYPE html><html>Please log in</html>' };

let server: ScriptedServer;
const script = async (...replies: Reply[]): Promise<ReturnType<typeof openApi>> => openApi((server = await openScriptedServer(replies)).origin, { storageClass: 'COLD', serverSideEncryption: 'aws:kms:arn:aws:kms:eu:1:key/k' });
const header = (name: string, index = 0): unknown => server.asked[index]?.headers[name];
afterEach(() => server.close());

describe('headObject', () => {
  it('tells of an object: tag, size, date, version, metadata, checksum, the time there', async () => {
    const headers = {
      ...OBJECT_HEADERS,
      'content-length': '7',
      'x-amz-version-id': 'v1',
      'x-amz-meta-name': '%C3%A4%20100%25',
      'x-amz-meta-odd': '100%',
      'x-amz-checksum-sha256': BASE64,
      date: 'Thu, 01 Jan 2026 01:00:00 GMT',
    };
    const api = await script({ headers, body: BYTES });
    expect(await api.headObject('folder/ä b')).toEqual({
      etag: 'e1',
      sizeBytes: 7,
      lastModifiedMs: Date.UTC(2026, 0, 1),
      versionId: 'v1',
      metadata: new Map([['name', 'ä 100%'], ['odd', '100%']]),
      sha256: HASH,
      serverTimeMs: Date.UTC(2026, 0, 1, 1),
    });
    expect(server.asked[0]).toMatchObject({ method: 'HEAD', target: '/bucket/folder/%C3%A4%20b' });
    expect(header('x-amz-checksum-mode')).toBe('ENABLED');
  });

  it.each([['W/"e1"'], ['"e1-gzip"'], ['e1']])('T37: reads the tag %s as e1', async (etag) => {
    const api = await script({ headers: { ...OBJECT_HEADERS, etag }, body: BYTES });
    expect((await api.headObject('k'))?.etag).toBe('e1');
  });

  it.each([['the checksum of parts', { 'x-amz-checksum-sha256': `${BASE64}-2` }], ['one marked as such', { 'x-amz-checksum-sha256': BASE64, 'x-amz-checksum-type': 'COMPOSITE' }]])('takes %s for no hash of the object', async (_what, headers) => {
    const api = await script({ headers: { ...OBJECT_HEADERS, ...headers }, body: BYTES });
    expect((await api.headObject('k'))?.sha256).toBeUndefined();
  });

  it('says undefined for a missing one, and nothing but an error for one that is denied', async () => {
    const api = await script({ status: 404 }, { status: 403 });
    expect(await api.headObject('k')).toBeUndefined();
    expect(await failureOf(api.headObject('k'))).toMatchObject({ kind: 'permission-denied' });
  });

  it.each([['a login page', LOGIN], ['an answer without a length', { headers: { ...OBJECT_HEADERS, 'transfer-encoding': 'chunked' } }]])('T03: does not believe %s', async (_what, reply) => {
    const api = await script(reply);
    expect(await failureOf(api.headObject('k'))).toMatchObject({ kind: 'damaged', details: { isRetryable: true } });
  });

  it('keeps connections after a HEAD', async () => {
    const api = await script(...Array<Reply>(8).fill({ headers: { ...OBJECT_HEADERS }, body: BYTES }));
    for (let i = 0; i < 8; i += 1) await api.headObject('k');
    // A connection that was used just now may still be on its way back.
    expect(server.connections()).toBeLessThan(3);
  });
});

describe('putObject', () => {
  const properties: ObjectProperties = { metadata: new Map([['mtime', '1.5'], ['name', 'ä %']]), contentType: 'text/plain' };

  it('sends bytes, hash, checksum, metadata, storage class and encryption', async () => {
    const api = await script({ headers: { etag: '"e2"', 'x-amz-version-id': 'v2' } });
    expect(await api.putObject('k', BYTES, HASH, properties, ALWAYS)).toEqual({ kind: 'done', etag: 'e2', versionId: 'v2' });
    expect(server.asked[0]?.body.equals(BYTES)).toBe(true);
    expect(server.asked[0]?.headers).toMatchObject({
      'content-length': '7',
      'content-type': 'text/plain',
      'x-amz-content-sha256': HASH,
      'x-amz-checksum-sha256': BASE64,
      'x-amz-meta-mtime': '1.5',
      'x-amz-meta-name': '%C3%A4%20%25',
      'x-amz-storage-class': 'COLD',
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'arn:aws:kms:eu:1:key/k',
    });
    expect([header('if-match'), header('if-none-match')]).toEqual([undefined, undefined]);
  });

  it('sends the condition, the tag in quotes or bare', async () => {
    const done = { headers: { etag: '"e2"' } };
    const api = await script(done, done, done);
    await api.putObject('k', BYTES, HASH, PLAIN, ABSENT);
    await api.putObject('k', BYTES, HASH, PLAIN, E1);
    await api.putObject('k', BYTES, HASH, PLAIN, { ...E1, isBare: true });
    expect([header('if-none-match', 0), header('if-match', 1), header('if-match', 2)]).toEqual(['*', '"e1"', 'e1']);
  });

  it.each<[string, Reply, Condition]>([
    ['412', failing(412, 'PreconditionFailed'), ABSENT],
    ['409 ConditionalRequestConflict', failing(409, 'ConditionalRequestConflict'), ABSENT],
    ['409 OperationAborted', failing(409, 'OperationAborted'), E1],
    ['404 for a version that is gone', failing(404, 'NoSuchKey'), E1],
  ])('takes %s for a refusal, which is surely not by our own write', async (_what, reply, condition) => {
    const api = await script(reply);
    expect(await api.putObject('k', BYTES, HASH, PLAIN, condition)).toEqual({ kind: 'refused', mayBeOurs: false });
    expect(server.asked).toHaveLength(1);
  });

  it.each<[string, Reply]>([['no answer', { drops: true }], ['a 500', failing(500, 'InternalError')], ['a 503 without a document', { status: 503 }]])('T36: says that what is there may be ours when an earlier try got %s', async (_what, first) => {
    const api = await script(first, failing(412, 'PreconditionFailed'));
    expect(await api.putObject('k', BYTES, HASH, PLAIN, ABSENT)).toEqual({ kind: 'refused', mayBeOurs: true });
  });

  it('does not say so after a try that was refused for another reason', async () => {
    const api = await script(failing(429, 'TooManyRequests'), failing(412, 'PreconditionFailed'));
    expect(await api.putObject('k', BYTES, HASH, PLAIN, ABSENT)).toEqual({ kind: 'refused', mayBeOurs: false });
  });

  it('repeats an unconditional write that met another one', async () => {
    const api = await script(failing(409, 'OperationAborted'), { headers: { etag: '"e2"' } });
    expect(await api.putObject('k', BYTES, HASH, PLAIN, ALWAYS)).toMatchObject({ kind: 'done' });
  });

  it('calls conditions that are not implemented unsupported', async () => {
    const api = await script(failing(501, 'NotImplemented'));
    expect(await failureOf(api.putObject('k', BYTES, HASH, PLAIN, ABSENT))).toMatchObject({ kind: 'unsupported', details: { isRetryable: false } });
  });

  it('T03: does not believe a login page, nor a 412 that nobody asked for', async () => {
    const api = await script(LOGIN, failing(412, 'PreconditionFailed'));
    expect(await failureOf(api.putObject('k', BYTES, HASH, PLAIN, ALWAYS))).toMatchObject({ kind: 'damaged' });
    expect(await failureOf(api.putObject('k', BYTES, HASH, PLAIN, ALWAYS))).toMatchObject({ kind: 'io-error' });
  });

  it('sends large bodies whole', async () => {
    const large = Buffer.alloc(1_000_003, 'abc');
    const api = await script({ headers: { etag: '"e2"' } });
    await api.putObject('k', large, sha256(large), PLAIN, ALWAYS);
    expect(server.asked[0]?.body.equals(large)).toBe(true);
    expect(header('content-length')).toBe('1000003');
  });
});

describe('putStream', () => {
  const stream = (sizeBytes: number, ...chunks: (string | Error)[]): Parameters<ReturnType<typeof openApi>['putStream']>[1] => ({
    sizeBytes,
    sha256: HASH,
    chunks: (async function* () {
      for (const chunk of chunks) {
        if (chunk instanceof Error) throw chunk;
        yield Buffer.from(chunk);
      }
    })(),
  });

  it('sends chunks as they come, with the length and the hash known beforehand', async () => {
    const api = await script({ headers: { etag: '"e2"' } });
    expect(await api.putStream('k', stream(7, 'con', '', 'tent'), PLAIN, ABSENT)).toMatchObject({ kind: 'done', etag: 'e2' });
    expect(server.asked[0]?.body.toString()).toBe('content');
    expect(server.asked[0]?.headers).toMatchObject({ 'content-length': '7', 'x-amz-content-sha256': HASH, 'if-none-match': '*' });
  });

  it.each<[string, number]>([['fewer', 8], ['more', 6]])('T41: fails, and the server has nothing, when %s bytes come than were said', async (_what, sizeBytes) => {
    const api = await script({ headers: { etag: '"e2"' } });
    expect(await failureOf(api.putStream('k', stream(sizeBytes, 'con', 'tent'), PLAIN, ALWAYS))).toMatchObject({ kind: 'damaged' });
    expect(server.asked).toEqual([]);
  });

  it('rejects with the error of the source itself', async () => {
    const api = await script();
    const broken = new Error('the disk is broken');
    await expect(api.putStream('k', stream(7, 'con', broken), PLAIN, ALWAYS)).rejects.toBe(broken);
  });

  it('T43: is not repeated', async () => {
    const api = await script(failing(503, 'SlowDown'), { drops: true });
    expect(await failureOf(api.putStream('k', stream(7, 'content'), PLAIN, ALWAYS))).toMatchObject({ kind: 'throttled', details: { isRetryable: true } });
    expect(await failureOf(api.putStream('k', stream(7, 'content'), PLAIN, ALWAYS))).toMatchObject({ kind: 'unreachable', details: { isRetryable: true } });
    expect(server.asked).toHaveLength(2);
  });
});

describe('deleteObject', () => {
  it('is done when the object is gone, and says what marker it left', async () => {
    const api = await script({ status: 204 }, { status: 204, headers: { 'x-amz-version-id': 'm1' } }, failing(404, 'NoSuchKey'));
    expect(await api.deleteObject('k', ALWAYS)).toEqual({ kind: 'done' });
    expect(await api.deleteObject('k', E1, 'v/1')).toEqual({ kind: 'done', versionId: 'm1' });
    expect(await api.deleteObject('k', E1)).toEqual({ kind: 'done' });
    expect(server.asked[1]?.target).toBe('/bucket/k?versionId=v%2F1');
    expect(header('if-match', 1)).toBe('"e1"');
  });

  it('is refused on another version', async () => {
    const api = await script(failing(412, 'PreconditionFailed'));
    expect(await api.deleteObject('k', E1)).toEqual({ kind: 'refused', mayBeOurs: false });
  });

  it('INV-8: fails when the bucket is gone, or a login page answers', async () => {
    const api = await script(failing(404, 'NoSuchBucket'), LOGIN);
    expect(await failureOf(api.deleteObject('k', ALWAYS))).toMatchObject({ kind: 'not-found', details: { code: 'NoSuchBucket' } });
    expect(await failureOf(api.deleteObject('k', ALWAYS))).toMatchObject({ kind: 'damaged' });
  });
});

describe('copyObject', () => {
  const source = { key: 'a ä/+', etag: 'e1' };
  const done = { body: ' \n<?xml version="1.0"?><CopyObjectResult><ETag>&quot;e2&quot;</ETag></CopyObjectResult>', headers: { 'x-amz-version-id': 'v2' } };
  const headOf = (etag: string): Reply => ({ headers: { ...OBJECT_HEADERS, etag }, body: BYTES });

  it('names the source and the version it must have, and keeps its metadata', async () => {
    const api = await script(done);
    expect(await api.copyObject({ ...source, versionId: 'v 1' }, 'k', ABSENT)).toEqual({ kind: 'done', etag: 'e2', versionId: 'v2' });
    expect(server.asked[0]?.headers).toMatchObject({
      'x-amz-copy-source': '/bucket/a%20%C3%A4/%2B?versionId=v%201',
      'x-amz-copy-source-if-match': '"e1"',
      'x-amz-copy-if-match': 'e1',
      'x-amz-metadata-directive': 'COPY',
      'x-amz-storage-class': 'COLD',
      'if-none-match': '*',
    });
    expect(header('x-amz-meta-a')).toBeUndefined();
  });

  it('replaces the metadata when it is given anew', async () => {
    const api = await script(done);
    await api.copyObject({ ...source, bucket: 'other' }, 'k', ALWAYS, { metadata: new Map([['a', 'b']]) });
    expect(server.asked[0]?.headers).toMatchObject({ 'x-amz-copy-source': '/other/a%20%C3%A4/%2B', 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-a': 'b' });
  });

  it.each<[string, Reply[], Condition, string]>([
    ['another version of the source', [failing(412, 'PreconditionFailed')], ALWAYS, 'stale'],
    ['a source that is gone', [failing(404, 'NoSuchKey')], ALWAYS, 'stale'],
    ['a named condition on the source', [failing(412, 'PreconditionFailed', {}, '<Condition>x-amz-copy-source-If-Match</Condition>')], ABSENT, 'stale'],
    ['a named condition on the target', [failing(412, 'PreconditionFailed', {}, '<Condition>If-None-Match</Condition>')], ABSENT, 'refused'],
    ['one of two conditions, the source being as it was', [failing(412, 'PreconditionFailed'), headOf('"e1"')], ABSENT, 'refused'],
    ['one of two conditions, the source being another', [failing(412, 'PreconditionFailed'), headOf('"e9"')], ABSENT, 'stale'],
    ['a race for the target', [failing(409, 'ConditionalRequestConflict')], ABSENT, 'refused'],
  ])('tells %s apart', async (_what, replies, condition, kind) => {
    const api = await script(...replies);
    expect(await api.copyObject(source, 'k', condition)).toMatchObject({ kind });
    expect(server.asked).toHaveLength(replies.length);
  });

  it('repeats a copy that failed with status 200, and takes any other such error for one', async () => {
    const api = await script({ body: errorDocument('InternalError') }, done, { body: ` \n ${errorDocument('AccessDenied')}` });
    expect(await api.copyObject(source, 'k', ALWAYS)).toMatchObject({ kind: 'done' });
    expect(await failureOf(api.copyObject(source, 'k', ALWAYS))).toMatchObject({ details: { code: 'AccessDenied' } });
  });

  it('T02: does not believe half an answer', async () => {
    const api = await script({ body: '<CopyObjectResult><ETag>&quot;e2' });
    expect(await failureOf(api.copyObject(source, 'k', ALWAYS))).toMatchObject({ kind: 'damaged' });
  });

  it('calls an object that is too large for one step unsupported', async () => {
    const body = '<Error><Code>InvalidRequest</Code><Message>The specified copy source is larger than the maximum allowable size for a copy source: 5368709120</Message></Error>';
    const api = await script({ status: 400, body }, failing(400, 'EntityTooLarge'));
    expect(await failureOf(api.copyObject(source, 'k', ALWAYS))).toMatchObject({ kind: 'unsupported' });
    expect(await failureOf(api.copyObject(source, 'k', ALWAYS))).toMatchObject({ kind: 'unsupported' });
  });
});
