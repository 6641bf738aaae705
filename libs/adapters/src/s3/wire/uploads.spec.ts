/** Uploads in parts, against a server that answers by script. */

import { afterEach, describe, expect, it } from '@jest/globals';

import type { PendingUpload, UploadedPart } from '../s3-api.js';

import { ALWAYS, failureOf, openApi, PLAIN, sha256 } from './testing/open-api.js';
import { errorDocument, failing, openScriptedServer, type Reply, type ScriptedServer } from './testing/scripted-server.js';

const BYTES = Buffer.from('part');
const PARTS: UploadedPart[] = [{ partNumber: 1, etag: 'p1', sizeBytes: 4 }, { partNumber: 2, etag: 'p<2', sizeBytes: 4 }];
const DONE: Reply = { body: '<CompleteMultipartUploadResult><Key>k</Key><ETag>&quot;e-2&quot;</ETag></CompleteMultipartUploadResult>' };

let server: ScriptedServer;
const script = async (...replies: Reply[]): Promise<ReturnType<typeof openApi>> => openApi((server = await openScriptedServer(replies)).origin, { storageClass: 'COLD' });
afterEach(() => server.close());

describe('createUpload', () => {
  it('sends the properties of the object to be, and says the id', async () => {
    const api = await script({ body: '<InitiateMultipartUploadResult><UploadId>u/1</UploadId></InitiateMultipartUploadResult>' });
    expect(await api.createUpload('k', { metadata: new Map([['a', 'b']]) })).toEqual({ uploadId: 'u/1' });
    expect(server.asked[0]).toMatchObject({ method: 'POST', target: '/bucket/k?uploads=', headers: { 'x-amz-meta-a': 'b', 'x-amz-storage-class': 'COLD' } });
  });

  it('fails without an id', async () => {
    const api = await script({ body: '<InitiateMultipartUploadResult/>' });
    expect(await failureOf(api.createUpload('k', PLAIN))).toMatchObject({ kind: 'damaged' });
  });
});

describe('uploadPart', () => {
  it('sends a part with its hash, again when the connection breaks', async () => {
    const api = await script({ drops: true }, { headers: { etag: '"p1"' } });
    expect(await api.uploadPart('k', 'u/1', 3, BYTES, sha256(BYTES))).toEqual({ partNumber: 3, etag: 'p1', sizeBytes: 4 });
    expect(server.asked[1]).toMatchObject({ method: 'PUT', target: '/bucket/k?partNumber=3&uploadId=u%2F1', headers: { 'x-amz-content-sha256': sha256(BYTES) } });
    expect(server.asked[1]?.body.equals(BYTES)).toBe(true);
  });

  it('fails when the upload is gone, and on an answer without a tag', async () => {
    const api = await script(failing(404, 'NoSuchUpload'), {});
    expect(await failureOf(api.uploadPart('k', 'u', 1, BYTES, sha256(BYTES)))).toMatchObject({ kind: 'not-found', details: { code: 'NoSuchUpload' } });
    expect(await failureOf(api.uploadPart('k', 'u', 1, BYTES, sha256(BYTES)))).toMatchObject({ kind: 'damaged' });
  });
});

describe('copyPart', () => {
  const source = { key: 'ä b', etag: 'e-2' };
  const range = { offset: 8, sizeBytes: 4 };
  const made: Reply = { body: '<CopyPartResult><ETag>&quot;p3&quot;</ETag></CopyPartResult>' };

  it('asks for a range of one version, again when the connection breaks', async () => {
    const api = await script({ drops: true }, made);
    expect(await api.copyPart(source, range, 'k', 'u/1', 3)).toEqual({ partNumber: 3, etag: 'p3', sizeBytes: 4 });
    const headers = { 'x-amz-copy-source': '/bucket/%C3%A4%20b', 'x-amz-copy-source-range': 'bytes=8-11', 'x-amz-copy-source-if-match': '"e-2"', 'x-amz-copy-if-match': 'e-2' };
    expect(server.asked[1]).toMatchObject({ method: 'PUT', target: '/bucket/k?partNumber=3&uploadId=u%2F1', headers });
    expect(server.asked[1]?.headers['x-amz-storage-class']).toBeUndefined();
  });

  it.each([[412, 'PreconditionFailed'], [404, 'NoSuchKey'], [404, 'NoSuchVersion'], [416, 'InvalidRange']])('says stale where the version is gone (%i %s)', async (status, code) => {
    const api = await script(failing(status, code));
    expect(await api.copyPart(source, range, 'k', 'u', 1)).toBe('stale');
  });

  it('tells an upload that is gone from a source that is gone, and both from what the endpoint cannot do', async () => {
    const api = await script(failing(404, 'NoSuchUpload'), failing(501, 'NotImplemented'));
    expect(await failureOf(api.copyPart(source, range, 'k', 'u', 1))).toMatchObject({ kind: 'not-found', details: { code: 'NoSuchUpload' } });
    expect(await failureOf(api.copyPart(source, range, 'k', 'u', 1))).toMatchObject({ kind: 'unsupported', details: { isRetryable: false } });
  });

  it('takes a version of another bucket', async () => {
    const api = await script(made);
    await api.copyPart({ ...source, bucket: 'other', versionId: 'v1' }, range, 'k', 'u', 3);
    expect(server.asked[0]?.headers['x-amz-copy-source']).toBe('/other/%C3%A4%20b?versionId=v1');
  });

  it('asks again after an error that came with status 200', async () => {
    const api = await script({ body: errorDocument('InternalError') }, made);
    expect(await api.copyPart(source, range, 'k', 'u', 1)).toMatchObject({ etag: 'p3' });
  });

  it.each<[string, Reply]>([['the answer to a part that was sent', { headers: { etag: '"p"' } }], ['an answer without a tag', { body: '<CopyPartResult/>' }]])('takes %s for no part', async (_what, reply) => {
    const api = await script(reply);
    expect(await failureOf(api.copyPart(source, range, 'k', 'u', 1))).toMatchObject({ kind: 'damaged' });
  });
});

describe('listParts', () => {
  const part = (number: number): string => `<Part><PartNumber>${String(number)}</PartNumber><ETag>&quot;p${String(number)}&quot;</ETag><Size>5</Size></Part>`;
  const page = (...inner: string[]): Reply => ({ body: `<ListPartsResult>${inner.join('')}</ListPartsResult>` });

  it('lists them over pages', async () => {
    const api = await script(page(part(1), part(2), '<IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker>'), page(part(7), '<IsTruncated>false</IsTruncated>'));
    expect((await api.listParts('k', 'u'))?.map(({ partNumber, etag }) => [partNumber, etag])).toEqual([[1, 'p1'], [2, 'p2'], [7, 'p7']]);
    expect(server.asked[1]?.query.get('part-number-marker')).toBe('2');
  });

  it.each([['NoSuchUpload'], ['NoSuchKey']])('says undefined for an upload that is gone (%s)', async (code) => {
    const api = await script(failing(404, code));
    expect(await api.listParts('k', 'u')).toBeUndefined();
  });

  it.each<[string, string[]]>([
    ['repeats itself', [part(2), part(2), '<IsTruncated>false</IsTruncated>']],
    ['does not say whether it is complete', [part(1)]],
    ['does not go on', [part(1), '<IsTruncated>true</IsTruncated>']],
  ])('T06: fails when the list %s', async (_what, inner) => {
    const api = await script(page(...inner));
    expect(await failureOf(api.listParts('k', 'u'))).toMatchObject({ kind: 'damaged' });
  });
});

describe('completeUpload', () => {
  it('names the parts, with the condition', async () => {
    const api = await script(DONE);
    expect(await api.completeUpload('k', 'u', PARTS, { kind: 'absent' })).toEqual({ kind: 'done', etag: 'e-2', versionId: undefined });
    expect(server.asked[0]?.body.toString()).toContain('<Part><PartNumber>2</PartNumber><ETag>&quot;p&lt;2&quot;</ETag></Part>');
    expect(server.asked[0]?.headers['if-none-match']).toBe('*');
    expect(server.asked[0]?.headers['x-amz-content-sha256']).toBe(sha256(server.asked[0]?.body as Buffer));
  });

  it('accepts an empty tag', async () => {
    const api = await script({ body: '<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>' });
    expect(await api.completeUpload('k', 'u', PARTS, ALWAYS)).toMatchObject({ kind: 'done', etag: '' });
  });

  it.each<[string, Reply]>([['412', failing(412, 'PreconditionFailed')], ['409', failing(409, 'ConditionalRequestConflict')], ['an error with status 200', { body: errorDocument('PreconditionFailed') }]])('is refused by %s', async (_what, reply) => {
    const api = await script(reply);
    expect(await api.completeUpload('k', 'u', PARTS, { kind: 'absent' })).toEqual({ kind: 'refused', mayBeOurs: false });
  });

  it('T36: may have been completed before, when it is gone after a lost answer', async () => {
    const api = await script({ drops: true }, failing(404, 'NoSuchUpload'), failing(404, 'NoSuchUpload'));
    expect(await api.completeUpload('k', 'u', PARTS, ALWAYS)).toEqual({ kind: 'refused', mayBeOurs: true });
    expect(await failureOf(api.completeUpload('k', 'u', PARTS, ALWAYS))).toMatchObject({ kind: 'not-found', details: { code: 'NoSuchUpload' } });
  });

  it('repeats an internal error with status 200, after blanks that kept the connection alive', async () => {
    const api = await script({ body: `      \n${errorDocument('InternalError')}` }, { body: `  \n ${DONE.body as string}` });
    expect(await api.completeUpload('k', 'u', PARTS, ALWAYS)).toMatchObject({ kind: 'done' });
  });
});

describe('abortUpload and listUploads', () => {
  it('is content when there is nothing to abort', async () => {
    const api = await script({ status: 204 }, failing(404, 'NoSuchUpload'), failing(403, 'AccessDenied'));
    await api.abortUpload('k', 'u');
    await api.abortUpload('k', 'u');
    expect(await failureOf(api.abortUpload('k', 'u'))).toMatchObject({ kind: 'permission-denied' });
  });

  it('lists uploads under way, over pages', async () => {
    const upload = (key: string, id: string): string => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>2026-01-01T00:00:00.000Z</Initiated></Upload>`;
    const page = (...inner: string[]): Reply => ({ body: `<ListMultipartUploadsResult><EncodingType>url</EncodingType>${inner.join('')}</ListMultipartUploadsResult>` });
    const api = await script(
      page(upload('f/a%20b', 'u1'), '<IsTruncated>true</IsTruncated><NextKeyMarker>f/a%20b</NextKeyMarker><NextUploadIdMarker>u1</NextUploadIdMarker>'),
      page(upload('f/c', 'u2'), '<IsTruncated>false</IsTruncated>'),
      page(upload('g/a', 'u3')),
    );
    const found: PendingUpload[] = [];
    for await (const one of api.listUploads('f/')) found.push(one);
    expect(found).toEqual([{ key: 'f/a b', uploadId: 'u1', initiatedMs: Date.UTC(2026, 0, 1) }, { key: 'f/c', uploadId: 'u2', initiatedMs: Date.UTC(2026, 0, 1) }]);
    expect([server.asked[1]?.query.get('key-marker'), server.asked[1]?.query.get('upload-id-marker')]).toEqual(['f/a b', 'u1']);
    await expect(api.listUploads('f/')[Symbol.asyncIterator]().next()).rejects.toMatchObject({ kind: 'damaged' });
  });
});
