import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { someJob } from '../testing/fake-daemon.js';
import { TestBench } from '../testing/test-bench.js';

let bench: TestBench;
beforeEach(async () => {
  bench = await TestBench.make();
});
afterEach(() => bench.close());

/** Shows these jobs, one list for each look, and interrupts after the last. */
function show(...looks: (readonly ReturnType<typeof someJob>[])[]): void {
  const { daemon } = bench;
  let look = 0;
  daemon.answers['status-json'] = () => {
    const jobs = looks[Math.min(look, looks.length - 1)];
    look += 1;
    if (look >= looks.length) bench.interrupts.interrupt();
    return { version: 1, daemon: { version: 'source', pid: 1, since: '2026-11-22T20:15:00Z' }, jobs };
  };
}

describe('wl status', () => {
  it('starts the daemon where none runs, and says when there is nothing', async () => {
    expect(await bench.wl('status')).toEqual({ exitCode: 0, stdout: 'No sync jobs running\n', stderr: '' });
    expect(bench.launches).toBe(1);
  });

  it('shows jobs, also broken ones, with exit code 0', async () => {
    bench.daemon.jobs = [someJob({ state: 'ERROR', error: 'broken' })];
    const ran = await bench.wl('status');
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout).toContain("Sync jobs:\nphotos ERROR 'local'(backend_id=one) <-> 'local'(backend_id=two)\n   [!] broken\n");
  });

  it('prints the object in one line with --json', async () => {
    bench.daemon.jobs = [someJob()];
    const { stdout } = await bench.wl('status', '--json');
    expect(stdout.split('\n')).toHaveLength(2);
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, jobs: [{ container: 'photos' }] });
  });

  it('refuses an answer that is no status', async () => {
    bench.daemon.answers['status-json'] = () => ({ version: 2 });
    const ran = await bench.wl('status');
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ran.stderr).toContain('wl stop');
  });
});

describe('wl status --watch', () => {
  it('prints on plain paper only what changed, until Ctrl-C', async () => {
    show([], [], [someJob()], [someJob()], []);
    expect(await bench.wl('status', '--watch')).toEqual({
      exitCode: 0,
      stdout:
        'No sync jobs running\n' +
        "Sync jobs:\nphotos SYNCED 'local'(backend_id=one) <-> 'local'(backend_id=two)\n   7 files (122.5 kB) in sync\n" +
        'No sync jobs running\n',
      stderr: '',
    });
  });

  it('prints one object a line with --json', async () => {
    show([], [someJob()]);
    const { stdout } = await bench.wl('status', '--watch', '--json');
    expect(stdout.trimEnd().split('\n').map((line) => (JSON.parse(line) as { jobs: unknown[] }).jobs.length)).toEqual([0, 1]);
  });

  it('paints over what it showed on a terminal, within its rows', async () => {
    bench.isTTY = true;
    show([], Array.from({ length: 30 }, () => someJob()));
    const { stdout } = await bench.wl('status', '--watch');
    const screens = stdout.split('\u001b[H').slice(1);
    expect(screens).toHaveLength(2);
    expect(screens[0]).toContain('No sync jobs running');
    expect(screens[1]?.split('\n').length).toBeLessThanOrEqual(24);
    expect(screens[1]).toContain('more lines');
    // Long lines are cut while it paints, and only then.
    expect(stdout.indexOf('\u001b[?7l')).toBeLessThan(stdout.indexOf('\u001b[H'));
    expect(stdout.endsWith('\u001b[?7h')).toBe(true);
  });

  it('ends with an error when the daemon goes away', async () => {
    bench.daemon.answers['status-json'] = () => {
      void bench.daemon.stop();
      return new Promise(() => undefined);
    };
    const ran = await bench.wl('status', '--watch');
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain('the sync daemon ended');
    expect(bench.interrupts.isHeard).toBe(false);
  });
});

describe('wl start, stop, version', () => {
  it('starts the daemon, or says that it runs', async () => {
    expect(await bench.wl('start')).toEqual({ exitCode: 0, stdout: 'Started the sync daemon (process 4711).\n', stderr: '' });
    expect(await bench.wl('start')).toMatchObject({ stdout: 'The sync daemon is already running (process 4711).\n' });
  });

  it('W-44: ends the daemon, waits until it is gone, and tells of jobs that will come back', async () => {
    bench.endingProcesses.push(4711, 4711);
    (await bench.startDaemon()).jobs = [someJob(), someJob({ mode: 'one-shot' })];
    expect(await bench.wl('stop')).toEqual({
      exitCode: 0,
      stdout: 'Stopped the sync daemon. 1 continuous job will go on when it is started again.\n',
      stderr: '',
    });
    expect(bench.endingProcesses).toEqual([]);
    expect(bench.daemon.argsOf('shutdown')).toHaveLength(1);
  });

  it('ends a daemon that does not know our questions', async () => {
    (await bench.startDaemon()).answers['status-json'] = () => {
      throw Object.assign(new Error('unknown command: status-json'), { className: 'AssertionError' });
    };
    expect(await bench.wl('stop')).toMatchObject({ exitCode: 0, stdout: 'Stopped the sync daemon.\n' });
  });

  it('does not start a daemon to stop it', async () => {
    expect(await bench.wl('stop')).toEqual({ exitCode: 0, stdout: 'The sync daemon is not running.\n', stderr: '' });
    expect(bench.launches).toBe(0);
  });

  it.each([['version'], ['--version']])('%s prints the version', async (word) => {
    expect(await bench.wl(word)).toEqual({ exitCode: 0, stdout: 'wl source\n', stderr: '' });
  });
});
