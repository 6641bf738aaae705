import { describe, expect, it } from '@jest/globals';

import { parseS3Location, type S3Location } from './s3-location.js';

function locate(url: string, more: { endpointUrl?: string; pathStyle?: boolean } = {}): S3Location {
  const location = parseS3Location({ url, ...more });
  if (!location.ok) throw new Error(location.error);
  return location.value;
}

function refusal(url: string, more: { endpointUrl?: string; pathStyle?: boolean } = {}): string {
  const location = parseS3Location({ url, ...more });
  return location.ok ? 'accepted' : location.error;
}

describe('parseS3Location', () => {
  it('reads a bucket, with and without a path, the path once', () => {
    expect(locate('s3://photos')).toEqual({ bucket: 'photos', keyPrefix: '', endpointOrigin: undefined, isPathStyle: false, displayUrl: 's3://photos' });
    expect(locate('s3://photos/')).toMatchObject({ keyPrefix: '', displayUrl: 's3://photos' });
    expect(locate('s3://photos/a/b')).toMatchObject({ keyPrefix: 'a/b/', displayUrl: 's3://photos/a/b' });
    expect(locate('s3://photos/a/b/')).toMatchObject({ keyPrefix: 'a/b/', displayUrl: 's3://photos/a/b' });
  });

  it('INV-35: takes percent signs, question marks and hashes of the path as they stand', () => {
    expect(locate('s3://photos/50%/a%20b?c#d').keyPrefix).toBe('50%/a%20b?c#d/');
  });

  it.each(['s3://photos//', 's3://photos//a', 's3://photos/a//b', 's3://photos/a//'])('refuses %s', (url) => {
    expect(refusal(url)).toContain('may not contain "//"');
  });

  it.each(['s3://photos/.', 's3://photos/..', 's3://photos/a/../b', 's3://photos/./a'])('INV-34: refuses %s', (url) => {
    expect(refusal(url)).toContain('"." or ".."');
  });

  it.each(['s3://', 's3://a', 's3:///a', 's3://-a-', 's3://a..b', 's3://10.0.0.1', 's3://mein bucket', 's3://ümlaut', `s3://${'a'.repeat(256)}`])('refuses %s: no bucket name', (url) => {
    expect(refusal(url)).toContain('is no bucket name');
  });

  it('refuses other schemes, control characters, broken Unicode and paths that leave no room', () => {
    expect(refusal('https://photos')).toContain('reads s3://bucket');
    expect(refusal('s3://photos/a\nb')).toContain('control characters');
    expect(refusal('s3://photos/\ud800')).toContain('broken Unicode');
    expect(refusal(`s3://photos/${'ä'.repeat(451)}`)).toContain('900 bytes');
  });

  it('does not repeat what may be a password', () => {
    expect(refusal('s3://key:hunter2@photos')).not.toContain('hunter2');
    expect(refusal('s3://photos', { endpointUrl: 'https://key:hunter2@host' })).toMatch(/may not hold a user or password/);
  });

  it('puts the bucket into the path of an endpoint of its own, and into the host name of AWS', () => {
    expect(locate('s3://photos', { endpointUrl: 'http://localhost:7480/' })).toMatchObject({ endpointOrigin: 'http://localhost:7480', isPathStyle: true });
    expect(locate('s3://photos', { endpointUrl: 'https://s3.example', pathStyle: false })).toMatchObject({ isPathStyle: false });
    expect(locate('s3://photos', { pathStyle: true })).toMatchObject({ isPathStyle: true });
  });

  it.each(['my.photos', 'My-Photos', 'my_photos'])('uses path style for %s, which makes no host name', (bucket) => {
    expect(locate(`s3://${bucket}`).isPathStyle).toBe(true);
    expect(refusal(`s3://${bucket}`, { pathStyle: false })).toContain('use path style');
  });

  it('refuses a bucket before an address', () => {
    expect(refusal('s3://photos', { endpointUrl: 'http://127.0.0.1:9000', pathStyle: false })).toContain('use path style');
    expect(refusal('s3://photos', { endpointUrl: 'http://[::1]:9000', pathStyle: false })).toContain('use path style');
  });

  it.each([
    ['nonsense', 'reads https://host'],
    ['ftp://host', 'begins with https://'],
    ['https://host/path', 'names a host and a port only'],
    ['https://host/?a=b', 'names a host and a port only'],
  ])('refuses the endpoint %s', (endpointUrl, sentence) => {
    expect(refusal('s3://photos', { endpointUrl })).toContain(sentence);
  });
});
