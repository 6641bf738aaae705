/** Listings that servers, proxies and networks break: never an absence (INV-8, T01–T06, T37). */

import { afterEach, describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath as at } from '@wl/domain';
import { EntryKind, isBackendError, type StorageBackend } from '@wl/ports';

import { createWebdavBackend } from './create-webdav-backend.js';
import { parseMultistatus } from './multistatus.js';
import { COLLECTION, fileProperties, multistatusOf, responseOf, startCannedServer, type CannedServer } from './testing/canned-server.js';

const NOW = 'Mon, 01 Jun 2020 13:00:00 GMT';
const OWN = responseOf('/dav/', COLLECTION);
const SHA = 'a'.repeat(64);

let server: CannedServer | undefined;
let backend: StorageBackend | undefined;
afterEach(async () => {
  await backend?.close();
  await server?.close();
});

/** Opens a storage on a server that answers each `PROPFIND` by its path with a document, or a status. */
async function serve(answers: Readonly<Record<string, string | number>>, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  await backend?.close();
  await server?.close();
  server = await startCannedServer((request, response) => {
    const key = `${request.url ?? ''}${request.headers.depth === '0' ? '' : '*'}`;
    const answer = answers[key] ?? answers[request.url ?? ''];
    if (request.method !== 'PROPFIND' || answer === undefined) return false;
    if (typeof answer === 'number') response.writeHead(answer, { date: NOW, ...headers }).end();
    else response.writeHead(207, { date: NOW, 'content-type': 'application/xml', ...headers }).end(answer);
    return true;
  });
  // No pause of a repetition takes time.
  backend = createWebdavBackend({ backendId: 'dav', url: server.url }, { clock: { nowMs: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() }, env: {} });
}

interface Row {
  readonly kind: string;
  readonly token: string;
  readonly mtimeMs: number;
  readonly isRacy: boolean;
}

async function rows(): Promise<Record<string, Row>> {
  const found: Record<string, Row> = {};
  for await (const batch of backend!.list(ROOT)) {
    for (const [i, key] of batch.keys.entries()) {
      const kind = batch.reasons.get(i) ?? (batch.kinds[i] === EntryKind.file ? 'file' : 'directory');
      found[key] = { kind, token: batch.tokens[i] ?? '', mtimeMs: batch.mtimes[i] ?? NaN, isRacy: batch.racy[i] === 1 };
    }
  }
  return found;
}

const kinds = async (): Promise<Record<string, string>> => Object.fromEntries(Object.entries(await rows()).map(([key, { kind }]) => [key, kind]));

async function failure(act: Promise<unknown>): Promise<string> {
  const error = await act.then(() => undefined, (reason: unknown) => reason);
  if (!isBackendError(error)) throw new Error(`it did not fail as it should: ${String(error)}`);
  return error.code;
}

describe('a listing that is broken', () => {
  it('INV-8, T02: is none, cut at any byte', () => {
    const whole = Buffer.from(multistatusOf(OWN, responseOf('/dav/a', fileProperties()), responseOf('/dav/b/', COLLECTION)));
    const concern = { operation: 'list' };
    expect(parseMultistatus(whole, 0, concern)).toHaveLength(3);
    const end = whole.lastIndexOf('>') + 1;
    const believed = Array.from({ length: end }, (_, length) => length).filter((length) => {
      try {
        return parseMultistatus(whole.subarray(0, length), 0, concern).length >= 0;
      } catch (error) {
        return !isBackendError(error) || error.code !== 'damaged';
      }
    });
    expect(believed).toEqual([]);
  });

  it('INV-8, T02: is none, cut by the connection', async () => {
    await serve({ '/dav/': multistatusOf(OWN, responseOf('/dav/a', fileProperties())) }, { 'content-length': '100000' });
    const listing = failure(rows());
    while (server?.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await server?.close();
    expect(await listing).toBe('unreachable');
  });

  it.each<[string, string | number, string]>([
    ['a login page', '<html><body>Log in</body></html>', 'damaged'],
    ['no text', '\u0000', 'damaged'],
    ['an entity that swells', '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>', 'damaged'],
    ['two documents', `${multistatusOf(OWN)}${multistatusOf(OWN)}`, 'damaged'],
    ['one that does not tell of the directory', multistatusOf(responseOf('/dav/a', fileProperties())), 'damaged'],
    ['an empty one', multistatusOf(), 'damaged'],
    ['one of another directory', multistatusOf(OWN, responseOf('/other/a', fileProperties())), 'damaged'],
    ['one that goes deeper than asked for', multistatusOf(OWN, responseOf('/dav/a/b', fileProperties())), 'damaged'],
    ['one that climbs', multistatusOf(OWN, responseOf('/dav/../a', fileProperties())), 'damaged'],
    ['one that tells of an entry twice', multistatusOf(OWN, responseOf('/dav/a', fileProperties()), responseOf('/dav/%61', fileProperties())), 'damaged'],
    ['an entry without a name', multistatusOf(OWN, responseOf('', fileProperties())), 'damaged'],
    ['an error of the directory itself', multistatusOf('<D:response><D:href>/dav/</D:href><D:status>HTTP/1.1 403 Forbidden</D:status></D:response>'), 'permission-denied'],
    ['200 instead of 207', 200, 'io-error'],
    ['401', 401, 'unauthorized'],
    ['403', 403, 'permission-denied'],
    ['500', 500, 'io-error'],
    ['503', 503, 'unreachable'],
    ['a redirect', 302, 'unsupported'],
  ])('INV-8: is none: %s', async (_name, answer, code) => {
    await serve({ '/dav/': answer });
    expect(await failure(rows())).toBe(code);
  });

  it('INV-8: is none that the server stopped in the middle of, and says so', async () => {
    const full = '<D:response><D:href>/dav/</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>';
    await serve({ '/dav/': multistatusOf(OWN, responseOf('/dav/a', fileProperties()), full) });
    expect(await failure(rows())).toBe('damaged');
  });

  it('T04: is not-found where the folder is gone, and no path in it is absent', async () => {
    await serve({ '/dav/': 404 });
    expect(await failure(rows())).toBe('not-found');
    expect(await failure(backend!.stat(at('a')))).toBe('not-found');
    expect(await failure(backend!.getHashes([at('a')]))).toBe('not-found');
  });
});

describe('entries that cannot be observed', () => {
  it('INV-8: are in the listing with the reason: refused, locked, without a length, without a type', async () => {
    const refused = (name: string, status: number): string => `<D:response><D:href>/dav/${name}</D:href><D:status>HTTP/1.1 ${String(status)} X</D:status></D:response>`;
    await serve({
      '/dav/*': multistatusOf(
        OWN,
        refused('forbidden', 403),
        refused('gone', 404),
        refused('locked', 423),
        refused('broken', 500),
        responseOf('/dav/no-length', '<D:resourcetype/>'),
        responseOf('/dav/no-type', '<D:getcontentlength>5</D:getcontentlength>'),
        responseOf('/dav/no-version', fileProperties({ etag: '', modified: '' })),
        responseOf('/dav/hidden', fileProperties(), 403),
        responseOf('/dav/good', fileProperties()),
      ),
    });
    expect(await kinds()).toEqual({
      broken: 'read-error',
      forbidden: 'permission-denied',
      gone: 'vanished',
      good: 'file',
      hidden: 'permission-denied',
      locked: 'changing',
      'no-length': 'changing',
      'no-type': 'changing',
      'no-version': 'read-error',
    });
  });

  it('INV-8, T01: a directory that is refused is in the listing with the reason, and the others are listed', async () => {
    await serve({
      '/dav/*': multistatusOf(OWN, ...['a', 'b', 'c'].map((name) => responseOf(`/dav/${name}/`, COLLECTION))),
      '/dav/a/*': 403,
      '/dav/b/*': 404,
      '/dav/c/*': multistatusOf(responseOf('/dav/c/', COLLECTION), responseOf('/dav/c/x', fileProperties())),
    });
    expect(await kinds()).toEqual({ 'a/': 'permission-denied', 'b/': 'vanished', 'c/': 'directory', 'c/x': 'file' });
  });

  it('T75: names are decoded once, whole URLs are taken, and bytes that are no Unicode are reported', async () => {
    await serve({
      '/dav/*': multistatusOf(
        OWN,
        responseOf('http://somewhere:99/dav/%25%32%46', fileProperties()),
        responseOf('/dav/a%20b%26amp;&amp;c', fileProperties()),
        responseOf('/dav/%e4', fileProperties()),
        responseOf('/dav/.wl/', COLLECTION),
      ),
    });
    const names: string[] = [];
    const keys: string[] = [];
    for await (const batch of backend!.list(ROOT, { onUnrepresentable: ({ display }) => names.push(display) })) keys.push(...batch.keys);
    expect(keys).toEqual(['%2F', 'a b&amp;&c']);
    expect(names).toEqual(['\ufffd']);
  });
});

describe('versions', () => {
  const one = async (properties: string): Promise<Row> => {
    await serve({ '/dav/': multistatusOf(OWN, responseOf('/dav/a', properties)) });
    return (await rows())['a']!;
  };

  it('T37: a weak ETag, a packed one and a plain one are of one version; another is not', async () => {
    const { token } = await one(fileProperties());
    for (const etag of ['W/"v1"', '"v1-gzip"', 'W/"v1-gzip"', '"v1;br"']) expect((await one(fileProperties({ etag }))).token).toBe(token);
    expect((await one(fileProperties({ etag: '"v2"' }))).token).not.toBe(token);
  });

  it('T37: without an ETag time and size tell versions apart, and what changed within two seconds may be another', async () => {
    const settled = await one(fileProperties({ etag: '' }));
    const fresh = await one(fileProperties({ etag: '', modified: 'Mon, 01 Jun 2020 12:59:59 GMT' }));
    const future = await one(fileProperties({ etag: '', modified: 'Mon, 01 Jun 2020 14:00:00 GMT' }));
    expect([settled.isRacy, fresh.isRacy, future.isRacy]).toEqual([false, true, true]);
    expect(new Set([settled.token, fresh.token, future.token]).size).toBe(3);
    expect(settled.mtimeMs).toBe(Date.UTC(2020, 5, 1, 12));
  });

  it('INV-24: a note vouches for the version it names and for no other', async () => {
    const note = (etag: string): string => `<w:version xmlns:w="urn:wl:webdav">1 ${SHA} 5 1234.5 - ${etag}</w:version>`;
    expect((await one(fileProperties({ more: note('v1') }))).mtimeMs).toBe(1234.5);
    for (const [etag, more] of [['"v2"', note('v1')], ['"v1"', note('')], ['"v1"', '<w:version xmlns:w="urn:wl:webdav">1 x</w:version>']] as const) {
      expect((await one(fileProperties({ etag, more }))).mtimeMs).toBe(Date.UTC(2020, 5, 1, 12));
    }
    await serve({ '/dav/a': multistatusOf(responseOf('/dav/a', fileProperties({ more: note('v1') }))) });
    expect(await backend!.getHashes([at('a')])).toMatchObject([{ kind: 'hashed', node: { hash: SHA } }]);
    expect(server?.requests.map(({ line }) => line)).toEqual(['PROPFIND /dav/a']);
  });
});
