/** Removing from a bucket that keeps versions. */

import { describe, expect, it } from '@jest/globals';

import { VERSIONED } from '../testing/memory-bucket.js';
import { LostReply, unreachable } from '../testing/memory-s3-api.js';
import { openBucket, openMachine } from '../testing/open-writing.js';
import { at } from '../testing/servers.js';

import { versionedDelete } from './versioned-delete.js';

const KEY = 'file';

describe('removing from a bucket with versions', () => {
  it('lays a marker over the version expected', async () => {
    const { bucket } = openBucket(VERSIONED);
    const { etag } = bucket.put(KEY, 'old');
    expect(await versionedDelete(openMachine(bucket).context, KEY, etag)).toBe('done');
    expect([bucket.text(KEY), bucket.versions.get(KEY)?.length]).toEqual([undefined, 2]);
  });

  it('INV-17: leaves another version alone, and answers stale where nothing is', async () => {
    const { bucket } = openBucket(VERSIONED);
    const { etag } = bucket.put(KEY, 'old');
    const { context } = openMachine(bucket);
    bucket.put(KEY, 'theirs');
    expect(await versionedDelete(context, KEY, etag)).toBe('stale');
    expect(bucket.text(KEY)).toBe('theirs');
    bucket.remove(KEY);
    expect(await versionedDelete(context, KEY, etag)).toBe('stale');
    expect(await versionedDelete(context, 'missing', etag)).toBe('stale');
  });

  it('INV-5: what others write at any moment shows in the end', async () => {
    for (let number = 1; number <= 3; number += 1) {
      for (const moment of ['before', 'after'] as const) {
        const { bucket } = openBucket(VERSIONED);
        const { etag } = bucket.put(KEY, 'old');
        const { context, api } = openMachine(bucket);
        api.hook = at(number, moment, () => void bucket.put(KEY, 'theirs'));
        const outcome = await versionedDelete(context, KEY, etag);
        expect([number, moment, bucket.text(KEY)]).toEqual([number, moment, 'theirs']);
        const isBefore = number === 1 || (number === 2 && moment === 'before');
        expect([number, moment, outcome]).toEqual([number, moment, isBefore ? 'stale' : 'done']);
      }
    }
  });

  it('INV-18: takes a removal for done whose answer was lost, and one that others made', async () => {
    for (const lost of [new LostReply(), unreachable()]) {
      const { bucket } = openBucket(VERSIONED);
      const { etag } = bucket.put(KEY, 'old');
      const { context, api } = openMachine(bucket);
      api.hook = at(2, 'after', () => { throw lost; });
      expect(await versionedDelete(context, KEY, etag)).toBe('done');
      expect(bucket.versions.get(KEY)).toHaveLength(2);
    }
    const { bucket } = openBucket(VERSIONED);
    const { etag } = bucket.put(KEY, 'old');
    const { context, api } = openMachine(bucket);
    api.hook = at(2, 'before', () => void bucket.remove(KEY));
    expect(await versionedDelete(context, KEY, etag)).toBe('done');
  });

  it('INV-18: takes no marker away that may be another machine\'s', async () => {
    const { bucket } = openBucket(VERSIONED);
    const { etag } = bucket.put(KEY, 'old');
    const { context, api } = openMachine(bucket);
    api.hook = ({ method, moment }) => {
      if (method !== 'deleteObject') return;
      if (moment === 'before') {
        bucket.put(KEY, 'theirs');
        bucket.remove(KEY);
      }
      throw unreachable();
    };
    await expect(versionedDelete(context, KEY, etag)).rejects.toMatchObject({ kind: 'unreachable' });
    expect(bucket.text(KEY)).toBeUndefined();
  });
});
