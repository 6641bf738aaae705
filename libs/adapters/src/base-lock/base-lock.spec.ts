import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { acquireBaseLock, readBaseLockOwner, type BaseLock } from './index.js';

const require = createRequire(import.meta.url);
const scratch = mkdtempSync(path.join(tmpdir(), 'wl-lock-'));
const program = path.join(scratch, 'hold-base-lock.cjs');

/** Another process that wants the lock. */
class Rival {
  static readonly all = new Set<Rival>();

  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #wake: () => void = () => undefined;

  constructor(baseDir: string) {
    // The bundle stands outside of the workspace, where it would not find the package.
    const NODE_PATH = path.resolve(path.dirname(require.resolve('@photostructure/sqlite/package.json')), '../..');
    this.#child = spawn(process.execPath, [program, baseDir], { env: { ...process.env, NODE_PATH }, stdio: ['pipe', 'pipe', 'inherit'] });
    Rival.all.add(this);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#lines.push(...text.split('\n').filter((line) => line !== ''));
      this.#wake();
    });
  }

  async line(): Promise<string> {
    while (this.#lines.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#lines.shift() ?? '';
  }

  go(): void {
    this.#child.stdin?.write('g');
  }

  async end(signal?: NodeJS.Signals): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (signal === undefined) this.#child.stdin?.end();
    else this.#child.kill(signal);
    await ended;
    Rival.all.delete(this);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }
}

describe('the lock of a base directory', () => {
  let baseDir: string;
  let held: BaseLock[];

  const acquire = (): BaseLock => {
    const lock = acquireBaseLock(baseDir);
    if (!lock.ok) throw new Error(lock.error);
    held.push(lock.value);
    return lock.value;
  };

  beforeAll(() => {
    const source = path.join(import.meta.dirname, 'testing/hold-base-lock.ts');
    const options = ['--bundle', '--platform=node', '--format=cjs', '--target=node20', '--conditions=@wl/source', '--log-level=error'];
    execFileSync(require.resolve('esbuild/bin/esbuild'), [source, ...options, `--outfile=${program}`]);
  });
  afterAll(() => {
    rmSync(scratch, { recursive: true });
  });
  beforeEach(() => {
    baseDir = mkdtempSync(path.join(scratch, 'base-'));
    held = [];
  });
  afterEach(async () => {
    for (const lock of held) lock.release();
    await Promise.all([...Rival.all].map((rival) => rival.end('SIGKILL')));
  });

  it('is held by one at a time, also within one process', () => {
    const lock = acquire();
    expect(acquireBaseLock(baseDir)).toEqual({ ok: false, error: 'held' });
    lock.release();
    lock.release();
    acquire();
    expect(acquireBaseLock(baseDir)).toEqual({ ok: false, error: 'held' });
  });

  it('says who holds it, for messages only', () => {
    expect(readBaseLockOwner(baseDir)).toBeUndefined();
    const lock = acquire();
    expect(readBaseLockOwner(baseDir)).toBe(process.pid);
    expect(statSync(path.join(baseDir, 'wl-daemon.lock')).mode & 0o777).toBe(0o600);
    expect(statSync(path.join(baseDir, 'wl-daemon.pid')).mode & 0o777).toBe(0o600);
    lock.release();
    expect(readBaseLockOwner(baseDir)).toBeUndefined();
    writeFileSync(path.join(baseDir, 'wl-daemon.pid'), 'no number');
    expect(readBaseLockOwner(baseDir)).toBeUndefined();
  });

  it('INV-23, T28: is held against other processes, and free again when its holder is killed', async () => {
    const first = new Rival(baseDir);
    first.go();
    expect([await first.line(), await first.line()]).toEqual(['ready', 'ok']);
    expect(acquireBaseLock(baseDir)).toEqual({ ok: false, error: 'held' });
    expect(readBaseLockOwner(baseDir)).toBe(first.pid);
    const second = new Rival(baseDir);
    second.go();
    expect([await second.line(), await second.line()]).toEqual(['ready', 'held']);
    await second.end();
    await first.end('SIGKILL');
    acquire();
    expect(readBaseLockOwner(baseDir)).toBe(process.pid);
    expect(readdirSync(baseDir).sort()).toEqual(['wl-daemon.lock', 'wl-daemon.pid']);
  });

  it('T28: is free again when its holder ends', async () => {
    const holder = new Rival(baseDir);
    holder.go();
    expect([await holder.line(), await holder.line()]).toEqual(['ready', 'ok']);
    await holder.end();
    acquire();
  });

  it.each([1, 6, 512, 100_000])('T28: takes a lock file of %i bytes of garbage for a free one', (size) => {
    const garbage = Buffer.alloc(size, '12345\n');
    writeFileSync(path.join(baseDir, 'wl-daemon.lock'), garbage);
    writeFileSync(path.join(baseDir, 'wl-daemon.lock-journal'), garbage);
    writeFileSync(path.join(baseDir, 'wl-daemon.lock-wal'), garbage);
    writeFileSync(path.join(baseDir, 'wl-daemon.pid'), String(process.ppid));
    acquire();
    expect(acquireBaseLock(baseDir)).toEqual({ ok: false, error: 'held' });
    expect(readBaseLockOwner(baseDir)).toBe(process.pid);
  });

  it('T28: goes to exactly one of several that come at once, whatever is in the file', async () => {
    for (const garbage of [undefined, 'stale: 4711\n', 'x'.repeat(5000)]) {
      const place = mkdtempSync(path.join(scratch, 'race-'));
      if (garbage !== undefined) writeFileSync(path.join(place, 'wl-daemon.lock'), garbage);
      const rivals = Array.from({ length: 4 }, () => new Rival(place));
      for (const rival of rivals) expect(await rival.line()).toBe('ready');
      for (const rival of rivals) rival.go();
      const answers = await Promise.all(rivals.map((rival) => rival.line()));
      expect(answers.sort()).toEqual(['held', 'held', 'held', 'ok']);
      await Promise.all(rivals.map((rival) => rival.end('SIGKILL')));
    }
  });

  it('says what to do when there is no place for it', () => {
    expect(() => acquireBaseLock(path.join(baseDir, 'missing'))).toThrow(/io-error.*Check that .*missing is a directory/);
    mkdirSync(path.join(baseDir, 'wl-daemon.lock'));
    expect(() => acquireBaseLock(baseDir)).toThrow(/wl-daemon\.lock in it is a plain file/);
  });

  it('T09: does not need room for the name of its holder', () => {
    mkdirSync(path.join(baseDir, 'wl-daemon.pid'));
    const lock = acquire();
    expect(readBaseLockOwner(baseDir)).toBeUndefined();
    lock.release();
    expect(readFileSync(path.join(baseDir, 'wl-daemon.lock'), 'utf8')).toBe('');
  });
});
