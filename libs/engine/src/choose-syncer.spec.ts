import { describe, expect, it } from '@jest/globals';
import { err, ok } from '@wl/domain';
import type { PassReport, Syncer, SyncerContext, SyncerDefinition } from '@wl/ports';

import { args, JobBench, storage } from './testing/job-bench.js';

/** A syncer that leaves the work to the generic one and remembers what it was given. */
function dedicated(name: string, traits: Partial<SyncerDefinition['traits']> = {}): SyncerDefinition & { readonly given: SyncerContext[] } {
  const given: SyncerContext[] = [];
  return {
    given,
    traits: { SYNCER_NAME: name, SOURCE_TYPES: ['memory'], TARGET_TYPES: ['memory'], CONTINUOUS: false, ONE_SHOT: true, UNIDIRECTIONAL: true, REQUIRES_MOUNT: false, ...traits },
    create: (context): Syncer => {
      given.push(context);
      const { generic } = context;
      if (generic === undefined) throw new Error('nothing to build on');
      return generic();
    },
  };
}

const once = { continuous: false };
const question = { source: storage('a'), target: storage('b'), continuous: false, unidirectional: false };

describe('the choice of a syncer', () => {
  it('takes a dedicated one where it can serve, and the generic one otherwise', async () => {
    const bench = new JobBench();
    bench.registry.register(dedicated('fast'));
    await bench.start(once);
    expect(bench.job().syncer).toBe('fast');
    await bench.manager.stop(args()['job-id']);
    await bench.start();
    expect(bench.job().syncer).toBe('generic');
  });

  it('gives a dedicated one the generic one to build on, which syncs', async () => {
    const bench = new JobBench();
    bench.registry.register(dedicated('fast'));
    bench.tree('a').write('x', 'content');
    await bench.start(once);
    await bench.clock.advance(1000);
    expect(bench.job()).toMatchObject({ state: 'SYNCED', files: 1 });
    expect(bench.tree('b').text('x')).toBe('content');
  });

  it('takes the one that is asked for', async () => {
    const bench = new JobBench();
    bench.registry.register(dedicated('fast'));
    await bench.start({ ...once, syncer: 'generic' });
    expect(bench.job().syncer).toBe('generic');
  });

  it.each([
    [{ syncer: 'fast' }, 'Syncer fast cannot be used here: it cannot sync continuously.'],
    [{ ...once, syncer: 'rsync' }, 'There is no syncer rsync. There are: generic, fast'],
  ])('refuses %j, saying why, and starts nothing', async (asked, message) => {
    const bench = new JobBench();
    bench.registry.register(dedicated('fast'));
    await expect(bench.start(asked)).rejects.toThrow(message);
    expect(bench.ids()).toEqual([]);
    expect(bench.state.jobs()).toEqual([]);
  });

  it('explains itself without starting anything', async () => {
    const bench = new JobBench();
    bench.registry.register({ ...dedicated('fast'), origin: 'wl-fast@1.0.0' });
    bench.registry.register(dedicated('from s3', { SOURCE_TYPES: ['s3'] }));
    expect(await bench.manager.explain(question)).toEqual([
      { name: 'generic', chosen: false, reason: 'could serve, but fast names more of the types' },
      { name: 'fast', chosen: true, reason: 'names both types', origin: 'wl-fast@1.0.0' },
      { name: 'from s3', chosen: false, reason: 'does not read from type memory' },
    ]);
    expect(bench.ids()).toEqual([]);
  });

  it('keeps the syncer of a job that was asked for one across a restart', async () => {
    const bench = new JobBench();
    const fast = dedicated('fast', { CONTINUOUS: true });
    bench.registry.register(fast);
    await bench.start({ syncer: 'generic' });
    await bench.restart('ended');
    expect(bench.job().syncer).toBe('generic');
  });

  it('resumes a job whose syncer was missing at the start of the daemon once it is there', async () => {
    const bench = new JobBench();
    bench.registry.register(dedicated('fast', { CONTINUOUS: true }));
    await bench.start({ syncer: 'fast' });
    await bench.restart('ended');
    expect(bench.ids()).toEqual([]);
    expect(bench.log).toContainEqual(expect.objectContaining({ level: 'error', message: 'a job could not be resumed' }));
    bench.registry.register(dedicated('fast', { CONTINUOUS: true }));
    await bench.manager.resume();
    expect(bench.job().syncer).toBe('fast');
    await bench.manager.resume();
    expect(bench.ids()).toHaveLength(1);
  });
});

describe('a syncer that needs mounts', () => {
  const mounted = () => dedicated('mounted', { REQUIRES_MOUNT: true });

  it('gets the file-system paths of both storages', async () => {
    const bench = new JobBench();
    const syncer = mounted();
    bench.registry.register(syncer);
    bench.findMount = async (params) => ok(`/mnt/${String(params['backend-id'])}`);
    await bench.start(once);
    expect(bench.job().syncer).toBe('mounted');
    expect(syncer.given[0]?.mounts).toEqual({ source: '/mnt/a', target: '/mnt/b' });
  });

  it('is not eligible where a side has none, with the reason of that side', async () => {
    const bench = new JobBench();
    bench.registry.register(mounted());
    bench.findMount = async (params) => (params['backend-id'] === 'a' ? ok('/mnt/a') : err('is not mounted at /mnt/b'));
    expect(await bench.manager.explain(question)).toContainEqual({
      name: 'mounted',
      chosen: false,
      reason: 'needs both storages as mounted file systems: the target is not mounted at /mnt/b',
    });
    await expect(bench.start({ ...once, syncer: 'mounted' })).rejects.toThrow('the target is not mounted at /mnt/b');
  });

  it('costs no look at the storages where it could not serve anyway', async () => {
    const bench = new JobBench();
    bench.registry.register(dedicated('elsewhere', { REQUIRES_MOUNT: true, TARGET_TYPES: ['s3'] }));
    let looks = 0;
    bench.findMount = async () => {
      looks += 1;
      return err('is not there');
    };
    await bench.start(once);
    expect(looks).toBe(0);
  });
});

describe('a syncer that serves by name alone', () => {
  const shy = () => dedicated('shy', { REQUIRES_MOUNT: true, BY_NAME_ONLY: true });

  it('serves where it is asked for, with its mounts', async () => {
    const bench = new JobBench();
    bench.registry.register(shy());
    bench.findMount = async (params) => ok(`/mnt/${String(params['backend-id'])}`);
    await bench.start({ ...once, syncer: 'shy' });
    expect(bench.job().syncer).toBe('shy');
  });

  it('costs nobody a look for mounts who does not ask for it, but is explained in full', async () => {
    const bench = new JobBench();
    bench.registry.register(shy());
    let looks = 0;
    bench.findMount = async () => {
      looks += 1;
      return err('is not mounted');
    };
    await bench.start(once);
    expect([bench.job().syncer, looks]).toEqual(['generic', 0]);
    expect(await bench.manager.explain(question)).toContainEqual({
      name: 'shy', chosen: false, reason: 'needs both storages as mounted file systems: the source is not mounted and the target is not mounted',
    });
  });
});

it('one that is of no use for these storages is refused with its own reason, and the generic one serves', async () => {
  const bench = new JobBench();
  bench.registry.register({ ...dedicated('choosy'), unfit: ({ source, target }) => `does not copy from ${source.backendId} to ${target.backendId}` });
  await expect(bench.start({ ...once, syncer: 'choosy' })).rejects.toThrow('Syncer choosy cannot be used here: it does not copy from a to b.');
  await bench.start(once);
  expect(bench.job().syncer).toBe('generic');
});

it('a report of a dedicated syncer is a report like any other', async () => {
  const bench = new JobBench();
  bench.registry.register({
    ...dedicated('odd'),
    create: ({ events }): Syncer => ({
      oneShotSync: async () => {
        const report: PassReport = { isComplete: true, halt: undefined, files: 0, bytes: 0, copiedFiles: 3, copiedBytes: 9, deletedFiles: 0, madeDirectories: 0, deletedDirectories: 0, conflicts: 0, problems: [], skipped: [], plan: [], planTotal: 0 };
        events.report(report);
        events.state('SYNCED');
        return report;
      },
      startSync: async () => undefined,
      stopSync: async () => undefined,
      isRunning: () => false,
      iterErrors: () => [],
    }),
  });
  await bench.start(once);
  await bench.clock.advance(10);
  expect(bench.job()).toMatchObject({ state: 'SYNCED', syncer: 'odd', 'last-pass': { copied: 3 } });
});
