/** Sentences about Ceph's radosgw 16.2: single writes, deletes and copies, and their conditions. */

import { createHash } from 'node:crypto';

import { expect, it } from '@jest/globals';

import { type Facts, md5, tagOf } from './facts.js';
import { elementOf } from './signed-request.js';

/** Conditions of PutObject. */
export function describePuts(facts: () => Facts): void {
  it('answers the MD5 as the tag, in quotes, on PUT, HEAD and GET', async () => {
    const answers = [await facts().put('a', 'one'), await facts().head('a'), await facts().get('a')];
    expect(answers.map(({ headers }) => headers.etag)).toEqual(Array(3).fill(`"${md5('one')}"`));
  });

  it('creates a free key with If-None-Match: *, and refuses a taken one with 412', async () => {
    expect((await facts().put('free', 'one', { 'if-none-match': '*' })).status).toBe(200);
    expect(await facts().put('free', 'two', { 'if-none-match': '*' })).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    expect(await facts().text('free')).toBe('one');
  });

  it('compares any other If-None-Match with the bare tag, an asterisk in quotes too', async () => {
    await facts().put('other', 'one');
    expect((await facts().put('other', 'two', { 'if-none-match': '"*"' })).status).toBe(200);
    expect((await facts().put('other', 'three', { 'if-none-match': `"${md5('two')}"` })).status).toBe(200);
    expect((await facts().put('other', 'four', { 'if-none-match': md5('three') })).status).toBe(412);
    expect((await facts().put('other', 'five', { 'if-none-match': md5('four') })).status).toBe(200);
    expect(await facts().text('other')).toBe('five');
  });

  it('replaces with If-Match and the bare tag, and refuses a stale one with 412', async () => {
    await facts().put('bare', 'one');
    expect((await facts().put('bare', 'two', { 'if-match': md5('one') })).status).toBe(200);
    expect(await facts().put('bare', 'three', { 'if-match': md5('one') })).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    expect(await facts().text('bare')).toBe('two');
  });

  it('never takes a tag in quotes for the right one', async () => {
    await facts().put('quoted', 'one');
    expect((await facts().put('quoted', 'two', { 'if-match': `"${md5('one')}"` })).status).toBe(412);
    expect(await facts().text('quoted')).toBe('one');
  });

  it('looks at the start of If-Match only', async () => {
    await facts().put('start', 'one');
    expect((await facts().put('start', 'two', { 'if-match': md5('one').slice(0, 10) })).status).toBe(412);
    expect((await facts().put('start', 'two', { 'if-match': `${md5('one')}-and-more` })).status).toBe(200);
  });

  it('takes If-Match: * for "there must be something"', async () => {
    await facts().put('any', 'one');
    expect((await facts().put('any', 'two', { 'if-match': '*' })).status).toBe(200);
    expect((await facts().put('nothing', 'two', { 'if-match': '*' })).status).toBe(412);
    expect(await facts().text('nothing')).toBeUndefined();
  });

  it('answers 412 to If-Match where there is nothing', async () => {
    expect((await facts().put('missing', 'one', { 'if-match': md5('one') })).status).toBe(412);
    expect(await facts().text('missing')).toBeUndefined();
  });

  it('compares the tag of an object put in parts as well', async () => {
    const uploadId = await facts().startUpload('parts');
    const part = await facts().uploadPart('parts', uploadId, 1, 'x');
    await facts().completeUpload('parts', uploadId, [[1, tagOf(part)]]);
    const tag = tagOf(await facts().head('parts'));
    expect((await facts().put('parts', 'y', { 'if-match': tag })).status).toBe(200);
  });
}

/** What is refused or swallowed of a body's hashes (INV-27), and bodies that break off (T41). */
export function describeContent(facts: () => Facts): void {
  it('refuses a body that does not hash to what was signed, and stores nothing', async () => {
    const answer = await facts().send({ method: 'PUT', key: facts().key('signed'), body: 'one', payloadHash: '0'.repeat(64) });
    expect(answer).toMatchObject({ status: 400, code: 'XAmzContentSHA256Mismatch' });
    expect(await facts().text('signed')).toBeUndefined();
  });

  it('takes an unsigned body', async () => {
    expect((await facts().send({ method: 'PUT', key: facts().key('unsigned'), body: 'one', payloadHash: 'UNSIGNED-PAYLOAD' })).status).toBe(200);
  });

  it('refuses a body that does not hash to Content-MD5, and stores nothing', async () => {
    const other = createHash('md5').update('other').digest('base64');
    expect(await facts().put('md5', 'one', { 'content-md5': other })).toMatchObject({ status: 400, code: 'BadDigest' });
    expect(await facts().put('md5', 'one', { 'content-md5': 'junk' })).toMatchObject({ status: 400, code: 'InvalidDigest' });
    expect(await facts().text('md5')).toBeUndefined();
  });

  it('swallows x-amz-checksum-sha256: neither checked nor kept', async () => {
    const other = createHash('sha256').update('other').digest('base64');
    expect((await facts().put('checksum', 'one', { 'x-amz-checksum-sha256': other })).status).toBe(200);
    const head = await facts().get('checksum', { 'x-amz-checksum-mode': 'ENABLED' });
    expect(head.headers['x-amz-checksum-sha256']).toBeUndefined();
  });

  it('makes no object of a body that breaks off (T41)', async () => {
    const body = Buffer.alloc(100_000, 'x');
    const broken = facts().send({ method: 'PUT', key: facts().key('broken'), body, breakAfterBytes: 50_000 });
    await expect(broken).rejects.toThrow('broken off on purpose');
    await facts().put('afterwards', 'one');
    expect(await facts().text('broken')).toBeUndefined();
  });

  it('refuses keys of more than 1,024 bytes', async () => {
    const long = facts().key('').padEnd(1024, 'k');
    expect((await facts().send({ method: 'PUT', key: long, body: 'one' })).status).toBe(200);
    expect(await facts().send({ method: 'PUT', key: `${long}k`, body: 'one' })).toMatchObject({ status: 400, code: 'InvalidObjectName' });
  });

  it('refuses encryption and storage classes it does not have', async () => {
    expect((await facts().put('sse', 'one', { 'x-amz-server-side-encryption': 'AES256' })).status).toBe(400);
    expect(await facts().put('class', 'one', { 'x-amz-storage-class': 'NO_SUCH' })).toMatchObject({ status: 400, code: 'InvalidArgument' });
    expect((await facts().put('class', 'one', { 'x-amz-storage-class': 'STANDARD' })).status).toBe(200);
    expect((await facts().head('class')).headers['x-amz-storage-class']).toBe('STANDARD');
  });
}

/** DeleteObject and DeleteObjects. */
export function describeDeletes(facts: () => Facts): void {
  it('deletes whatever If-Match says', async () => {
    await facts().put('guarded', 'one');
    expect((await facts().delete('guarded', { 'if-match': '"00"' })).status).toBe(204);
    expect(await facts().text('guarded')).toBeUndefined();
  });

  it('deletes what is not there', async () => {
    expect((await facts().delete('never')).status).toBe(204);
  });

  it('deletes many at once, whatever tags are given along', async () => {
    await facts().put('m1', 'one');
    await facts().put('m2', 'two');
    const object = (name: string, more = '') => `<Object><Key>${facts().key(name)}</Key>${more}</Object>`;
    const body = `<Delete><Quiet>true</Quiet>${object('m1')}${object('m2', '<ETag>"00"</ETag>')}${object('m3')}</Delete>`;
    const answer = await facts().send({ method: 'POST', query: { delete: '' }, body });
    expect([answer.status, elementOf(answer.body, 'Error'), elementOf(answer.body, 'Deleted')]).toEqual([200, undefined, undefined]);
    expect([await facts().text('m1'), await facts().text('m2')]).toEqual([undefined, undefined]);
  });
}

/** CopyObject. */
export function describeCopies(facts: () => Facts): void {
  it('keeps metadata unless given anew, and answers the tag without quotes', async () => {
    await facts().put('source', 'one', { 'x-amz-meta-x': '1', 'content-type': 'text/x' });
    const answer = await facts().copy('source', 'kept');
    expect([answer.status, elementOf(answer.body, 'ETag')]).toEqual([200, md5('one')]);
    await facts().copy('source', 'anew', { 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-y': '2' });
    expect((await facts().head('kept')).headers).toMatchObject({ 'x-amz-meta-x': '1', 'content-type': 'text/x' });
    const anew = (await facts().head('anew')).headers;
    expect([anew['x-amz-meta-x'], anew['x-amz-meta-y'], anew['content-type']]).toEqual([undefined, '2', 'binary/octet-stream']);
  });

  it('obeys x-amz-copy-if-match on the source, in quotes or bare, and ignores AWS\'s header', async () => {
    await facts().put('source', 'one');
    expect((await facts().copy('source', 'c1', { 'x-amz-copy-if-match': '"00"' })).status).toBe(412);
    expect(await facts().text('c1')).toBeUndefined();
    expect((await facts().copy('source', 'c1', { 'x-amz-copy-if-match': `"${md5('one')}"` })).status).toBe(200);
    expect((await facts().copy('source', 'c2', { 'x-amz-copy-if-match': md5('one') })).status).toBe(200);
    expect((await facts().copy('source', 'c3', { 'x-amz-copy-source-if-match': '"00"' })).status).toBe(200);
  });

  it('ignores conditions on the target', async () => {
    await facts().put('source', 'one');
    await facts().put('target', 'two');
    expect((await facts().copy('source', 'target', { 'if-none-match': '*' })).status).toBe(200);
    expect((await facts().copy('source', 'target', { 'if-match': md5('two') })).status).toBe(200);
    expect(await facts().text('target')).toBe('one');
  });

  it('answers 404 where there is no source, and 400 to a copy onto itself that changes nothing', async () => {
    await facts().put('source', 'one');
    expect(await facts().copy('never', 'c4')).toMatchObject({ status: 404, code: 'NoSuchKey' });
    expect(await facts().copy('source', 'source')).toMatchObject({ status: 400, code: 'InvalidRequest' });
    expect((await facts().copy('source', 'source', { 'x-amz-metadata-directive': 'REPLACE' })).status).toBe(200);
  });

  it('keeps the tag of an object put in parts', async () => {
    const uploadId = await facts().startUpload('parts');
    const part = await facts().uploadPart('parts', uploadId, 1, 'x');
    await facts().completeUpload('parts', uploadId, [[1, tagOf(part)]]);
    await facts().copy('parts', 'copied');
    expect(tagOf(await facts().head('copied'))).toBe(tagOf(await facts().head('parts')));
  });
}

/** Races, decided by the server alone (INV-17): exactly one wins, and what it wrote is what is stored. */
export function describeRaces(facts: () => Facts, rounds: number): void {
  it.each([2, 8])('lets exactly one of %d win who replace the same version', async (writers) => {
    for (let round = 0; round < rounds; round++) {
      const name = `cas-${writers}-${round}`;
      await facts().put(name, 'base');
      const answers = await race(name, writers, { 'if-match': md5('base') });
      expectOneWinner(answers);
      expect(await facts().text(name)).toBe(`writer ${answers.findIndex(({ status }) => status === 200)}`);
    }
  });

  it.each([2, 8])('lets exactly one of %d win who create the same key', async (writers) => {
    for (let round = 0; round < rounds; round++) {
      const name = `create-${writers}-${round}`;
      const answers = await race(name, writers, { 'if-none-match': '*' });
      expectOneWinner(answers);
      expect(answers.filter(({ status }) => status === 412)).toHaveLength(writers - 1);
      expect(await facts().text(name)).toBe(`writer ${answers.findIndex(({ status }) => status === 200)}`);
    }
  });

  function race(name: string, writers: number, headers: Readonly<Record<string, string>>) {
    return Promise.all(Array.from({ length: writers }, (_value, index) => facts().put(name, `writer ${index}`, headers)));
  }

  function expectOneWinner(answers: readonly { readonly status: number; readonly code: string | undefined }[]): void {
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status, code } of answers) {
      if (status !== 200) expect(['412 PreconditionFailed', '500 UnknownError']).toContain(`${status} ${code}`);
    }
  }
}
