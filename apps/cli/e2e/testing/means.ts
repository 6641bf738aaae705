/** What a machine may lack that some tests need: each either a means, or the reason why not. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { it } from '@jest/globals';

/** Something a test needs, or why this machine cannot give it. */
export type Means<T> = { readonly value: T } | { readonly missing: string };

/** `it` for a test that needs `means`; where they are missing the test is skipped, and its name and a line say why. */
export function itWith<T>(means: Means<T>, name: string, test: (value: T) => Promise<void>, timeoutMs?: number): void {
  if ('value' in means) {
    it(name, () => test(means.value), timeoutMs);
    return;
  }
  process.stderr.write(`skipped: ${name}: ${means.missing}\n`);
  it.skip(`${name} (skipped: ${means.missing})`, () => undefined);
}

/**
 * A command prefix under which rights of files count, which they do not for root: root without
 * the capabilities that override them. Empty for everybody else.
 */
export function withoutOverride(): Means<readonly string[]> {
  if (process.getuid?.() !== 0) return { value: [] };
  const prefix = ['setpriv', '--inh-caps=-all', '--bounding-set=-dac_override,-dac_read_search'];
  const [program = '', ...args] = prefix;
  const trial = spawnSync(program, [...args, 'true']);
  return trial.status === 0 ? { value: prefix } : { missing: 'root may read everything, and there is no setpriv (util-linux) to give that up' };
}

/** A directory that is a small file system of its own, on which space can run out. */
export interface SmallDisk {
  mount(directory: string, sizeBytes: number): void;
  unmount(directory: string): void;
}

/** Memory disks, where this user may mount. */
export function smallDisks(): Means<SmallDisk> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return { missing: 'only root on Linux may mount a small disk' };
  const disk: SmallDisk = {
    mount: (directory, sizeBytes) => {
      const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'wl-e2e', directory], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`unable to mount: ${stderr}`);
    },
    unmount: (directory) => {
      spawnSync('umount', ['--lazy', directory]);
    },
  };
  const trial = mkdtempSync(path.join(os.tmpdir(), 'wl-e2e-mount-'));
  try {
    disk.mount(trial, 1024 * 1024);
    disk.unmount(trial);
    return { value: disk };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  } finally {
    rmdirSync(trial);
  }
}

/** Gives a command line as one that runs on a terminal of its own; its output is that of both streams. */
export type OnTerminal = (command: readonly string[]) => string[];

/** A pseudo terminal, by `script` of util-linux. */
export function terminal(): Means<OnTerminal> {
  const trial = spawnSync('script', ['-qec', 'test -t 1', '/dev/null'], { stdio: ['ignore', 'ignore', 'ignore'] });
  if (trial.status !== 0) return { missing: 'there is no script (util-linux) to make a terminal' };
  return { value: (command) => ['script', '-qec', command.map(shellWord).join(' '), '/dev/null'] };
}

/** A word as a shell reads it back. */
export function shellWord(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Whether names of this file system are bytes (Linux), so that some are no Unicode. */
export function anyBytesInNames(): Means<undefined> {
  return process.platform === 'linux' ? { value: undefined } : { missing: 'names of files are Unicode here' };
}

/** A program of the system that a test uses. */
export function hasProgram(name: string): Means<string> {
  const found = (process.env['PATH'] ?? '').split(path.delimiter).map((directory) => path.join(directory, name)).find((file) => existsSync(file));
  return found === undefined ? { missing: `there is no ${name}` } : { value: found };
}
