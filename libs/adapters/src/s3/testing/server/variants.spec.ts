/** Switches of the server, one by one: each changes what it says and nothing else. */

import { afterEach, describe, expect, it } from '@jest/globals';

import { md5 } from './facts.js';
import type { S3ServerOptions } from './server-options.js';
import { openServer, type OpenServer } from './testing-client.js';

describe('variants of the server', () => {
  let opened: OpenServer | undefined;
  const open = async (options: S3ServerOptions) => {
    opened = await openServer(options);
    return opened;
  };
  afterEach(() => opened?.close());

  it('ignores every condition as `ignoring`', async () => {
    const { facts } = await open({ preset: 'ignoring' });
    await facts.put('a', 'one');
    expect((await facts.put('a', 'two', { 'if-none-match': '*' })).status).toBe(200);
    expect((await facts.put('a', 'three', { 'if-match': '"00"' })).status).toBe(200);
    expect((await facts.copy('a', 'b', { 'if-match': '"00"' })).status).toBe(200);
    expect((await facts.delete('a', { 'if-match': '"00"' })).status).toBe(204);
    expect([await facts.text('a'), await facts.text('b')]).toEqual([undefined, 'three']);
  });

  it('answers 501 to conditional writes as `refusing`, and changes nothing', async () => {
    const { facts } = await open({ preset: 'refusing' });
    await facts.put('a', 'one');
    expect(await facts.put('b', 'two', { 'if-none-match': '*' })).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(await facts.put('a', 'two', { 'if-match': `"${md5('one')}"` })).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect([await facts.text('a'), await facts.text('b')]).toEqual(['one', undefined]);
  });

  it('believes anything as `fake`', async () => {
    const { facts, client } = await open({ preset: 'fake' });
    const stranger = client({ secretKey: 'wrong' });
    expect((await stranger.send({ method: 'PUT', bucket: 'test', key: facts.key('a'), body: 'one', payloadHash: '0'.repeat(64) })).status).toBe(200);
    expect(await facts.text('a')).toBe('one');
  });

  it('obeys conditions of PUT only as `putOnly`', async () => {
    const { facts } = await open({ preset: 'putOnly' });
    await facts.put('a', 'one');
    expect((await facts.put('a', 'two', { 'if-match': '"00"' })).status).toBe(412);
    expect((await facts.copy('a', 'a2', { 'if-match': '"00"' })).status).toBe(200);
    expect((await facts.delete('a', { 'if-match': '"00"' })).status).toBe(204);
  });

  it('answers every second lost race with 500 as `ceph`', async () => {
    const { facts, server } = await open({ preset: 'ceph' });
    server.bucket().put(facts.key('a'), 'one');
    let content = 0;
    server.before('PutObject', () => void server.bucket().put(facts.key('a'), `outsider ${(content += 1)}`));
    const statuses = [];
    for (let round = 0; round < 4; round++) statuses.push((await facts.put('a', 'two', { 'if-match': md5('one') })).status);
    expect(statuses).toEqual([500, 412, 500, 412]);
  });

  it.each([
    ['random', /^"[0-9a-f]{32}"$/],
    ['multipart', /^"[0-9a-f]{32}-1"$/],
  ] as const)('gives %s tags that are no MD5 of the content', async (tags, form) => {
    const { facts } = await open({ switches: { tags } });
    const [first, second] = [(await facts.put('a', 'one')).headers.etag, (await facts.put('a', 'one')).headers.etag];
    expect(first).toMatch(form);
    expect(first).not.toContain(md5('one'));
    expect(first === second).toBe(tags === 'multipart');
    expect((await facts.head('a')).headers.etag).toBe(second);
  });

  it('takes tags in quotes only where it is told to', async () => {
    const { facts } = await open({ switches: { matchesTags: 'quoted' } });
    await facts.put('a', 'one');
    expect((await facts.put('a', 'two', { 'if-match': md5('one') })).status).toBe(412);
    expect((await facts.put('a', 'two', { 'if-match': `"${md5('one')}"` })).status).toBe(200);
  });

  it.each([
    [{ quotesTags: false }, md5('one')],
    [{ tagDecoration: 'weak' }, `W/"${md5('one')}"`],
    [{ tagDecoration: 'gzip' }, `"${md5('one')}-gzip"`],
  ] as const)('tells tags of GET as with %j', async (switches, etag) => {
    const { facts } = await open({ switches });
    await facts.put('a', 'one');
    expect((await facts.get('a')).headers.etag).toBe(etag);
    expect((await facts.list()).answer.body.toString()).toContain(`<ETag>&quot;${md5('one')}&quot;</ETag>`);
  });

  it('gives short pages', async () => {
    const { facts } = await open({ switches: { pageSize: 2 } });
    for (const name of ['a', 'b', 'c']) await facts.put(name, 'x');
    expect(await facts.list()).toMatchObject({ keys: ['a', 'b'], isTruncated: true });
  });

  it('lists in the order of UTF-16 where it is told to', async () => {
    const names = ['\u{1F600}', '\uFF5E'];
    for (const [listOrder, expected] of [['utf16', names], ['utf8', names.toReversed()]] as const) {
      const { facts, close } = await openServer({ switches: { listOrder } });
      for (const name of names) await facts.put(name, 'x');
      expect((await facts.list()).keys).toEqual(expected);
      await close();
    }
  });

  it('has neither copies nor uploads in parts where it is told so', async () => {
    const { facts } = await open({ switches: { copies: false, uploadsInParts: false } });
    await facts.put('a', 'one');
    expect(await facts.copy('a', 'b')).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(await facts.send({ method: 'POST', key: 'a', query: { uploads: '' } })).toMatchObject({ status: 501, code: 'NotImplemented' });
  });

  it('keeps versions where it is told to, and changes its mind while it runs', async () => {
    const { facts, server } = await open({ versioned: true });
    expect((await facts.put('a', 'one')).headers['x-amz-version-id']).toBeDefined();
    server.variant = { ...server.variant, putIfAbsent: 'ignored' };
    expect((await facts.put('a', 'two', { 'if-none-match': '*' })).status).toBe(200);
    expect(server.bucket().versions(facts.key('a')).map(({ bytes }) => bytes.toString())).toEqual(['two', 'one']);
  });

  it('answers 409 to creating a bucket again where it is told to', async () => {
    const { facts } = await open({ switches: { ownedBucketStatus: 409 } });
    expect(await facts.send({ method: 'PUT' })).toMatchObject({ status: 409, code: 'BucketAlreadyOwnedByYou' });
  });
});
