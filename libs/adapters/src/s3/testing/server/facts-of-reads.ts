/** Sentences about Ceph's radosgw 16.2: reads, listings, versions and signatures. */

import { expect, it } from '@jest/globals';

import { type Facts, type ListedPage, md5 } from './facts.js';
import { elementOf, elementsOf, openRawClient, type RawAnswer } from './signed-request.js';

/** GetObject and HeadObject. */
export function describeReads(facts: () => Facts): void {
  it('gives back user metadata and content headers, with dashes for underscores in names', async () => {
    const sent = { 'x-amz-meta-mtime': '1700000000.5', 'x-amz-meta-a_b': 'c', 'content-type': 'text/x', 'cache-control': 'no-cache' };
    await facts().put('meta', 'one', sent);
    const { headers } = await facts().head('meta');
    expect(headers).toMatchObject({ 'x-amz-meta-mtime': '1700000000.5', 'x-amz-meta-a-b': 'c', 'content-type': 'text/x', 'cache-control': 'no-cache' });
    expect(headers['content-length']).toBe('3');
  });

  it.each([
    ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
    ['bytes=4-', 206, '456789', 'bytes 4-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
  ])('answers Range: %s with %d', async (range, status, text, contentRange) => {
    await facts().put('digits', '0123456789');
    const answer = await facts().get('digits', { range });
    expect([answer.status, answer.body.toString(), answer.headers['content-range']]).toEqual([status, text, contentRange]);
  });

  it('answers 416 to a range beyond the end, and to any range of an empty object', async () => {
    await facts().put('digits', '0123456789');
    await facts().put('empty', '');
    expect(await facts().get('digits', { range: 'bytes=10-' })).toMatchObject({ status: 416, code: 'InvalidRange' });
    expect(await facts().get('empty', { range: 'bytes=0-' })).toMatchObject({ status: 416, code: 'InvalidRange' });
  });

  it('obeys If-Match on GET, in quotes or bare, with a range too; not an asterisk', async () => {
    await facts().put('digits', '0123456789');
    const tag = md5('0123456789');
    const statusOf = async (match: string) => (await facts().get('digits', { 'if-match': match, range: 'bytes=2-3' })).status;
    expect([await statusOf(`"${tag}"`), await statusOf(tag), await statusOf('"00"'), await statusOf('*'), await statusOf(`W/"${tag}"`)]).toEqual([206, 206, 412, 412, 412]);
  });

  it('answers 304 to If-None-Match with the current tag', async () => {
    await facts().put('digits', '0123456789');
    expect((await facts().get('digits', { 'if-none-match': `"${md5('0123456789')}"` })).status).toBe(304);
    expect((await facts().get('digits', { 'if-none-match': '"00"' })).status).toBe(200);
  });

  it('answers 404 for what is not there', async () => {
    expect((await facts().head('never')).status).toBe(404);
    expect(await facts().get('never')).toMatchObject({ status: 404, code: 'NoSuchKey' });
  });

  it('answers NoSuchBucket for a bucket that is not there', async () => {
    const missing = { bucket: 'no-such-bucket-of-ours' };
    expect(await facts().send({ method: 'GET', query: { 'list-type': '2' }, ...missing })).toMatchObject({ status: 404, code: 'NoSuchBucket' });
    expect(await facts().send({ method: 'PUT', key: 'x', body: 'x', ...missing })).toMatchObject({ status: 404, code: 'NoSuchBucket' });
  });
}

/** Names that are awkward in URLs, XML or order. */
const awkward = ['sp ace', 'plus+sign', 'per%2Fcent', 'q?uery', 'ha#sh', 'am&p', 'quo"te', "ap'os", '<lt>', '(star)*', 'a//b', './dot', 'a/../b', '..', 'trail ', 'tab\tin', 'new\nline', 'cr\rin', 'ctl\u0001x', 'e\u0301', '\u00e9', '日本語', '\uFF5E', '\u{1F600}', 'dir/', 'dir', 'dir/x'];

/** ListObjectsV2. */
export function describeListings(facts: () => Facts): void {
  it('lists awkward names in the order of UTF-8 bytes, and each can be read', async () => {
    for (const name of awkward) await facts().put(name, name);
    const { keys } = await facts().list();
    expect(keys).toEqual([...awkward].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    for (const name of awkward) expect(await facts().text(name)).toBe(name);
  });

  it('encodes keys on demand, slashes too', async () => {
    for (const name of awkward) await facts().put(name, 'x');
    const { answer } = await facts().list({ 'encoding-type': 'url' });
    const raw = elementsOf(answer.body, 'Key');
    expect(raw.map((key) => decodeURIComponent(key).slice(facts().key('').length)).sort()).toEqual([...awkward].sort());
    expect(raw.every((key) => key.includes('%2F'))).toBe(true);
  });

  it('tells continuation tokens as bare keys, never encoded, not even with encoding-type=url', async () => {
    for (const name of ['ctl\u0001', 'ctl\u0002']) await facts().put(name, 'x');
    const page = await facts().list({ 'encoding-type': 'url', 'max-keys': '1' });
    expect([page.isTruncated, page.token]).toEqual([true, facts().key('ctl\u0001')]);
    expect(page.answer.body.toString()).toContain('ctl&#x01;</NextContinuationToken>');
    expect((await facts().list({ 'continuation-token': page.token ?? '' })).keys).toEqual(['ctl\u0002']);
  });

  it('gives 1,000 keys a page at most, without gap or repetition', async () => {
    const names = Array.from({ length: 1005 }, (_value, index) => `p/${String(index).padStart(5, '0')}`);
    await inParallel(names, (name) => facts().put(name, ''));
    const first = await facts().list({ 'max-keys': '5000' });
    const second = await facts().list({ 'max-keys': '5000', 'continuation-token': first.token ?? '' });
    expect([first.keys.length, first.isTruncated, second.isTruncated]).toEqual([1000, true, false]);
    expect([...first.keys, ...second.keys]).toEqual(names);
  });

  it('rolls keys up to their delimiter, across pages', async () => {
    for (const name of ['a', 'b/1', 'b/2', 'b0', 'c/1']) await facts().put(name, 'x');
    const whole = await facts().list({ delimiter: '/' });
    expect([whole.keys, whole.prefixes]).toEqual([['a', 'b0'], ['b/', 'c/']]);
    expect((await pages(facts(), { delimiter: '/', 'max-keys': '1' })).map((page) => [...page.keys, ...page.prefixes])).toEqual([['a'], ['b/'], ['b0'], ['c/']]);
  });

  it('starts after a key; with a delimiter, after the whole prefix that the key is in', async () => {
    for (const name of ['b/1', 'b/2', 'c']) await facts().put(name, 'x');
    expect((await facts().list({ 'start-after': facts().key('b/1') })).keys).toEqual(['b/2', 'c']);
    const rolled = await facts().list({ 'start-after': facts().key('b/1'), delimiter: '/' });
    expect([rolled.keys, rolled.prefixes]).toEqual([['c'], []]);
  });

  it('says tags in quotes, sizes, and times with milliseconds', async () => {
    await facts().put('told', 'one');
    const { answer } = await facts().list();
    expect([elementOf(answer.body, 'ETag'), elementOf(answer.body, 'Size')]).toEqual([`"${md5('one')}"`, '3']);
    expect(elementOf(answer.body, 'LastModified')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('lists what was just written, and no longer what was just deleted', async () => {
    for (let round = 0; round < 20; round++) {
      await facts().put(`now-${round}`, 'x');
      expect((await facts().list()).keys).toEqual([`now-${round}`]);
      await facts().delete(`now-${round}`);
    }
    expect((await facts().list()).keys).toEqual([]);
  });
}

/** A bucket with versions: its conditions are broken. */
export function describeVersions(facts: () => Facts): void {
  const versionOf = (answer: RawAnswer) => String(answer.headers['x-amz-version-id']);
  const at = (name: string, versionId: string, method = 'GET') => facts().send({ method, key: facts().key(name), query: { versionId } });

  it('says that it keeps versions', async () => {
    const answer = await facts().send({ method: 'GET', query: { versioning: '' } });
    expect(elementOf(answer.body, 'Status')).toBe('Enabled');
  });

  it('ignores If-None-Match, and never takes If-Match for fulfilled', async () => {
    await facts().put('v', 'one');
    expect((await facts().put('v', 'two', { 'if-none-match': '*' })).status).toBe(200);
    expect((await facts().put('v', 'three', { 'if-match': md5('two') })).status).toBe(412);
    expect((await facts().put('v', 'three', { 'if-match': '*' })).status).toBe(412);
    expect(await facts().text('v')).toBe('two');
  });

  it('keeps every version, and covers them with a marker that can be taken away', async () => {
    const [one, two] = [await facts().put('v', 'one'), await facts().put('v', 'two')];
    const marker = await facts().delete('v');
    expect(marker.headers['x-amz-delete-marker']).toBe('true');
    expect(await facts().get('v')).toMatchObject({ status: 404, code: 'NoSuchKey' });
    expect((await at('v', versionOf(one))).body.toString()).toBe('one');
    expect((await at('v', versionOf(two))).body.toString()).toBe('two');
    expect((await at('v', versionOf(marker), 'DELETE')).status).toBe(204);
    expect(await facts().text('v')).toBe('two');
  });

  it('lists versions and markers, the latest first', async () => {
    const [one, two] = [await facts().put('v', 'one'), await facts().put('v', 'two')];
    const marker = await facts().delete('v');
    const { body } = await facts().send({ method: 'GET', query: { versions: '', prefix: facts().key('v') } });
    const groups = body.toString().match(/<(Version|DeleteMarker)>.*?<\/\1>/gs) ?? [];
    const described = groups.map((group) => [group.startsWith('<D'), elementOf(Buffer.from(group), 'VersionId'), elementOf(Buffer.from(group), 'IsLatest')]);
    expect(described).toEqual(expect.arrayContaining([[true, versionOf(marker), 'true'], [false, versionOf(two), 'false'], [false, versionOf(one), 'false']]));
    expect(described.filter(([isMarker]) => isMarker === false).map(([, id]) => id)).toEqual([versionOf(two), versionOf(one)]);
  });

  it('knows a marker and a version that is not there alike: 404 NoSuchKey', async () => {
    await facts().put('v', 'one');
    const marker = await facts().delete('v');
    expect(await at('v', versionOf(marker))).toMatchObject({ status: 404, code: 'NoSuchKey' });
    expect(await at('v', 'no-such-version')).toMatchObject({ status: 404, code: 'NoSuchKey' });
  });

  it('copies an old version', async () => {
    const one = await facts().put('v', 'one');
    await facts().put('v', 'two');
    const source = `/${facts().bucket}/${facts().key('v')}?versionId=${versionOf(one)}`;
    expect((await facts().send({ method: 'PUT', key: facts().key('old'), headers: { 'x-amz-copy-source': source } })).status).toBe(200);
    expect(await facts().text('old')).toBe('one');
  });
}

/** Who may ask, and when. */
export function describeSignatures(facts: () => Facts): void {
  it.each([
    ['an unknown access key', { accessKey: 'nobody' }, '403 InvalidAccessKeyId'],
    ['a wrong secret', { secretKey: 'wrong' }, '403 SignatureDoesNotMatch'],
  ])('refuses %s', async (_what, change, expected) => {
    const other = openRawClient({ ...facts().client.target, ...change });
    const { status, code } = await other.send({ method: 'GET', bucket: facts().bucket, key: facts().key('never') });
    other.close();
    expect(`${status} ${code}`).toBe(expected);
  });

  it('takes a signature for any region', async () => {
    const other = openRawClient({ ...facts().client.target, region: 'eu-nowhere-9' });
    expect(await other.send({ method: 'GET', bucket: facts().bucket, key: facts().key('never') })).toMatchObject({ status: 404, code: 'NoSuchKey' });
    other.close();
  });

  it.each([-20, 20])('refuses a clock that is off by %d minutes', async (minutes) => {
    const at = new Date(Date.now() + minutes * 60_000);
    expect(await facts().send({ method: 'GET', key: facts().key('never'), at })).toMatchObject({ status: 403, code: 'RequestTimeTooSkewed' });
  });
}

async function pages(facts: Facts, query: Readonly<Record<string, string>>): Promise<readonly ListedPage[]> {
  const found = [await facts.list(query)];
  for (let last = found.at(-1); last?.token !== undefined; last = found.at(-1)) {
    found.push(await facts.list({ ...query, 'continuation-token': last.token }));
  }
  return found;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
