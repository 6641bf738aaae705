/** T28, T29, INV-23: who may sync what at the same time, told by the places and not by their names. */

import { describe, expect, it } from '@jest/globals';

import { args, JobBench, JOB, storage } from './testing/job-bench.js';

describe('two jobs', () => {
  it('T29: over the same two places under other names are refused, either way round', async () => {
    const bench = new JobBench();
    bench.tree('x', { location: '/memory/a' });
    bench.tree('y', { location: '/memory/b' });
    await bench.start();
    for (const [source, target] of [['x', 'y'], ['y', 'x'], ['a', 'y']] as const) {
      const other = bench.start({ 'job-id': `0xaa|c2|${target}`, source: storage(source), target: storage(target) });
      await expect(other).rejects.toThrow('A sync of these two storages is already running for container photos');
    }
    expect(bench.ids()).toEqual([JOB]);
  });

  it('of two containers may use the same names for other places', async () => {
    const bench = new JobBench();
    await bench.start();
    const [a, b] = [bench.tree('a'), bench.tree('b')];
    bench.trees.clear();
    bench.tree('a', { location: '/elsewhere/a' });
    bench.tree('b', { location: '/elsewhere/b' });
    await bench.start({ 'job-id': '0xaa|c2|b' });
    a.write('x', 'of the first');
    bench.tree('a').write('x', 'of the second');
    await bench.clock.advance(5000);
    expect([b.text('x'), bench.tree('b').text('x')]).toEqual(['of the first', 'of the second']);
  });

  it('T29: of one start, nested or equal places are refused with the reason', async () => {
    for (const location of ['/memory/a', '/memory/a/inner', '/memory']) {
      const bench = new JobBench();
      bench.tree('b', { location });
      await expect(bench.start()).rejects.toThrow('cannot be synced with each other');
      expect(bench.ids()).toEqual([]);
    }
  });
});

describe('stopping a job whose watchers still start', () => {
  it('makes them give up instead of waiting for them', async () => {
    const bench = new JobBench();
    let isStarting = false;
    bench.onBackend = (backend) => {
      const watcher = backend.watcher.bind(backend);
      backend.watcher = () => {
        let giveUp: (error: Error) => void = () => undefined;
        return {
          ...watcher()!,
          start: () => {
            isStarting = true;
            return new Promise((_, reject) => (giveUp = reject));
          },
          stop: () => {
            giveUp(new Error('stopped'));
            return Promise.resolve();
          },
        };
      };
    };
    await bench.manager.start(args());
    await bench.clock.advance(1);
    expect(isStarting).toBe(true);
    await bench.manager.stop(JOB);
    expect(bench.ids()).toEqual([]);
    expect(bench.clock.monotonicMs()).toBe(1);
  });
});

describe('reports of passes over parts', () => {
  it('tell a problem once, although a pass looked at more than it was asked to', async () => {
    const bench = new JobBench();
    await bench.synced({ b: '2' });
    const { faults } = bench.backends.find(({ backendId }) => backendId === 'b')!;
    faults.fail('makeDirectory', { path: 'd', code: 'permission-denied', times: Infinity });
    for (const path of ['d/one', 'd/two', 'd/one']) {
      bench.tree('a').write(path, path + String(bench.clock.nowMs()));
      await bench.clock.advance(5000);
      expect(bench.job().problems).toMatchObject([{ path: 'd', side: 'target', reason: 'permission-denied' }]);
    }
    faults.clear();
    bench.tree('a').write('d/three', '3');
    await bench.clock.advance(5000);
    expect(Object.keys(bench.tree('b').snapshot())).toEqual(['b', 'd/', 'd/one', 'd/three', 'd/two']);
  });
});
