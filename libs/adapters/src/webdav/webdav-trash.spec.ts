/** The end of what is kept on a server: told by the server's clock alone (INV-5, INV-22, T34). */

import { afterEach, describe, expect, it } from '@jest/globals';

import { Transport } from '../http/transport.js';
import { davArea } from './area.js';
import { Authorization } from './authorization.js';
import { DavApi } from './dav-api.js';
import { DavClient } from './dav-client.js';
import { DavLocation } from './dav-location.js';
import { COLLECTION, multistatusOf, responseOf, startCannedServer, type CannedServer } from './testing/canned-server.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW_MS = Date.parse('2026-06-01T13:00:00Z');

let server: CannedServer | undefined;
let api: DavApi | undefined;
afterEach(async () => {
  await api?.close();
  await server?.close();
});

/** A server that says when names in each directory of ours last changed: days ago, or not at all. */
async function purged(machineMs: number, directories: Readonly<Record<string, number | undefined>>, date: string = new Date(NOW_MS).toUTCString()): Promise<string[]> {
  server = await startCannedServer((request, response) => {
    if (request.method === 'DELETE') return response.writeHead(204).end() !== undefined;
    const within = request.url ?? '';
    const entries = Object.entries(directories).filter(([path]) => `/dav/.wl/${path}`.startsWith(within));
    const rows = entries.map(([path, days]) =>
      responseOf(`/dav/.wl/${path}/`, COLLECTION + (days === undefined ? '' : `<D:getlastmodified>${new Date(NOW_MS - days * DAY_MS).toUTCString()}</D:getlastmodified>`)),
    );
    response.sendDate = false;
    response.writeHead(207, { ...(date !== '' && { date }), 'content-type': 'application/xml' }).end(multistatusOf(responseOf(within, COLLECTION), ...rows));
    return true;
  });
  const location = DavLocation.parse(server.url);
  if (!location.ok) throw new Error(location.error);
  const clock = { nowMs: () => machineMs, monotonicMs: () => 0, sleep: () => Promise.resolve() };
  api = new DavApi(new DavClient({ origin: location.value.origin, transport: new Transport({}), authorization: new Authorization(undefined), clock }), location.value);
  await davArea(api, clock).purge(30, new AbortController().signal);
  return server.requests.filter(({ line }) => line.startsWith('DELETE')).map(({ line }) => decodeURIComponent(line.slice('DELETE /dav/.wl/'.length))).sort();
}

const STAGED = '1780000000000-00000000-0000-4000-8000-000000000000';
const STAGED_LONG_AGO = '0800000000000-00000000-0000-4000-8000-000000000001';

describe('INV-5, INV-22, T34: what is kept on a server', () => {
  it.each([
    ['right', NOW_MS],
    ['ten years ahead', NOW_MS + 3650 * DAY_MS],
    ['ten years behind', NOW_MS - 3650 * DAY_MS],
  ])('goes once the server has had it for long enough, and no sooner, whatever its name says (a clock that is %s)', async (_name, machineMs) => {
    const gone = await purged(machineMs, {
      'trash/2016-06-01T13Z': 29,
      'trash/2026-05-01T13Z': 31,
      'trash/2036-06-01T13Z': 31,
      'trash/of somebody': 300,
      [`staging/${STAGED_LONG_AGO}`]: 6,
      [`staging/${STAGED}`]: 8,
      'staging/of somebody': 300,
    });
    expect(gone).toEqual([`staging/${STAGED}/`, 'trash/2026-05-01T13Z/', 'trash/2036-06-01T13Z/']);
  });

  it.each([
    ['when it was changed', undefined, undefined],
    ['what time it is', 300, ''],
  ])('stays where the server does not say %s', async (_name, days, date) => {
    expect(await purged(NOW_MS, { 'trash/2016-06-01T13Z': days }, date)).toEqual([]);
  });
});
