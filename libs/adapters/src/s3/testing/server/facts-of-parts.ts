/** Sentences about Ceph's radosgw 16.2: uploads in parts. */

import { randomBytes } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { type Facts, md5, md5OfParts, tagOf } from './facts.js';
import { elementOf, elementsOf } from './signed-request.js';

const fiveMebibytes = 5 * 1024 * 1024;

/** Uploads in parts. */
export function describeParts(facts: () => Facts): void {
  /** An upload of one part, ready to be completed. */
  async function uploadOfOne(name: string, body: string): Promise<{ readonly uploadId: string; readonly parts: readonly (readonly [number, string])[] }> {
    const uploadId = await facts().startUpload(name);
    const part = await facts().uploadPart(name, uploadId, 1, body);
    return { uploadId, parts: [[1, tagOf(part)]] };
  }

  it('puts parts together that came in any order, and answers an empty tag', async () => {
    const bodies = [randomBytes(fiveMebibytes), randomBytes(fiveMebibytes), randomBytes(1000)] as const;
    const uploadId = await facts().startUpload('three', { 'x-amz-meta-a': 'b', 'content-type': 'text/x' });
    const tags = new Map<number, string>();
    for (const index of [2, 0, 1]) tags.set(index + 1, tagOf(await facts().uploadPart('three', uploadId, index + 1, bodies[index] as Buffer)));
    expect([...tags.values()].sort()).toEqual(bodies.map(md5).sort());
    expect((await facts().head('three')).status).toBe(404);
    const answer = await facts().completeUpload('three', uploadId, [...tags].sort(([a], [b]) => a - b));
    expect([answer.status, elementOf(answer.body, 'ETag')]).toEqual([200, '']);
    const read = await facts().get('three');
    expect(read.body.equals(Buffer.concat(bodies))).toBe(true);
    expect([tagOf(read), read.headers['x-amz-meta-a'], read.headers['content-type']]).toEqual([md5OfParts(bodies), 'b', 'text/x']);
  });

  it('ignores both conditions on completing', async () => {
    await facts().put('taken', 'first');
    const second = await uploadOfOne('taken', 'second');
    expect((await facts().completeUpload('taken', second.uploadId, second.parts, { 'if-none-match': '*' })).status).toBe(200);
    const third = await uploadOfOne('taken', 'third');
    expect((await facts().completeUpload('taken', third.uploadId, third.parts, { 'if-match': md5('first') })).status).toBe(200);
    expect(await facts().text('taken')).toBe('third');
  });

  it('refuses parts below 5 MiB but for the last', async () => {
    const uploadId = await facts().startUpload('small');
    const tags = [tagOf(await facts().uploadPart('small', uploadId, 1, 'a')), tagOf(await facts().uploadPart('small', uploadId, 2, 'b'))] as const;
    expect(await facts().completeUpload('small', uploadId, [[1, tags[0]], [2, tags[1]]])).toMatchObject({ status: 400, code: 'EntityTooSmall' });
    expect((await facts().head('small')).status).toBe(404);
  });

  it('refuses a wrong tag, a part that is not there, and a list that leaves parts out', async () => {
    const { uploadId, parts } = await uploadOfOne('wrong', 'a');
    expect(await facts().completeUpload('wrong', uploadId, [[1, md5('b')]])).toMatchObject({ status: 400, code: 'InvalidPart' });
    expect(await facts().completeUpload('wrong', uploadId, [[2, md5('a')]])).toMatchObject({ status: 400, code: 'InvalidPart' });
    await facts().uploadPart('wrong', uploadId, 2, 'b');
    expect(await facts().completeUpload('wrong', uploadId, parts)).toMatchObject({ status: 400, code: 'InvalidPart' });
    expect(await facts().completeUpload('wrong', uploadId, [])).toMatchObject({ status: 400, code: 'MalformedXML' });
  });

  it('takes a part again in place of the first', async () => {
    const { uploadId } = await uploadOfOne('again', 'a');
    const part = await facts().uploadPart('again', uploadId, 1, 'b');
    expect((await facts().completeUpload('again', uploadId, [[1, tagOf(part)]])).status).toBe(200);
    expect(await facts().text('again')).toBe('b');
  });

  it('completes again with success while the object is what it became (T36)', async () => {
    const { uploadId, parts } = await uploadOfOne('twice', 'a');
    await facts().completeUpload('twice', uploadId, parts);
    const again = await facts().completeUpload('twice', uploadId, parts);
    expect([again.status, elementOf(again.body, 'ETag')]).toEqual([200, md5OfParts(['a'])]);
  });

  it('answers 500 to completing again once the object is another or gone, and changes nothing', async () => {
    const { uploadId, parts } = await uploadOfOne('late', 'a');
    await facts().completeUpload('late', uploadId, parts);
    await facts().put('late', 'other');
    expect(await facts().completeUpload('late', uploadId, parts)).toMatchObject({ status: 500, code: 'InternalError' });
    expect(await facts().text('late')).toBe('other');
    await facts().delete('late');
    expect(await facts().completeUpload('late', uploadId, parts)).toMatchObject({ status: 500, code: 'InternalError' });
    expect(await facts().text('late')).toBeUndefined();
  });

  it('forgets an aborted upload', async () => {
    const { uploadId, parts } = await uploadOfOne('aborted', 'a');
    const abort = () => facts().send({ method: 'DELETE', key: facts().key('aborted'), query: { uploadId } });
    expect((await abort()).status).toBe(204);
    expect(await abort()).toMatchObject({ status: 404, code: 'NoSuchUpload' });
    expect(await facts().uploadPart('aborted', uploadId, 1, 'a')).toMatchObject({ status: 404, code: 'NoSuchUpload' });
    expect(await facts().send({ method: 'GET', key: facts().key('aborted'), query: { uploadId } })).toMatchObject({ status: 404, code: 'NoSuchKey' });
    expect(await facts().completeUpload('aborted', uploadId, parts)).toMatchObject({ status: 500, code: 'InternalError' });
  });

  it('lists parts and uploads under way, page by page', async () => {
    const { uploadId } = await uploadOfOne('listed', 'a');
    await facts().uploadPart('listed', uploadId, 2, 'bb');
    const list = (query: Readonly<Record<string, string>>) => facts().send({ method: 'GET', key: facts().key('listed'), query: { uploadId, ...query } });
    const whole = await list({});
    expect([elementsOf(whole.body, 'PartNumber'), elementsOf(whole.body, 'Size'), elementsOf(whole.body, 'ETag')]).toEqual([['1', '2'], ['1', '2'], [`"${md5('a')}"`, `"${md5('bb')}"`]]);
    const first = await list({ 'max-parts': '1' });
    expect([elementOf(first.body, 'IsTruncated'), elementOf(first.body, 'NextPartNumberMarker')]).toEqual(['true', '1']);
    expect(elementsOf((await list({ 'part-number-marker': '1' })).body, 'PartNumber')).toEqual(['2']);
    const uploads = await facts().send({ method: 'GET', query: { uploads: '', prefix: facts().key('') } });
    expect([elementsOf(uploads.body, 'Key'), elementsOf(uploads.body, 'UploadId')]).toEqual([[facts().key('listed')], [uploadId]]);
  });

  describe('made of an object that is there', () => {
    const source = randomBytes(fiveMebibytes + 1000);
    const range = (first: number, last: number): Readonly<Record<string, string>> => ({ 'x-amz-copy-source-range': `bytes=${String(first)}-${String(last)}` });

    /** An upload, and what makes parts of it of the object `source`. */
    async function uploadOfCopies(name: string) {
      await facts().put('source', source);
      const uploadId = await facts().startUpload(name);
      const copyPart = (partNumber: number, headers: Readonly<Record<string, string>>, from = 'source') =>
        facts().send({ method: 'PUT', key: facts().key(name), query: { partNumber: String(partNumber), uploadId }, headers: { 'x-amz-copy-source': `/${facts().bucket}/${facts().key(from)}`, ...headers } });
      return { uploadId, copyPart };
    }

    it('are the range, and their tag, which comes without quotes, is its MD5', async () => {
      const { uploadId, copyPart } = await uploadOfCopies('ranges');
      const answers = [await copyPart(1, range(1000, source.length - 1)), await copyPart(2, range(0, 999)), await copyPart(3, {})];
      const bytes = [source.subarray(1000), source.subarray(0, 1000), source];
      expect(answers.map(({ status, body }) => [status, elementOf(body, 'ETag')])).toEqual(bytes.map((part) => [200, md5(part)]));
      const listed = await facts().send({ method: 'GET', key: facts().key('ranges'), query: { uploadId } });
      expect([elementsOf(listed.body, 'Size'), elementsOf(listed.body, 'ETag')]).toEqual([bytes.map(({ length }) => String(length)), bytes.map((part) => `"${md5(part)}"`)]);
    });

    it('are put together with others as though they had been sent', async () => {
      const { uploadId, copyPart } = await uploadOfCopies('mixed');
      const copied = await copyPart(1, range(0, fiveMebibytes - 1));
      const sent = await facts().uploadPart('mixed', uploadId, 2, 'sent');
      const answer = await facts().completeUpload('mixed', uploadId, [[1, elementOf(copied.body, 'ETag') ?? ''], [2, tagOf(sent)]]);
      const read = await facts().get('mixed');
      expect([answer.status, tagOf(read)]).toEqual([200, md5OfParts([source.subarray(0, fiveMebibytes), 'sent'])]);
      expect(read.body.equals(Buffer.concat([source.subarray(0, fiveMebibytes), Buffer.from('sent')]))).toBe(true);
    });

    it('may be made of the object that the upload will replace', async () => {
      const { uploadId, copyPart } = await uploadOfCopies('source');
      const copied = await copyPart(1, range(500, 999));
      expect((await facts().completeUpload('source', uploadId, [[1, elementOf(copied.body, 'ETag') ?? '']])).status).toBe(200);
      expect((await facts().get('source')).body.equals(source.subarray(500, 1000))).toBe(true);
    });

    it('are made whatever version a condition asks for, in both spellings', async () => {
      const { copyPart } = await uploadOfCopies('conditions');
      for (const name of ['x-amz-copy-source-if-match', 'x-amz-copy-if-match']) expect((await copyPart(1, { ...range(0, 9), [name]: '"00"' })).status).toBe(200);
    });

    it('are refused where there is no source, or not all of the range', async () => {
      const { copyPart } = await uploadOfCopies('refused');
      expect(await copyPart(1, range(0, 9), 'never')).toMatchObject({ status: 404, code: 'NoSuchKey' });
      expect(await copyPart(1, range(0, source.length))).toMatchObject({ status: 416, code: 'InvalidRange' });
      expect(await copyPart(1, range(source.length, source.length + 9))).toMatchObject({ status: 416, code: 'InvalidRange' });
      expect(await copyPart(1, { 'x-amz-copy-source-range': 'some' })).toMatchObject({ status: 400, code: 'InvalidArgument' });
    });
  });

  it('refuses a part whose body does not hash to what was signed', async () => {
    const uploadId = await facts().startUpload('hash');
    const answer = await facts().send({ method: 'PUT', key: facts().key('hash'), query: { partNumber: '1', uploadId }, body: 'a', payloadHash: '0'.repeat(64) });
    expect(answer).toMatchObject({ status: 400, code: 'XAmzContentSHA256Mismatch' });
  });
}
