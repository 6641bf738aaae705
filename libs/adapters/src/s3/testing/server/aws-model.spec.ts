/**
 * The model of AWS does what AWS documents (S3 User Guide "conditional writes", "conditional
 * deletes"; API reference of PutObject, CompleteMultipartUpload, CopyObject, DeleteObject; 2026).
 */

import { createHash } from 'node:crypto';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { md5, md5OfParts, tagOf } from './facts.js';
import { elementOf } from './signed-request.js';
import { openServer, type OpenServer } from './testing-client.js';

const quoted = (content: string) => `"${md5(content)}"`;
const sha256 = (content: string) => createHash('sha256').update(content).digest('base64');

describe('the model of AWS', () => {
  let opened: OpenServer;
  const facts = () => opened.facts;

  beforeEach(async () => {
    opened = await openServer();
  });
  afterEach(() => opened.close());

  it('creates with If-None-Match: * and answers 412 where there is something', async () => {
    expect((await facts().put('a', 'one', { 'if-none-match': '*' })).status).toBe(200);
    expect(await facts().put('a', 'two', { 'if-none-match': '*' })).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    expect(await facts().put('a', 'two', { 'if-none-match': quoted('zero') })).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(await facts().text('a')).toBe('one');
  });

  it('replaces with If-Match, answers 412 to another version and 404 where there is nothing', async () => {
    await facts().put('a', 'one');
    expect((await facts().put('a', 'two', { 'if-match': quoted('one') })).status).toBe(200);
    expect((await facts().put('a', 'three', { 'if-match': md5('two') })).status).toBe(200);
    expect(await facts().put('a', 'four', { 'if-match': quoted('one') })).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    expect(await facts().put('none', 'four', { 'if-match': quoted('one') })).toMatchObject({ status: 404, code: 'NoSuchKey' });
  });

  it('deletes with If-Match, answers 412 to another version, 404 and 412 where there is nothing', async () => {
    await facts().put('a', 'one');
    expect(await facts().delete('a', { 'if-match': quoted('zero') })).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    expect(await facts().text('a')).toBe('one');
    expect((await facts().delete('a', { 'if-match': quoted('one') })).status).toBe(204);
    expect(await facts().delete('a', { 'if-match': quoted('one') })).toMatchObject({ status: 404, code: 'NoSuchKey' });
    expect(await facts().delete('a', { 'if-match': '*' })).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    expect((await facts().delete('a')).status).toBe(204);
  });

  it('deletes many, each by its own tag', async () => {
    await facts().put('a', 'one');
    await facts().put('b', 'two');
    const object = (name: string, tag: string) => `<Object><Key>${facts().key(name)}</Key><ETag>${tag}</ETag></Object>`;
    const body = `<Delete>${object('a', md5('zero'))}${object('b', md5('two'))}</Delete>`;
    const answer = await facts().send({ method: 'POST', query: { delete: '' }, body });
    expect([answer.status, elementOf(answer.body, 'Code')]).toEqual([200, 'PreconditionFailed']);
    expect([await facts().text('a'), await facts().text('b')]).toEqual(['one', undefined]);
  });

  it('completes an upload under either condition, and keeps the upload when it is refused', async () => {
    await facts().put('a', 'one');
    const uploadId = await facts().startUpload('a');
    const parts = [[1, tagOf(await facts().uploadPart('a', uploadId, 1, 'two'))]] as const;
    const complete = (headers: Readonly<Record<string, string>>) => facts().completeUpload('a', uploadId, parts, headers);
    expect(await complete({ 'if-none-match': '*' })).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    expect(await complete({ 'if-match': quoted('zero') })).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    const done = await complete({ 'if-match': quoted('one') });
    expect([done.status, elementOf(done.body, 'ETag')]).toEqual([200, `"${md5OfParts(['two'])}"`]);
    expect(await complete({})).toMatchObject({ status: 404, code: 'NoSuchUpload' });
    expect(await facts().text('a')).toBe('two');
  });

  it('answers 404 to completing with If-Match where there is nothing', async () => {
    const uploadId = await facts().startUpload('a');
    const parts = [[1, tagOf(await facts().uploadPart('a', uploadId, 1, 'two'))]] as const;
    expect(await facts().completeUpload('a', uploadId, parts, { 'if-match': quoted('one') })).toMatchObject({ status: 404, code: 'NoSuchKey' });
  });

  it('completes some of the parts, but in order only', async () => {
    const uploadId = await facts().startUpload('a');
    const tags = [tagOf(await facts().uploadPart('a', uploadId, 1, 'x')), tagOf(await facts().uploadPart('a', uploadId, 2, 'y'))] as const;
    expect(await facts().completeUpload('a', uploadId, [[2, tags[1]], [1, tags[0]]])).toMatchObject({ status: 400, code: 'InvalidPartOrder' });
    expect((await facts().completeUpload('a', uploadId, [[2, tags[1]]])).status).toBe(200);
    expect(await facts().text('a')).toBe('y');
  });

  it('copies under conditions on source and target', async () => {
    await facts().put('a', 'one');
    await facts().put('b', 'two');
    expect(await facts().copy('a', 'b', { 'if-none-match': '*' })).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    expect(await facts().copy('a', 'b', { 'if-match': quoted('zero') })).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    expect(await facts().copy('a', 'c', { 'x-amz-copy-source-if-match': quoted('zero') })).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    expect(await facts().text('c')).toBeUndefined();
    expect((await facts().copy('a', 'b', { 'if-match': quoted('two'), 'x-amz-copy-source-if-match': quoted('one') })).status).toBe(200);
    expect((await facts().copy('a', 'c', { 'if-none-match': '*' })).status).toBe(200);
  });

  it('verifies x-amz-checksum-sha256, keeps it, and tells it to those who ask', async () => {
    expect(await facts().put('a', 'one', { 'x-amz-checksum-sha256': sha256('two') })).toMatchObject({ status: 400, code: 'BadDigest' });
    expect(await facts().text('a')).toBeUndefined();
    await facts().put('a', 'one', { 'x-amz-checksum-sha256': sha256('one') });
    expect((await facts().head('a')).headers['x-amz-checksum-sha256']).toBeUndefined();
    expect((await facts().get('a', { 'x-amz-checksum-mode': 'ENABLED' })).headers).toMatchObject({
      'x-amz-checksum-sha256': sha256('one'),
      'x-amz-checksum-type': 'FULL_OBJECT',
    });
  });

  it('tells encryption and storage class', async () => {
    await facts().put('a', 'one', { 'x-amz-server-side-encryption': 'AES256', 'x-amz-storage-class': 'STANDARD_IA' });
    expect((await facts().head('a')).headers).toMatchObject({ 'x-amz-server-side-encryption': 'AES256', 'x-amz-storage-class': 'STANDARD_IA' });
  });

  it('refuses more than 2 KB of metadata', async () => {
    expect(await facts().put('a', 'one', { 'x-amz-meta-a': 'v'.repeat(2048) })).toMatchObject({ status: 400, code: 'MetadataTooLarge' });
  });

  it('tells the region to those who sign for another one', async () => {
    const other = opened.client({ region: 'eu-west-1' });
    const refused = await other.send({ method: 'GET', bucket: 'test', key: 'a' });
    expect([refused.status, refused.code, elementOf(refused.body, 'Region')]).toEqual([400, 'AuthorizationHeaderMalformed', 'us-east-1']);
  });

  it('sends clients to the region a bucket is in', async () => {
    opened.server.moveBucket('test', 'eu-west-1');
    const redirected = await facts().head('a');
    expect([redirected.status, redirected.headers['x-amz-bucket-region']]).toEqual([301, 'eu-west-1']);
    const other = opened.client({ region: 'eu-west-1' });
    expect((await other.send({ method: 'PUT', bucket: 'test', key: 'a', body: 'one' })).status).toBe(200);
  });

  it('tells continuation tokens nobody can guess, and takes no other', async () => {
    await facts().put('a', 'one');
    await facts().put('b', 'two');
    const page = await facts().list({ 'max-keys': '1' });
    expect(page.token).not.toContain('/');
    expect(await facts().list({ 'continuation-token': page.token ?? '' })).toMatchObject({ keys: ['b'], isTruncated: false });
    expect((await facts().list({ 'continuation-token': facts().key('a') })).answer).toMatchObject({ status: 400, code: 'InvalidArgument' });
  });

  it('rolls up what is left of a prefix after a key within it', async () => {
    for (const name of ['b/1', 'b/2', 'c']) await facts().put(name, 'x');
    expect(await facts().list({ 'start-after': facts().key('b/1'), delimiter: '/' })).toMatchObject({ keys: ['c'], prefixes: ['b/'] });
  });

  it('obeys conditions on buckets with versions; a marker is nothing', async () => {
    opened.server.bucket().setVersioning('Enabled');
    await facts().put('a', 'one');
    expect((await facts().put('a', 'two', { 'if-none-match': '*' })).status).toBe(412);
    const marker = await facts().delete('a', { 'if-match': quoted('one') });
    expect(await facts().put('a', 'two', { 'if-match': quoted('one') })).toMatchObject({ status: 404 });
    const versionId = String(marker.headers['x-amz-version-id']);
    expect(await facts().send({ method: 'GET', key: facts().key('a'), query: { versionId } })).toMatchObject({ status: 405, code: 'MethodNotAllowed' });
    expect((await facts().put('a', 'two', { 'if-none-match': '*' })).status).toBe(200);
    expect(opened.server.bucket().versions(facts().key('a')).map(({ isDeleteMarker }) => isDeleteMarker)).toEqual([false, true, false]);
  });

  it('answers 409 to a writer that was overtaken, where it is told to', async () => {
    opened.server.variant = { ...opened.server.variant, lostRace: 'conflict' };
    await facts().put('a', 'one');
    opened.server.before('PutObject', () => void opened.server.bucket().put(facts().key('a'), 'outsider'), { times: 1 });
    expect(await facts().put('a', 'two', { 'if-match': quoted('one') })).toMatchObject({ status: 409, code: 'ConditionalRequestConflict' });
    expect(await facts().put('a', 'two', { 'if-match': quoted('one') })).toMatchObject({ status: 412, code: 'PreconditionFailed' });
  });
});
