/** The driver against a real server: the port's conformance suite, in plain and versioned buckets, and what was proved of it. */

import { randomUUID } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import { describeReadOnlyBackend, describeStorageBackend } from '@wl/ports/testing';

import { probe } from './probe.js';
import { openOnRealServer, realBucket } from './testing/open-real-server.js';

describeStorageBackend('S3Backend on a real server', () => openOnRealServer('plain'));
describeStorageBackend('S3Backend on a real server that keeps versions', () => openOnRealServer('versioned'));
describeReadOnlyBackend('S3Backend on a real server', () => openOnRealServer('plain', { readOnly: true }));

describe('probing a real server', () => {
  it('INV-26: comes to the same result each time and leaves nothing behind', async () => {
    const { api } = await realBucket('plain');
    const area = `probed-${randomUUID()}/`;
    const [first, second] = [await probe(api, area, randomUUID), await probe(api, area, randomUUID)];
    expect(second).toEqual(first);
    expect((await api.list({ prefix: area })).objects).toEqual([]);
  });

  it('INV-26: has found out what Ceph is known to do', async () => {
    // Another server may be named for these tests; what is known of Ceph is known of none else.
    if ((process.env['WL_S3_KIND'] ?? 'ceph') !== 'ceph') return;
    const { abilities } = await realBucket('plain');
    expect(abilities).toMatchObject({ createsIfAbsent: true, replacesIfMatch: 'bare', deletesIfMatch: false, completesConditionally: false, verifiesContent: true });
    expect((await realBucket('versioned')).abilities).toMatchObject({ createsIfAbsent: false, replacesIfMatch: 'no', isVersioned: true });
  });
});
