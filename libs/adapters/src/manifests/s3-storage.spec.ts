import { describe, expect, it } from '@jest/globals';

import { parseEndpointUrl, parseS3Url, parseServerSideEncryption, s3Overlap, s3PlaceOf, type S3Place } from './s3-storage.js';

const SECRET = 'hunter2hunter2';

describe('an S3 URL', () => {
  it.each([
    ['s3://bucket', 'bucket', '', 's3://bucket/'],
    ['s3://bucket/', 'bucket', '', 's3://bucket/'],
    ['S3://my.old_Bucket/a', 'my.old_Bucket', 'a/', 's3://my.old_Bucket/a/'],
    ['s3://bucket/a/b c/', 'bucket', 'a/b c/', 's3://bucket/a/b c/'],
    ['s3://bucket/100%25?x#y', 'bucket', '100%25?x#y/', 's3://bucket/100%25?x#y/'],
  ])('%s is taken apart', (url, bucket, prefix, whole) => {
    expect(parseS3Url(url)).toEqual({ ok: true, value: { bucket, prefix, url: whole } });
  });

  it.each([
    ['', 'is no S3 URL'],
    ['bucket/path', 'is no S3 URL'],
    ['https://bucket.s3.amazonaws.com/path', 'is no S3 URL'],
    ['s3:bucket', 'is no S3 URL'],
    ['s3://', 'names no bucket'],
    ['s3:///path', 'names no bucket'],
    ['s3://bucket:9000/path', 'credentials and ports have no place in it'],
    ['s3://a/path', 'cannot be the name of a bucket'],
    ['s3://-bucket-/path', 'cannot be the name of a bucket'],
    ['s3://127.0.0.1/path', 'is no IP address'],
    ['s3://a..b/path', 'cannot be the name of a bucket'],
    ['s3://my bucket/path', 'cannot be the name of a bucket'],
    ['s3://bucket//', 'an empty part'],
    ['s3://bucket/a//b', 'an empty part'],
    ['s3://bucket/a/../b', "'..'"],
    ['s3://bucket/./a', "'.'"],
    ['s3://bucket/a\nb', 'control characters'],
    ['s3://bucket/photos/.wl/trash', 'wl keeps for itself'],
    [`s3://bucket/${'x'.repeat(800)}`, 'too little room'],
  ])('%j is refused in a sentence', (url, message) => {
    const parsed = parseS3Url(url);
    expect(parsed.ok ? parsed.value : parsed.error.message).toContain(message);
  });

  it.each([`s3://AKIA:${SECRET}@bucket/path`, `s3://${SECRET}@bucket`, `s3://AKIA:${SECRET}/more@bucket`, `https://AKIA:${SECRET}@host/b`, `https://host/b?X-Amz-Signature=${SECRET}`])(
    '%s is refused without being repeated',
    (url) => {
      const parsed = parseS3Url(url);
      expect(JSON.stringify(parsed)).toMatch(/"ok":false/);
      expect(JSON.stringify(parsed)).not.toContain(SECRET);
    },
  );
});

describe('an endpoint', () => {
  it.each([
    ['http://127.0.0.1:7480', 'http://127.0.0.1:7480'],
    ['https://S3.Example.org:443/', 'https://s3.example.org'],
    ['http://[::1]:9000', 'http://[::1]:9000'],
  ])('%s is kept as %s', (url, kept) => {
    expect(parseEndpointUrl(url)).toEqual({ ok: true, value: kept });
  });

  it.each([
    ['s3.example.org', 'begins with https://'],
    ['localhost:9000', 'begins with https://'],
    ['ftp://s3.example.org', 'begins with https://'],
    ['http://', 'no such address'],
    ['http://host:port', 'no such address'],
    ['https://s3.example.org/bucket', 'bucket and path belong into s3://'],
    ['https://s3.example.org?x=1', 'bucket and path belong into s3://'],
    [`https://ann:${SECRET}@s3.example.org`, 'credentials have no place'],
  ])('%s is refused in a sentence', (url, message) => {
    const parsed = parseEndpointUrl(url);
    expect(parsed.ok ? parsed.value : parsed.error.message).toContain(message);
    expect(JSON.stringify(parsed)).not.toContain(SECRET);
  });
});

describe('the place of an S3 storage', () => {
  const prefixOf = (fields: object): string => {
    const place = s3PlaceOf({ type: 's3', ...fields });
    return place.ok ? place.value.prefix : place.error.message;
  };

  it.each([undefined, null, '', 'p/q', '/p/q', 'p/q/', '/p/q/'])('W-49: is below the path of the URL once, with a base_url of %j', (base) => {
    expect(prefixOf({ s3_url: 's3://bucket/p/q/', base_url: base })).toBe('p/q/');
  });

  it.each([
    ['s3://bucket/p/', 'q', 'p/q/'],
    ['s3://bucket/', 'p/', 'p/'],
    ['s3://bucket/p/', 'p/p', 'p/p/p/'],
  ])('W-49: %s with another base_url %s is %s', (url, base, prefix) => {
    expect(prefixOf({ s3_url: url, base_url: base })).toBe(prefix);
  });

  it('is refused where base_url leads out of it', () => {
    expect(prefixOf({ s3_url: 's3://bucket/p/', base_url: '../q' })).toContain("'..'");
  });

  it('knows its server', () => {
    expect(s3PlaceOf({ type: 's3', s3_url: 's3://bucket/p', endpoint_url: 'http://Host/' })).toEqual({
      ok: true,
      value: { bucket: 'bucket', prefix: 'p/', url: 's3://bucket/p/', endpoint: 'http://host' },
    });
    expect(s3PlaceOf({ type: 's3', s3_url: 's3://bucket/p', endpoint_url: null })).toMatchObject({ value: { endpoint: undefined } });
    expect(s3PlaceOf({ type: 's3', s3_url: 's3://bucket/p', endpoint_url: 'host' }).ok).toBe(false);
  });
});

describe('two places in buckets', () => {
  const place = (prefix: string, endpoint?: string, bucket = 'bucket'): S3Place => ({ bucket, prefix, url: '', endpoint });

  it.each<[string, S3Place, S3Place, string]>([
    ['one prefix', place('a/'), place('a/'), 'same'],
    ['one below the other', place('a/'), place('a/b/'), 'nested'],
    ['the whole bucket and a part of it', place(''), place('a/'), 'nested'],
    ['names that begin alike', place('a/'), place('ab/'), 'apart'],
    ['two buckets', place('a/'), place('a/', undefined, 'other'), 'apart'],
    ['two servers', place('a/', 'http://one'), place('a/', 'http://two'), 'apart'],
    ['AWS by default and by name', place('a/'), place('a/', 'https://s3.eu-central-1.amazonaws.com'), 'same'],
    ['AWS and another server', place('a/'), place('a/', 'https://s3.example.org'), 'apart'],
  ])('%s: %j and %j are %s', (_, one, other, overlap) => {
    expect(s3Overlap(one, other)).toBe(overlap);
    expect(s3Overlap(other, one)).toBe(overlap);
  });
});

describe('server-side encryption', () => {
  it.each([['aes256', 'AES256'], ['AES256', 'AES256'], ['aws:kms', 'aws:kms'], ['aws:kms:arn:aws:kms:eu:1:key/2', 'aws:kms:arn:aws:kms:eu:1:key/2']])('%s is kept as %s', (wanted, kept) => {
    expect(parseServerSideEncryption(wanted)).toEqual({ ok: true, value: kept });
  });

  it.each(['', 'rot13', 'aws:kms:', 'aws:kms:a b', 'aws:s3'])('%j is refused', (wanted) => {
    expect(parseServerSideEncryption(wanted).ok).toBe(false);
  });
});
