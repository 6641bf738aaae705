/** The job table: starting, refusing, resuming, stopping jobs, their events, and what is asked of them. */

import { describe, expect, it } from '@jest/globals';

import { containerIdOf } from './job-manager.js';
import { args, JOB, JobBench, recorder, storage } from './testing/job-bench.js';

const RUNNING = 'already running';

/** A continuous job that has halted because half a side went away. */
async function halted(): Promise<JobBench> {
  const bench = new JobBench();
  await bench.synced(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`f${String(i)}`, String(i)])));
  for (let i = 0; i < 25; i += 1) bench.tree('a').remove(`f${String(i)}`);
  await bench.clock.advance(16 * 60_000);
  expect(bench.job().halt).toMatchObject({ reason: 'mass-deletion' });
  return bench;
}

/** A continuous job with one path in conflict. */
async function inConflict(): Promise<JobBench> {
  const bench = new JobBench();
  await bench.synced({ p: 'base', q: '2' });
  bench.tree('a').write('p', 'left');
  bench.tree('b').write('p', 'right!');
  await bench.clock.advance(5000);
  expect(bench.job().conflicts).toHaveLength(1);
  return bench;
}

describe('starting a job', () => {
  it('answers with the sentence of the original, and syncs', async () => {
    const bench = new JobBench();
    bench.tree('a').write('x', '1');
    expect(await bench.start()).toBe('Using remote backend b of type memory.');
    await bench.clock.advance(5000);
    expect(bench.tree('b').text('x')).toBe('1');
    expect(bench.job()).toMatchObject({ state: 'SYNCED', syncer: 'generic', 'container-id': '0xaa|c1', mode: 'continuous' });
  });

  it('is refused when the id is taken, also by a start under way', async () => {
    const bench = new JobBench();
    const first = bench.manager.start(args());
    await expect(bench.manager.start(args({ source: storage('x'), target: storage('y') }))).rejects.toThrow(RUNNING);
    await first;
    await expect(bench.start({ source: storage('x'), target: storage('y') })).rejects.toThrow(RUNNING);
    expect(bench.ids()).toEqual([JOB]);
  });

  it.each([
    ['the same way round', '0xaa|c1|other', 'a', 'b'],
    ['the other way round', '0xaa|c1|a', 'b', 'a'],
    ['for another container', '0xaa|c2|b', 'a', 'b'],
    ['under an id of another form', 'mine', 'b', 'a'],
  ])('INV-23, T29: is refused for a pair that another job syncs, %s', async (_, jobId, source, target) => {
    const bench = new JobBench();
    const other = { 'job-id': jobId, source: storage(source), target: storage(target) };
    await bench.start();
    await expect(bench.start(other)).rejects.toThrow(RUNNING);
    await expect(bench.start({ ...other, continuous: false })).rejects.toThrow(RUNNING);
    expect(bench.ids()).toEqual([JOB]);
  });

  it('INV-23: is refused for a pair whose start is still under way', async () => {
    const bench = new JobBench();
    const other = args({ 'job-id': '0xaa|c1|a', source: storage('b'), target: storage('a') });
    const outcomes = await bench.clock.runUntil(Promise.allSettled([bench.manager.start(args()), bench.manager.start(other)]));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(bench.ids()).toEqual([JOB]);
  });

  it('lets a second target of the container run beside the first', async () => {
    const bench = new JobBench();
    await bench.start();
    await bench.start({ 'job-id': '0xaa|c1|c', target: storage('c') });
    bench.tree('b').write('x', '1');
    await bench.clock.advance(20_000);
    expect(bench.tree('c').text('x')).toBe('1');
  });

  it('lets a dry run look on beside a running job, and a job begin beside a dry run', async () => {
    const bench = new JobBench();
    const dryRun = { 'job-id': `${JOB}|dry-run`, continuous: false, 'dry-run': true };
    await bench.start();
    await bench.clock.advance(5000);
    bench.tree('a').write('later', '1');
    await bench.start(dryRun);
    await bench.manager.stop(JOB);
    await bench.start();
    expect(bench.ids()).toEqual([`${JOB}|dry-run`, JOB]);
    expect(bench.job(`${JOB}|dry-run`)['last-pass']).toMatchObject({ plan: [{ operation: 'CREATE', path: 'later', side: 'target' }] });
  });

  it('refuses a continuous dry run: it would have nothing to wait for', async () => {
    const bench = new JobBench();
    bench.tree('a').write('x', '1');
    await expect(bench.start({ 'dry-run': true })).rejects.toThrow('one-shot');
    await bench.clock.advance(60_000);
    expect(bench.tree('b').paths()).toEqual([]);
  });

  it('is refused when source and target are one storage', async () => {
    const bench = new JobBench();
    await expect(bench.start({ target: storage('a') })).rejects.toThrow('Source and target are the same storage (a). Choose two');
    expect(bench.ids()).toEqual([]);
  });

  it('is refused when it would write to what is read-only, and says how it could be', async () => {
    const bench = new JobBench();
    const frozen = (id: string) => storage(id, { 'read-only': true });
    await expect(bench.start({ target: frozen('b') })).rejects.toThrow('Storage b is read-only, and this sync would write to it: make it the source');
    await expect(bench.start({ target: frozen('b'), unidirectional: true })).rejects.toThrow('Storage b is read-only');
    await expect(bench.start({ source: frozen('a') })).rejects.toThrow('--unidirectional');
    bench.tree('a').write('x', '1');
    await bench.start({ source: frozen('a'), unidirectional: true });
    await bench.clock.advance(5000);
    expect(bench.tree('b').text('x')).toBe('1');
    expect(bench.job().source['read-only']).toBe(true);
  });

  it.each([
    ['/data', '/data/inner', 'one lies inside the other'],
    ['/data', '/data', 'both are the same place'],
  ])('T29: is refused for overlapping places %s and %s, whatever options it has', async (first, second, how) => {
    const bench = new JobBench();
    bench.tree('a', { location: first });
    bench.tree('b', { location: second });
    await expect(bench.start()).rejects.toThrow(how);
    await expect(bench.start({ 'accept-new-root': true, continuous: false })).rejects.toThrow(how);
    expect(bench.ids()).toEqual([]);
  });

  it.each(['a', 'b'])('is refused when the place of %s is missing, with advice; nothing stays open or on record', async (id) => {
    const bench = new JobBench();
    bench.tree(id).unmount();
    await expect(bench.start()).rejects.toMatchObject({
      name: 'WildlandError',
      message: expect.stringMatching(`^Storage ${id} at /memory/${id} cannot be used: .*Connect or mount it, or create it`) as unknown,
    });
    expect([bench.ids(), bench.state.jobs()]).toEqual([[], []]);
    for (const backend of bench.backends) await expect(backend.list('' as never).next()).rejects.toThrow();
  });

  it('is refused with the reasons when no syncer is eligible, and for a type that nobody knows', async () => {
    const bench = new JobBench();
    await expect(bench.start({ source: { type: 'tape' } })).rejects.toThrow('unknown storage type tape');
    expect(bench.ids()).toEqual([]);
    await bench.start();
    expect(bench.ids()).toEqual([JOB]);
  });

  it('clears a finished one-shot job away, and only if the new one can begin', async () => {
    const bench = new JobBench();
    await bench.start({ continuous: false });
    await bench.clock.advance(5000);
    expect(bench.manager.statusTexts()).toEqual(["photos SYNCED 'memory'(backend_id=a) <-> 'memory'(backend_id=b) [one-shot]"]);
    await expect(bench.start({ target: storage('b', { 'read-only': true }) })).rejects.toThrow('read-only');
    expect(bench.job()).toMatchObject({ mode: 'one-shot', state: 'SYNCED' });
    await bench.start();
    expect(bench.status().jobs).toMatchObject([{ mode: 'continuous' }]);
  });

  it('takes the word of the user for a halted continuous job, once', async () => {
    const bench = await halted();
    await expect(bench.start()).rejects.toThrow(RUNNING);
    await expect(bench.start({ 'allow-mass-delete': true, 'dry-run': true, continuous: false })).rejects.toThrow(RUNNING);
    await expect(bench.start({ 'allow-mass-delete': true, target: storage('b', { 'read-only': true }) })).rejects.toThrow('read-only');
    expect(bench.job()).toMatchObject({ halt: { reason: 'mass-deletion' } });
    await bench.start({ 'allow-mass-delete': true });
    await bench.clock.advance(5000);
    expect(bench.job()).toMatchObject({ state: 'SYNCED', files: 5 });
    expect(bench.job().halt).toBeUndefined();
    expect(bench.tree('b').paths()).toHaveLength(5);
    // The next halt wants a word of its own.
    expect(bench.state.jobs().map(({ request }) => Object.keys(JSON.parse(request) as object))).toEqual([expect.not.arrayContaining(['allow-mass-delete'])]);
    await expect(bench.start({ 'allow-mass-delete': true })).rejects.toThrow(RUNNING);
  });

  it('takes a new root when it is told to, and does not keep that on record', async () => {
    const bench = new JobBench();
    await bench.synced({ x: '1', y: '2' });
    bench.tree('b').unmount('empty-directory');
    await bench.clock.advance(5000);
    expect(bench.job()).toMatchObject({ state: 'ERROR', halt: { reason: 'root-changed', command: expect.stringContaining('--accept-new-root') as unknown } });
    expect(bench.tree('a').paths()).toHaveLength(2);
    await bench.start({ 'accept-new-root': true });
    await bench.clock.advance(5000);
    expect(bench.tree('b').snapshot()).toEqual({ x: '1', y: '2' });
    expect(bench.state.jobs()[0]?.request).not.toContain('accept-new-root');
  });
});

describe('jobs that outlive the daemon', () => {
  it.each(['killed', 'ended'] as const)('T28: resume on the same state after it was %s, with their baseline', async (how) => {
    const bench = new JobBench();
    await bench.synced({ x: '1', y: '2' });
    await bench.restart(how);
    bench.tree('a').remove('x');
    await bench.clock.advance(16 * 60_000);
    expect(bench.tree('b').snapshot()).toEqual({ y: '2' });
    expect(bench.job()).toMatchObject({ state: 'SYNCED', container: 'photos' });
  });

  it('wait for a place that is not there, halted, and go on by themselves once it is', async () => {
    const bench = new JobBench();
    await bench.synced({ x: '1' });
    const disk = bench.tree('b').unmount();
    bench.tree('a').write('y', '2');
    await bench.restart('killed');
    await bench.clock.advance(1000);
    expect(bench.job()).toMatchObject({ state: 'ERROR', halt: { reason: 'root-missing', side: 'target' } });
    bench.tree('b').mount(disk);
    await bench.clock.advance(120_000);
    expect(bench.job()).toMatchObject({ state: 'SYNCED' });
    expect(bench.job().halt).toBeUndefined();
    expect(bench.tree('b').snapshot()).toEqual({ x: '1', y: '2' });
  });

  it('are not stopped by one that cannot resume, which is logged and stays on record until it is stopped', async () => {
    const bench = new JobBench();
    bench.state.saveJob({ jobId: '0xaa|c0|z', request: '{ not json' });
    bench.state.saveJob({ jobId: '0xaa|c0|y', request: JSON.stringify(args({ 'job-id': '0xaa|c0|y', source: { type: 'tape' } })) });
    await bench.synced({ x: '1' });
    await bench.restart('killed');
    expect(bench.ids()).toEqual([JOB]);
    expect(bench.log.filter(({ message }) => message === 'a job could not be resumed').map(({ fields }) => fields['job'])).toEqual(['0xaa|c0|z', '0xaa|c0|y']);
    expect(await bench.manager.stop('0xaa|c0|z')).toBe('Sync for job 0xaa|c0|z stopped');
    expect(await bench.manager.stopContainer('0xaa|c0')).toEqual(['0xaa|c0|y']);
    expect(bench.state.jobs().map(({ jobId }) => jobId)).toEqual([JOB]);
  });

  it('are only the continuous ones that were not asked to end with it', async () => {
    const bench = new JobBench();
    await bench.start({ persist: false });
    await bench.start({ 'job-id': '0xaa|c2|d', source: storage('c'), target: storage('d'), continuous: false });
    expect(bench.state.jobs()).toEqual([]);
    await bench.restart('killed');
    expect(bench.ids()).toEqual([]);
  });

  it('are forgotten once a job of the same id is started that is to end with the daemon', async () => {
    const bench = new JobBench();
    bench.state.saveJob({ jobId: JOB, request: JSON.stringify(args({ source: { type: 'tape' } })) });
    await bench.start({ persist: false });
    expect(bench.state.jobs()).toEqual([]);
  });

  it('are refused with the failure, and do not run, when they cannot be put on record', async () => {
    const bench = new JobBench({
      onOperation: (operation) => {
        if (operation === 'saveJob') throw new Error('the disk of the state is full');
      },
    });
    bench.tree('a').write('x', '1');
    await expect(bench.start()).rejects.toThrow('the disk of the state is full');
    expect(bench.ids()).toEqual([]);
    expect(bench.clock.sleeping).toBe(0);
  });
});

describe('stopping', () => {
  it('ends a job for good, tells STOPPED, closes its storages and refuses what is not there', async () => {
    const bench = new JobBench();
    const { heard, listener } = recorder();
    await bench.start({}, listener);
    await bench.clock.advance(5000);
    expect(await bench.manager.stop(JOB)).toBe(`Sync for job ${JOB} stopped`);
    expect(heard.at(-1)).toBe('state STOPPED');
    expect([bench.ids(), bench.state.jobs(), bench.manager.jobState(JOB)]).toEqual([[], [], null]);
    bench.tree('a').write('late', '1');
    await bench.clock.advance(3_600_000);
    expect(bench.tree('b').text('late')).toBeUndefined();
    await expect(bench.manager.stop(JOB)).rejects.toThrow(`Sync for job ${JOB} is not running`);
  });

  it('ends all jobs of a container, or all there are', async () => {
    const bench = new JobBench();
    const start = (id: string, source: string, target: string) => bench.start({ 'job-id': id, source: storage(source), target: storage(target) });
    await start('0xaa|c1|b', 'a', 'b');
    await start('0xaa|c1|c', 'a', 'c');
    await start('0xaa|c2|d', 'a', 'd');
    await start('0xaa|c3|e', 'a', 'e');
    expect(await bench.manager.stopContainer('0xaa|c1')).toEqual(['0xaa|c1|b', '0xaa|c1|c']);
    expect(await bench.manager.stopContainer('0xaa|c1')).toEqual([]);
    expect(bench.ids()).toEqual(['0xaa|c2|d', '0xaa|c3|e']);
    await bench.manager.stopAll();
    expect([bench.ids(), bench.state.jobs()]).toEqual([[], []]);
  });

  it('keeps the record when the daemon ends, and begins nothing any more', async () => {
    const bench = new JobBench();
    await bench.start();
    bench.onBackend = (backend) => backend.faults.delay('open', 1000);
    const late = bench.manager.start(args({ 'job-id': 'late', source: storage('c'), target: storage('d') }));
    late.catch(() => undefined);
    await bench.clock.advance(500);
    await bench.manager.shutdown();
    await expect(bench.clock.runUntil(late)).rejects.toThrow('is ending');
    await expect(bench.start({ 'job-id': 'later', source: storage('c'), target: storage('d') })).rejects.toThrow('is ending');
    expect(bench.ids()).toEqual([]);
    expect(bench.state.jobs().map(({ jobId }) => jobId)).toEqual([JOB]);
    expect(bench.clock.sleeping).toBe(0);
  });

  it('tells how the storages of a continuous job are watched at the moment', async () => {
    const bench = new JobBench();
    bench.watching = 'every 30 s at';
    await bench.start();
    await bench.start({ 'job-id': 'once', continuous: false, source: storage('c'), target: storage('d') });
    expect(bench.status().jobs.map(({ source, target }) => [source.watching, target.watching])).toEqual([
      ['every 30 s at a', 'every 30 s at b'],
      [undefined, undefined],
    ]);
    bench.watching = 'every 68 s at';
    expect(bench.job().target.watching).toBe('every 68 s at b');
  });

  it('W-30: stops a running one-shot job at its next step, and holds up nobody meanwhile', async () => {
    const bench = new JobBench();
    for (let i = 0; i < 50; i += 1) bench.tree('a').write(`f${String(i)}`, 'x');
    bench.onBackend = (backend) => backend.faults.delay('commit', 60_000, { times: Infinity });
    await bench.start({ continuous: false });
    await bench.clock.advance(90_000);
    expect(bench.job()).toMatchObject({ state: 'ONE_SHOT', progress: { 'entries-seen': 50 } });
    const stopped = bench.manager.stop(JOB);
    expect(bench.job()).toMatchObject({ state: 'ONE_SHOT' });
    expect(bench.manager.statusTexts()).toHaveLength(1);
    await bench.start({ 'job-id': 'other', source: storage('c'), target: storage('d') });
    await bench.clock.advance(60_000);
    await stopped;
    expect(bench.ids()).toEqual(['other']);
    expect(Object.values(bench.tree('b').snapshot()).every((text) => text === 'x')).toBe(true);
    expect(bench.tree('b').paths().length).toBeLessThan(50);
    expect(bench.tree('b').staging.size).toBe(0);
  });

  it('W-29: stops two jobs that both failed', async () => {
    const bench = new JobBench();
    const { heard, listener } = recorder();
    await bench.start({}, listener);
    await bench.start({ 'job-id': 'other', source: storage('c'), target: storage('d') });
    await bench.clock.advance(5000);
    for (const id of ['a', 'c']) bench.tree(id).unmount();
    await bench.clock.advance(5000);
    expect(bench.status().jobs).toMatchObject([{ state: 'ERROR' }, { state: 'ERROR' }]);
    await Promise.all([bench.manager.stop(JOB), bench.manager.stop('other')]);
    expect(bench.ids()).toEqual([]);
    // The original tells no STOPPED after an ERROR.
    expect(heard.at(-1)).toBe('state ERROR');
  });

  it('ends a job even where the record of it cannot be deleted, and says so', async () => {
    let isFull = false;
    const bench = new JobBench({
      onOperation: (operation) => {
        if (isFull && operation === 'deleteJob') throw new Error('the disk of the state is full');
      },
    });
    await bench.start();
    isFull = true;
    await expect(bench.manager.stop(JOB)).rejects.toThrow('the disk of the state is full');
    expect(bench.ids()).toEqual([]);
    expect(bench.state.jobs()).toHaveLength(1);
  });
});

describe('events', () => {
  it('go to the listener that started the job, in order', async () => {
    const bench = new JobBench();
    bench.tree('a').write('x', '1');
    bench.tree('a').write('both', 'left');
    bench.tree('b').write('both', 'right');
    const { heard, listener } = recorder();
    await bench.start({ continuous: false }, listener);
    await bench.clock.advance(5000);
    expect(heard).toEqual([
      'state ONE_SHOT',
      expect.stringMatching(/^(progress CREATE x|conflict )/),
      expect.stringMatching(/^(progress CREATE x|conflict )/),
      'state SYNCED',
    ]);
    expect(heard).toContain('conflict Conflict detected on both in storages a and b');
    expect(heard).toContain('progress CREATE x');
  });

  it('go to whoever subscribed, of one job or of all, those started later too, until they unsubscribe', async () => {
    const bench = new JobBench();
    const everyone = new Set<string>();
    const one = new Set<string>();
    const all = ({ jobId }: { jobId: string }) => void everyone.add(jobId);
    const single = ({ jobId }: { jobId: string }) => void one.add(jobId);
    await bench.start();
    bench.manager.subscribe(all);
    bench.manager.subscribe(single, JOB);
    expect(() => bench.manager.subscribe(single, 'nobody')).toThrow('No sync job nobody');
    await bench.start({ 'job-id': 'other', source: storage('c'), target: storage('d') });
    bench.tree('a').write('x', '1');
    await bench.clock.advance(5000);
    expect([[...everyone].sort(), [...one]]).toEqual([[JOB, 'other'], [JOB]]);
    everyone.clear();
    one.clear();
    bench.manager.unsubscribe(all);
    bench.manager.unsubscribe(single);
    bench.tree('a').write('y', '1');
    await bench.start({ 'job-id': 'third', source: storage('e'), target: storage('f') });
    await bench.clock.advance(5000);
    expect([everyone.size, one.size]).toEqual([0, 0]);
  });

  it('W-35, W-36: are filtered by type, in start and later, while status stays right', async () => {
    const bench = new JobBench();
    const { heard, listener } = recorder();
    await bench.start({ 'active-events': ['progress'] }, listener);
    bench.tree('a').write('x', '1');
    await bench.clock.advance(5000);
    expect(heard).toEqual(['progress CREATE x']);
    expect(bench.job()).toMatchObject({ state: 'SYNCED', files: 1 });
    bench.manager.setActiveEvents(JOB, ['error']);
    bench.tree('a').write('p', 'left');
    bench.tree('b').write('p', 'right');
    await bench.clock.advance(5000);
    expect(heard).toHaveLength(1);
    expect(bench.job()).toMatchObject({ 'conflicts-total': 1, state: 'SYNCED' });
    bench.manager.setActiveEvents(JOB, []);
    bench.tree('a').write('z', '1');
    await bench.clock.advance(5000);
    expect(heard.slice(1, 4)).toEqual(['state RUNNING', 'progress CREATE z', 'state SYNCED']);
    expect(() => bench.manager.setActiveEvents('nobody', [])).toThrow('No sync job nobody');
  });

  it('of progress are thinned to a steady rate', async () => {
    const bench = new JobBench();
    for (let i = 0; i < 1000; i += 1) bench.tree('a').write(`f${String(i)}`, 'x');
    const { heard, listener } = recorder();
    await bench.start({}, listener);
    await bench.clock.advance(5000);
    expect(bench.job().files).toBe(1000);
    expect(heard.filter((event) => event.startsWith('progress')).length).toBeLessThanOrEqual(250);
    expect(heard.at(-1)).toBe('state SYNCED');
  });

  it('tell the error that a test asks for', async () => {
    const bench = new JobBench();
    const { heard, listener } = recorder();
    await bench.start({}, listener);
    await bench.clock.advance(5000);
    bench.manager.testError(JOB);
    expect(heard.slice(-2)).toEqual(['error Test sync exception', 'state ERROR']);
    expect(bench.manager.jobState(JOB)).toEqual([5, expect.stringContaining('\n   [!] Test sync exception')]);
    expect(() => bench.manager.testError('nobody')).toThrow(expect.objectContaining({ name: 'KeyError' }));
  });
});

describe('resolving', () => {
  it.each(['source', 'target'] as const)('W-23: keeps the version of the %s; the conflict is gone from status', async (keep) => {
    const bench = await inConflict();
    await bench.manager.resolve(JOB, 'p', keep);
    await bench.clock.advance(5000);
    const kept = keep === 'source' ? 'left' : 'right!';
    expect([bench.tree('a').text('p'), bench.tree('b').text('p')]).toEqual([kept, kept]);
    expect(bench.job()).toMatchObject({ conflicts: [], 'conflicts-total': 0, files: 2, bytes: kept.length + 1 });
    expect(bench.manager.statusTexts().join()).not.toContain('Conflict');
  });

  it.each(['a', 'b'])('INV-36, T82: is refused once the version of %s is not the one shown', async (side) => {
    const bench = await inConflict();
    for (const id of ['a', 'b']) bench.backends.find(({ backendId }) => backendId === id)!.events.hold();
    bench.tree(side).write('p', 'newer');
    for (const keep of ['source', 'target'] as const) {
      await expect(bench.manager.resolve(JOB, 'p', keep)).rejects.toThrow('has changed since the conflict was listed');
    }
    expect(bench.tree(side).text('p')).toBe('newer');
  });

  it('says that it could not look where it could not', async () => {
    const bench = await inConflict();
    bench.tree('b').setUnreadable('p', true);
    await expect(bench.manager.resolve(JOB, 'p', 'source')).rejects.toMatchObject({
      name: 'WildlandError',
      message: expect.stringMatching(/p cannot be read on the target.*permission-denied/) as unknown,
    });
    bench.tree('b').setUnreadable('p', false);
    bench.backends[1]!.faults.fail('commit', { code: 'no-space' });
    await expect(bench.manager.resolve(JOB, 'p', 'source')).rejects.toMatchObject({ name: 'WildlandError', message: expect.stringContaining('no-space') as unknown });
    expect(bench.tree('b').text('p')).toBe('right!');
  });

  it('never changes the source of a one-way job', async () => {
    const bench = new JobBench();
    bench.tree('a').write('p', 'left');
    bench.tree('b').write('p', 'right');
    await bench.start({ unidirectional: true });
    await bench.clock.advance(5000);
    expect(bench.job().conflicts).toHaveLength(1);
    await expect(bench.manager.resolve(JOB, 'p', 'target')).rejects.toThrow('the source of a one-way job is never changed');
    await bench.manager.resolve(JOB, 'p', 'source');
    await bench.clock.advance(5000);
    expect([bench.tree('a').text('p'), bench.tree('b').text('p'), bench.job().conflicts]).toEqual(['left', 'left', []]);
  });

  it('brings a file back into a directory that is gone on the other side', async () => {
    const bench = new JobBench();
    await bench.synced({ 'd/e/p': 'base', q: '2', r: '3' });
    bench.tree('a').write('d/e/p', 'edited');
    bench.tree('b').remove('d');
    await bench.clock.advance(5000);
    const { conflicts } = bench.job();
    if (conflicts.length > 0) {
      await bench.manager.resolve(JOB, conflicts[0]!.path, 'source');
      await bench.clock.advance(5000);
    }
    expect(bench.job().conflicts).toEqual([]);
    expect(bench.tree('b').text('d/e/p')).toBe('edited');
  });

  it('refuses what is no conflict, no path, no job, and what a dry run shows', async () => {
    const bench = await inConflict();
    await expect(bench.manager.resolve(JOB, 'q', 'source')).rejects.toThrow('q is not in conflict');
    await expect(bench.manager.resolve(JOB, '../p', 'source')).rejects.toThrow('not a path inside the storages: ../p');
    await expect(bench.manager.resolve('nobody', 'p', 'source')).rejects.toThrow('No sync job nobody');
    await bench.start({ 'job-id': 'dry', continuous: false, 'dry-run': true });
    await expect(bench.manager.resolve('dry', 'p', 'source')).rejects.toThrow('dry run');
    expect([bench.tree('a').text('p'), bench.tree('b').text('p')]).toEqual(['left', 'right!']);
  });
});

describe('listing conflicts', () => {
  const request = { source: storage('a'), target: storage('b'), 'container-id': '0xaa|c1' };

  async function differing(): Promise<JobBench> {
    const bench = new JobBench();
    for (const [path, left, right] of [['same', '1', '1'], ['p', 'left', 'right'], ['d/q', 'aa', 'bb'], ['tmp', '1', '2']] as const) {
      bench.tree('a').write(path, left);
      bench.tree('b').write(path, right);
    }
    bench.tree('a').write('only-a', '1');
    bench.tree('b').write('only-b', '1');
    bench.tree('a').write('clash', 'file');
    bench.tree('b').write('clash/inner', 'file');
    await bench.clock.advance(60_000);
    return bench;
  }

  it('tells what both hold differently, without a job, a baseline or a change, and honours ignores', async () => {
    const bench = await differing();
    const before = [bench.tree('a').snapshot(), bench.tree('b').snapshot()];
    const found = await bench.manager.listConflicts({ ...request, ignore: ['tmp'] });
    expect(found.map(({ path, reason }) => `${reason} ${path}`).sort()).toEqual(['both-created d/q', 'both-created p', 'file-against-directory clash']);
    expect(found.find(({ path }) => path === 'p')).toMatchObject({
      source: { kind: 'file', size: 4, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown },
      target: { kind: 'file', size: 5 },
    });
    expect((await bench.manager.listConflicts(request)).map(({ path }) => path)).toContain('tmp');
    expect([bench.tree('a').snapshot(), bench.tree('b').snapshot()]).toEqual(before);
    expect(bench.ids()).toEqual([]);
  });

  it('trusts remembered hashes, unless it is forced to read everything again', async () => {
    const bench = await differing();
    await bench.manager.listConflicts(request);
    const read: string[] = [];
    bench.onBackend = (backend) => void backend.faults.on('getHashes', 'before', ({ path }) => void read.push(path));
    await bench.manager.listConflicts(request);
    expect(read).toEqual([]);
    await bench.manager.listConflicts({ ...request, 'force-scan': true });
    expect([...new Set(read)].sort()).toEqual(['d/q', 'p', 'same', 'tmp']);
  });

  it('W-22: says which storage cannot be used, and leaves neither open', async () => {
    const bench = new JobBench();
    bench.tree('b').unmount();
    await expect(bench.manager.listConflicts(request)).rejects.toThrow('Storage b at /memory/b cannot be used');
    await expect(bench.backends[0]!.stat('x' as never)).rejects.toThrow('closed');
  });
});

describe('the container of a job id', () => {
  it.each([
    ['0xaa|c1', '0xaa|c1'],
    ['0xaa|c1|b', '0xaa|c1'],
    ['0xaa|c1|b|dry-run', '0xaa|c1'],
    ['mine', 'mine'],
  ])('of %s is %s', (jobId, containerId) => {
    expect(containerIdOf(jobId)).toBe(containerId);
  });
});
