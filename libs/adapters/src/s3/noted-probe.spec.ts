/** Trying what an endpoint can do leaves nothing behind, also when it is broken off. */

import { describe, expect, it } from '@jest/globals';

import { notedProbe } from './noted-probe.js';
import { AWS, CEPH, VERSIONED, MemoryBucket, type Manners } from './testing/memory-bucket.js';
import { MemoryS3Api } from './testing/memory-s3-api.js';
import { memoryNotes } from './testing/open-s3.js';

describe.each([
  ['AWS', AWS],
  ['Ceph', CEPH],
  ['a bucket with versions', VERSIONED],
] as const)('trying on %s', (_name, manners: Manners) => {
  const open = () => {
    let serial = 0;
    const bucket = new MemoryBucket(manners, () => 0);
    const notes = memoryNotes();
    const tryAll = (api: MemoryS3Api) => notedProbe(api, '.wl/', () => `id-${String((serial += 1))}`, notes);
    const traces = () => ({ objects: bucket.keys(), uploads: [...bucket.uploads.values()].map(({ key }) => key), note: notes.get('probing') });
    return { bucket, tryAll, traces };
  };
  const NOTHING = { objects: [], uploads: [], note: undefined };

  it('and being killed after any request leaves nothing once it is tried again', async () => {
    for (let last = 1, isOver = false; !isOver; last += 1) {
      const { bucket, tryAll, traces } = open();
      const dying = new MemoryS3Api(bucket);
      dying.hook = ({ number, moment }) => {
        if (number > last || (number === last && moment === 'after')) throw new Error('killed');
      };
      isOver = await tryAll(dying).then(
        () => true,
        () => false,
      );
      if (!isOver && last > 1) expect(traces()).not.toEqual(NOTHING);
      await tryAll(new MemoryS3Api(bucket));
      expect(traces()).toEqual(NOTHING);
    }
  });
});
