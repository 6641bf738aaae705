import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { COMMANDS } from './commands/index.js';
import { TestBench } from './testing/test-bench.js';

let bench: TestBench;
beforeEach(async () => {
  bench = await TestBench.make();
});
afterEach(() => bench.close());

describe('wl', () => {
  it('shows all commands and the exit codes without a command', async () => {
    const ran = await bench.wl();
    expect(ran.exitCode).toBe(0);
    for (const { paths } of COMMANDS) expect(ran.stdout).toContain(`  wl ${paths[0]?.join(' ')} `);
    expect(ran.stdout).toMatch(/130 +interrupted/);
  });

  it.each(COMMANDS.map((command) => [command.paths[0]?.join(' ') ?? '', command] as const))('has help for %s', async (words, command) => {
    const ran = await bench.wl(...words.split(' '), '--help');
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.stdout).toContain(`usage: wl ${words} `);
    expect(ran.stdout).toContain('--base-dir DIR');
    expect(command.usage.description).not.toBe('');
  });

  it('shows the commands of a group', async () => {
    const ran = await bench.wl('storage', '--help');
    expect(ran.stdout).toContain('wl storage create local');
    expect(ran.stdout).not.toContain('wl container create');
  });

  it('says what it understood, on standard error', async () => {
    expect(await bench.wl('stat')).toEqual({ exitCode: 0, stdout: 'No sync jobs running\n', stderr: "Understood 'stat' as 'status'\n" });
    expect(await bench.wl('stat', '--quiet')).toMatchObject({ stderr: '' });
  });

  it.each([
    [['sttus'], "there is no command 'wl sttus'; did you mean: wl status"],
    [['container'], "'wl container' needs one of these commands"],
    [['status', '--jsno'], 'there is no option --jsno; did you mean --json?'],
    [['status', '--xyz'], 'there is no option --xyz\n'],
    [['status', 'photos'], "there is no place for the argument 'photos'"],
    [['container', 'sync'], 'an argument is missing'],
    [['container', 'resolve', 'photos', 'a'], 'a required option is missing: --keep'],
    [['container', 'sync', 'photos', '--target-storage'], '--target-storage needs a value'],
  ])('answers the mistake %j with exit code 2 and advice', async (words, message) => {
    const ran = await bench.wl(...words);
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ran.stderr).toContain(`Error: ${message}`);
  });

  it('shows where an error comes from only with --debug', async () => {
    expect((await bench.wl('container', 'info', 'x')).stderr).not.toContain('    at ');
    expect((await bench.wl('container', 'info', 'x', '--debug')).stderr).toContain('    at ');
  });

  it('takes the base directory before and after the words', async () => {
    await bench.container('photos');
    for (const words of [
      ['--base-dir', bench.baseDirectory, 'container', 'list'],
      ['container', '--base-dir', bench.baseDirectory, 'list'],
      ['container', 'list', '--base-dir', bench.baseDirectory],
    ]) {
      expect((await bench.wl(...words)).stdout).toContain('photos.container.yaml');
    }
  });

  it('tells more with --verbose', async () => {
    expect((await bench.wl('-v', 'status')).stderr).toMatch(/^Starting the sync daemon; it will listen at .*wlsync\.sock\n/);
  });
});
