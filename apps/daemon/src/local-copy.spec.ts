/** The syncer `local-copy` between two directories; blocks are shared where the test's file system can do that, else by a stand-in. */

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { localCopySyncer } from '@wl/adapters/local-fs';
import { createDisk, loadNative } from '@wl/adapters/local-fs/testing';

import { describeDedicatedSyncer, SyncerRig, type SyncerWorld } from './testing/dedicated-suite.js';
import { localHands } from './testing/local-hands.js';

interface LocalWorld extends SyncerWorld {
  /** How often blocks were shared. */
  readonly shared: () => number;
}

/** `clone`: `copies` is what sharing looks like from outside; `refuses` is a file system that cannot. */
async function openWorld(clone: 'copies' | 'refuses' | 'is full'): Promise<LocalWorld> {
  const at = fs.mkdtempSync(path.join(tmpdir(), 'wl-local-copy-'));
  const disk = createDisk(loadNative({ ownsThread: false }));
  let act: (() => void) | undefined;
  let shared = 0;
  const interfere = (): void => {
    const now = act;
    act = undefined;
    now?.();
  };
  const deps = () => ({
    disk: {
      ...disk,
      clone: (from: number, to: number): boolean => {
        interfere();
        if (clone === 'is full') throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', errno: -28 });
        if (clone === 'refuses') return false;
        shared += 1;
        fs.writeSync(to, fs.readFileSync(`/proc/self/fd/${String(from)}`));
        return true;
      },
    },
  });
  return {
    definition: localCopySyncer,
    source: localHands(path.join(at, 'source'), 'source', deps),
    target: localHands(path.join(at, 'target'), 'target', deps),
    inMidCopy: (wanted) => void (act = wanted),
    shared: () => shared,
    close: async () => void execFileSync('rm', ['-rf', at]),
  };
}

describeDedicatedSyncer('local-copy where blocks can be shared', () => openWorld('copies'));
describeDedicatedSyncer('local-copy where they cannot', () => openWorld('refuses'));

describe('local-copy', () => {
  it('shares the blocks of small files too, which the generic syncer writes', async () => {
    for (const isGeneric of [false, true]) {
      const world = await openWorld('copies');
      const rig = new SyncerRig(world);
      world.source.write('a', 'small');
      world.source.write('b', 'x'.repeat(100_000));
      await rig.once({}, { isGeneric });
      expect([world.target.read('a'), world.shared()]).toEqual(['small', isGeneric ? 1 : 2]);
      await rig.close();
    }
  });

  it('reports a full disk and leaves nothing behind', async () => {
    const world = await openWorld('is full');
    const rig = new SyncerRig(world);
    world.source.write('a', 'small');
    expect((await rig.once()).problems).toMatchObject([{ path: 'a', side: 'target', reason: 'no-space' }]);
    expect([world.target.files(), world.target.leftovers()]).toEqual([[], []]);
    await rig.close();
  });
});
