import { createHash } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import { ROOT } from '@wl/domain';

import { Authorization } from './authorization.js';
import { createWebdavBackend } from './create-webdav-backend.js';
import { COLLECTION, multistatusOf, responseOf, startCannedServer } from './testing/canned-server.js';
import { realClock } from './testing/open-webdav.js';

const mufasa = { login: 'Mufasa', password: 'Circle of Life' };
const CNONCE = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
const challenge = (algorithm: string): string =>
  `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;

describe('authorization', () => {
  // RFC 7616, 3.9.1.
  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('answers a %s challenge as the standard does', (algorithm, response) => {
    const authorization = new Authorization(mufasa, () => CNONCE);
    expect(authorization.headerFor('GET', '/dir/index.html')).toBeUndefined();
    expect(authorization.accept([challenge(algorithm)])).toBe(true);
    const header = authorization.headerFor('GET', '/dir/index.html') ?? '';
    for (const part of [`response="${response}"`, 'nc=00000001', 'qop=auth', 'username="Mufasa"', `algorithm=${algorithm}`]) expect(header).toContain(part);
    expect(header).not.toContain('Circle');
    expect(authorization.headerFor('GET', '/dir/index.html')).toContain('nc=00000002');
  });

  it('takes the better of two challenges, and a fresh nonce once', () => {
    const authorization = new Authorization(mufasa, () => CNONCE);
    expect(authorization.accept([`${challenge('MD5')}`, challenge('SHA-256'), 'Basic realm="x"'])).toBe(true);
    expect(authorization.headerFor('GET', '/')).toContain('algorithm=SHA-256');
    expect(authorization.accept([challenge('SHA-256')])).toBe(false);
    expect(authorization.accept([challenge('SHA-256').replace('7ypf', 'next')])).toBe(true);
  });

  it('answers the old kind without qop, and none that asks for more than it can', () => {
    const authorization = new Authorization({ login: 'a"b', password: 'p' });
    expect(authorization.accept(['Digest realm="r", nonce="n"'])).toBe(true);
    const hash = (text: string): string => createHash('md5').update(text).digest('hex');
    const header = authorization.headerFor('GET', '/x') ?? '';
    expect(header).toContain(`response="${hash(`${hash('a"b:r:p')}:n:${hash('GET:/x')}`)}"`);
    expect(header).toContain('username="a\\"b"');
    expect(new Authorization(mufasa).accept(['Digest realm="r", nonce="n", qop="auth-int"'])).toBe(false);
    expect(new Authorization(mufasa).accept(['Negotiate'])).toBe(false);
    expect(new Authorization(undefined).accept(['Basic realm="x"'])).toBe(false);
  });

  it('gives a password to nobody who has not asked, and to no other server', async () => {
    const other = await startCannedServer((_request, response) => Boolean(response.writeHead(200).end()));
    let isAsking = true;
    const server = await startCannedServer((request, response) => {
      if (request.url === '/dav/moved/') response.writeHead(301, { location: `${other.url}moved/` }).end();
      else if (isAsking && request.headers.authorization === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="wl"' }).end();
      else response.writeHead(207).end(multistatusOf(responseOf('/dav/', COLLECTION), responseOf('/dav/moved/', COLLECTION)));
      return true;
    });
    const backend = createWebdavBackend({ backendId: 'dav', url: server.url, credentials: { login: 'ann', password: 'hunter2' } }, { clock: realClock, env: {} });
    try {
      await backend.open();
      expect(server.requests.map(({ authorization }) => authorization)).toEqual([undefined, `Basic ${Buffer.from('ann:hunter2').toString('base64')}`]);
      isAsking = false;
      const reasons: string[] = [];
      for await (const batch of backend.list(ROOT)) reasons.push(...batch.reasons.values());
      expect(reasons).toEqual(['read-error']);
      expect(other.requests).toEqual([]);
    } finally {
      await backend.close();
      await server.close();
      await other.close();
    }
  });
});
