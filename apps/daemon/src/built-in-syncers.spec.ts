/** Which of the syncers that the daemon has serves which kind of job, beside a plugin's. */

import { describe, expect, it } from '@jest/globals';
import { localCopySyncer } from '@wl/adapters/local-fs';
import { MemoryBackend, MemoryTree } from '@wl/adapters/memory';
import { MemoryState } from '@wl/adapters/memory-state';
import { rsyncSyncer } from '@wl/adapters/rsync';
import { s3CopySyncer } from '@wl/adapters/s3';
import { err, ok } from '@wl/domain';
import { chooseSyncer, genericSyncer, SyncerRegistry } from '@wl/engine';
import { BUILT_IN_SYNCERS, type SyncerDefinition } from '@wl/ports';
import { ManualClock } from '@wl/ports/testing';

const clock = new ManualClock();
const BOTH = [false, true];
/** CONTINUOUS, ONE_SHOT, UNIDIRECTIONAL and REQUIRES_MOUNT of a plugin's syncer. */
const SIXTEEN = BOTH.flatMap((a) => BOTH.flatMap((b) => BOTH.flatMap((c) => BOTH.map((d) => [a, b, c, d] as const))));

function storage(backendId: string): MemoryBackend {
  const backend = new MemoryBackend(new MemoryTree({ id: backendId, clock }), { backendId, type: 'local' });
  // As a local storage has one; nobody puts anything into it here.
  return Object.assign(backend, { inbox: {} });
}

/** The registry as the daemon fills it; rsync is installed or not. */
function builtIn(hasRsync: boolean): SyncerRegistry {
  const registry = new SyncerRegistry();
  const generic = genericSyncer({ cache: new MemoryState(), clock, watch: (watched) => watched.watcher()! });
  const rsync = rsyncSyncer({ searchPath: undefined, find: () => (hasRsync ? '/usr/bin/rsync' : undefined) });
  for (const syncer of [generic, s3CopySyncer, rsync, localCopySyncer]) registry.register(syncer);
  return registry;
}

interface Asked {
  readonly continuous: boolean;
  readonly unidirectional: boolean;
  readonly isMounted: boolean;
  readonly syncer?: string;
  readonly hasRsync?: boolean;
  readonly plugin?: SyncerDefinition['traits'];
}

async function choose({ continuous, unidirectional, isMounted, syncer, hasRsync = true, plugin }: Asked) {
  const registry = builtIn(hasRsync);
  if (plugin !== undefined) registry.register({ traits: plugin, origin: 'wl-plugin@1.0.0', create: () => { throw new Error('only chosen'); } });
  const args = { source: { type: 'local' }, target: { type: 'local' }, continuous, unidirectional, ...(syncer !== undefined && { syncer }) };
  const findMount = async () => (isMounted ? ok('/mnt/somewhere') : err('is not mounted'));
  const choice = await chooseSyncer(args, { source: storage('a'), target: storage('b') }, { registry, findMount }, { isForTelling: true });
  return { name: choice.chosen?.traits.SYNCER_NAME, reasons: new Map(choice.verdicts.map((verdict) => [verdict.name, verdict.reason])) };
}

describe('the syncers that are built in', () => {
  it('are those of the table, in its order, which the command line shows', () => {
    expect(builtIn(true).definitions.map(({ traits }) => traits)).toEqual(BUILT_IN_SYNCERS);
  });

  describe.each(BOTH.flatMap((continuous) => BOTH.flatMap((unidirectional) => BOTH.map((isMounted) => ({ continuous, unidirectional, isMounted })))))('for a job that is %j', (job) => {
    it('leave it to the generic one unless another is asked for', async () => {
      expect((await choose(job)).name).toBe('generic');
      expect((await choose({ ...job, syncer: 'local-copy' })).name).toBe('local-copy');
      expect((await choose({ ...job, syncer: 's3-copy' })).name).toBeUndefined();
      const isForRsync = !job.continuous && job.unidirectional && job.isMounted;
      expect((await choose({ ...job, syncer: 'rsync' })).name).toBe(isForRsync ? 'rsync' : undefined);
    });

    it.each(SIXTEEN)('go behind a plugin that can serve it: continuous %s, one-shot %s, one-way %s, mounted %s', async (CONTINUOUS, ONE_SHOT, UNIDIRECTIONAL, REQUIRES_MOUNT) => {
      const plugin = { SYNCER_NAME: 'fast', SOURCE_TYPES: ['local'], TARGET_TYPES: ['local'], CONTINUOUS, ONE_SHOT, UNIDIRECTIONAL, REQUIRES_MOUNT };
      const canServe = (job.continuous ? CONTINUOUS : ONE_SHOT) && (!job.unidirectional || UNIDIRECTIONAL) && (!REQUIRES_MOUNT || job.isMounted);
      expect((await choose({ ...job, plugin })).name).toBe(canServe ? 'fast' : 'generic');
      expect((await choose({ ...job, plugin, syncer: 'fast' })).name).toBe(canServe ? 'fast' : undefined);
    });
  });

  it.each<[string, Partial<Asked>, string]>([
    ['could serve', {}, 'could serve, but only where it is asked for: --syncer rsync'],
    ['is for one-shot jobs', { continuous: true }, 'cannot sync continuously'],
    ['is for one direction', { unidirectional: false }, 'brings files in one direction only; add --unidirectional'],
    ['needs mounts', { isMounted: false }, 'needs both storages as mounted file systems: the source is not mounted and the target is not mounted'],
    ['is not installed', { hasRsync: false }, 'needs the program rsync, which is not installed (Debian: apt install rsync)'],
  ])('say of rsync that it %s', async (_what, differs, reason) => {
    const { reasons } = await choose({ continuous: false, unidirectional: true, isMounted: true, ...differs });
    expect(reasons.get('rsync')).toBe(reason);
  });
});
