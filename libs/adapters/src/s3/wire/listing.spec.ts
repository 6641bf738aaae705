/** Listings are complete, in order and what was asked for, or they fail (INV-8). */

import { afterEach, describe, expect, it } from '@jest/globals';

import type { ListPage } from '../s3-api.js';

import { failureOf, openApi } from './testing/open-api.js';
import { failing, openScriptedServer, type Reply, type ScriptedServer } from './testing/scripted-server.js';

let server: ScriptedServer;
const script = async (...replies: Reply[]): Promise<ReturnType<typeof openApi>> => openApi((server = await openScriptedServer(replies)).origin);
afterEach(() => server.close());

const entry = (key: string): string => `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:01.250Z</LastModified><ETag>&quot;e-${key.length}&quot;</ETag><Size>7</Size></Contents>`;
const common = (prefix: string): string => `<CommonPrefixes><Prefix>${prefix}</Prefix></CommonPrefixes>`;
const END = '<IsTruncated>false</IsTruncated>';
const more = (token: string): string => `<IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>`;
const document = (...parts: string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>${parts.join('')}</ListBucketResult>`;
const keys = (page: ListPage): string[] => page.objects.map(({ key }) => key);

describe('list', () => {
  it('reads keys as they are, with tag, size and date', async () => {
    const api = await script({ body: document('<Name>bucket</Name><Prefix>f%2F</Prefix><KeyCount>2</KeyCount>', entry('f/a+b%2B%C3%A4'), entry('f/b%01'), END) });
    expect(await api.list({ prefix: 'f/' })).toEqual({
      objects: [
        { key: 'f/a b+ä', etag: 'e-14', sizeBytes: 7, lastModifiedMs: Date.UTC(2026, 0, 1, 0, 0, 1, 250) },
        { key: 'f/b\u0001', etag: 'e-6', sizeBytes: 7, lastModifiedMs: Date.UTC(2026, 0, 1, 0, 0, 1, 250) },
      ],
      commonPrefixes: [],
      next: undefined,
    });
    expect(server.asked[0]?.target).toBe('/bucket?encoding-type=url&list-type=2&max-keys=1000&prefix=f%2F');
  });

  it('takes keys literally from a server that does not encode them', async () => {
    const api = await script({ body: `<ListBucketResult><Contents><Key>a+b%20c &amp; d</Key><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>e</ETag><Size>0</Size></Contents>${END}</ListBucketResult>` });
    expect(keys(await api.list({ prefix: '' }))).toEqual(['a+b%20c & d']);
  });

  it('goes on from page to page, over folders too, and asks for no more than 1000', async () => {
    const api = await script({ body: document(entry('b'), common('a/'), more('t1')) }, { body: document(entry('d'), common('c/'), END) });
    const first = await api.list({ prefix: '', startAfter: 'a', delimiter: '/', maxKeys: 5000 });
    expect([keys(first), first.commonPrefixes]).toEqual([['b'], ['a/']]);
    const second = await api.list({ prefix: '', delimiter: '/', continuation: first.next as string });
    expect([keys(second), second.commonPrefixes, second.next]).toEqual([['d'], ['c/'], undefined]);
    expect(server.asked[0]?.query.get('start-after')).toBe('a');
    expect(server.asked[0]?.query.get('max-keys')).toBe('1000');
    expect(server.asked[1]?.query.get('continuation-token')).toBe('t1');
    expect(server.asked[1]?.query.has('start-after')).toBe(false);
  });

  it('orders by the bytes of UTF-8, not by UTF-16', async () => {
    const api = await script({ body: document(entry('%EE%80%80'), entry('%F0%9F%98%80'), END) }, { body: document(entry('%F0%9F%98%80'), entry('%EE%80%80'), END) });
    expect(keys(await api.list({ prefix: '' }))).toEqual(['\ue000', '😀']);
    expect(await failureOf(api.list({ prefix: '' }))).toMatchObject({ kind: 'damaged' });
  });

  it.each<[string, string[]]>([
    ['a key twice', [entry('f/a'), entry('f/a'), END]],
    ['keys that go backwards', [entry('f/b'), entry('f/a'), END]],
    ['a key outside of the prefix', [entry('g/a'), END]],
    ['no key', [entry(''), END]],
    ['keys from before the start', [entry('f/1'), END]],
    ['the start itself', [entry('f/2'), END]],
    ['a folder twice', [common('f/a/'), common('f/a/'), END]],
    ['fewer keys than it counts', ['<KeyCount>2</KeyCount>', entry('f/a'), END]],
    ['more keys than it counts', ['<KeyCount>0</KeyCount>', entry('f/a'), END]],
    ['no word on whether it is complete', [entry('f/a')]],
    ['another word than true or false', [entry('f/a'), '<IsTruncated>maybe</IsTruncated>']],
    ['more to come, but not from where', [entry('f/a'), '<IsTruncated>true</IsTruncated>']],
    ['another bucket', ['<Name>other</Name>', entry('f/a'), END]],
    ['another prefix', ['<Prefix>g/</Prefix>', END]],
    ['a size that is none', [entry('f/a').replace('<Size>7', '<Size>-7'), END]],
    ['no size', [entry('f/a').replace('<Size>7</Size>', ''), END]],
    ['a date that is none', [entry('f/a').replace('2026', 'then'), END]],
  ])('T06: fails on a page with %s', async (_what, parts) => {
    const api = await script({ body: document(...parts) });
    expect(await failureOf(api.list({ prefix: 'f/', startAfter: 'f/2' }))).toMatchObject({ kind: 'damaged', details: { isRetryable: true } });
  });

  it('T06: fails on a page that repeats the one before, or leads to itself', async () => {
    const page = { body: document(entry('a'), entry('b'), more('t1')) };
    const api = await script(page, page, { body: document(entry('c'), more('t1')) });
    const { next } = await api.list({ prefix: '' });
    expect(await failureOf(api.list({ prefix: '', continuation: next as string }))).toMatchObject({ kind: 'damaged' });
    expect(await failureOf(api.list({ prefix: '', continuation: next as string }))).toMatchObject({ kind: 'damaged' });
  });

  it('T02: fails on a page that is cut, announced as complete, at any of its bytes', async () => {
    const page = Buffer.from(document(entry('a'), entry('b'), END));
    const cuts = Array.from({ length: page.length }, (_, length): Reply => ({ body: page.subarray(0, length) }));
    const api = await script(...cuts);
    for (let length = 0; length < page.length; length += 1) expect(await failureOf(api.list({ prefix: '' }))).toMatchObject({ kind: 'damaged' });
  });

  it.each([
    ['a login page', '<!DOCTYPE html><html><body>Please log in</body></html>'],
    ['nothing', ''],
    ['another document', '<ListAllMyBucketsResult><Owner/></ListAllMyBucketsResult>'],
    ['JSON', '{}'],
    ['bytes', Buffer.from([0x3c, 0xff])],
  ])('T03: fails on %s with status 200', async (_what, body) => {
    const api = await script({ body });
    expect(await failureOf(api.list({ prefix: '' }))).toMatchObject({ kind: 'damaged' });
  });

  it('T02: repeats a page whose connection broke, and gives up when it always does', async () => {
    const page = document(entry('a'), END);
    const api = await script({ body: page, cutAfter: 100 }, { body: page }, ...Array<Reply>(5).fill({ body: page, cutAfter: 100 }));
    expect(keys(await api.list({ prefix: '' }))).toEqual(['a']);
    expect(await failureOf(api.list({ prefix: '' }))).toMatchObject({ kind: 'unreachable' });
  });

  it('names a key that is no UTF-8', async () => {
    const api = await script({ body: document(entry('a%FF'), END) });
    expect((await failureOf(api.list({ prefix: '' }))).message).toContain('a%FF');
  });

  it('calls refused credentials and a missing bucket by their names', async () => {
    const api = await script(failing(403, 'AccessDenied'), failing(404, 'NoSuchBucket'));
    expect(await failureOf(api.list({ prefix: '' }))).toMatchObject({ kind: 'unauthorized' });
    expect(await failureOf(api.list({ prefix: '' }))).toMatchObject({ kind: 'not-found' });
  });
});

describe('listVersions', () => {
  const version = (key: string, id: string, isLatest = false): string =>
    `<Version><Key>${key}</Key><VersionId>${id}</VersionId><IsLatest>${String(isLatest)}</IsLatest><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>&quot;e&quot;</ETag><Size>3</Size></Version>`;
  const marker = (key: string, id: string): string => `<DeleteMarker><Key>${key}</Key><VersionId>${id}</VersionId><IsLatest>true</IsLatest><LastModified>2026-01-01T00:00:00Z</LastModified></DeleteMarker>`;
  const versions = (...parts: string[]): Reply => ({ body: `<ListVersionsResult><EncodingType>url</EncodingType>${parts.join('')}</ListVersionsResult>` });

  it('has the versions and markers of that key alone, over pages', async () => {
    const api = await script(
      versions(marker('a%20b', 'v3'), version('a%20b', 'v2'), '<IsTruncated>true</IsTruncated><NextKeyMarker>a%20b</NextKeyMarker><NextVersionIdMarker>v2</NextVersionIdMarker>'),
      versions(version('a%20b', 'v1'), version('a%20bc', 'x'), '<IsTruncated>true</IsTruncated>'),
    );
    const found = await api.listVersions('a b');
    expect(found.map(({ versionId, isDeleteMarker, isLatest, etag, sizeBytes }) => [versionId, isDeleteMarker, isLatest, etag, sizeBytes])).toEqual([
      ['v3', true, true, '', 0],
      ['v2', false, false, 'e', 3],
      ['v1', false, false, 'e', 3],
    ]);
    expect(server.asked[1]?.query.get('key-marker')).toBe('a b');
    expect(server.asked[1]?.query.get('version-id-marker')).toBe('v2');
  });

  it('T06: fails when it does not go on', async () => {
    const api = await script(versions(version('a', 'v2'), '<IsTruncated>true</IsTruncated>'), versions(version('a', 'v2')));
    expect(await failureOf(api.listVersions('a'))).toMatchObject({ kind: 'damaged' });
    expect(await failureOf(api.listVersions('a'))).toMatchObject({ kind: 'damaged' });
  });
});

describe('isVersioned and headBucket', () => {
  it('knows a bucket that keeps versions, one that ceased to, and one that never did', async () => {
    const status = (inner: string): Reply => ({ body: `<VersioningConfiguration xmlns="x">${inner}</VersioningConfiguration>` });
    const api = await script(status('<Status>Enabled</Status>'), status('<Status>Suspended</Status>'), { body: '<VersioningConfiguration/>' });
    expect([await api.isVersioned(), await api.isVersioned(), await api.isVersioned()]).toEqual([true, false, false]);
  });

  it('asks for one key where HEAD is denied, which some may list and which says why', async () => {
    const api = await script({ status: 403 }, { body: document(END) }, { status: 403 }, failing(403, 'InvalidAccessKeyId'), { status: 404 });
    await api.headBucket();
    expect(server.asked[1]?.query.get('prefix')).toBe('folder/');
    expect(await failureOf(api.headBucket())).toMatchObject({ kind: 'unauthorized', details: { code: 'InvalidAccessKeyId' } });
    expect(await failureOf(api.headBucket())).toMatchObject({ kind: 'not-found' });
  });
});
