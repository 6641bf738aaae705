/** The package as a user gets it: what is in the tarball, and the two commands it installs. */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { Run } from './testing/child.js';
import { hasProgram, itWith, type Means } from './testing/means.js';
import { isRunning } from './testing/processes.js';
import { CHECKOUT } from './testing/programs.js';
import { plant, treeOf } from './testing/tree.js';
import { until } from './testing/until.js';
import { World } from './testing/world.js';

/** Packing and installing fetch and unpack things. Milliseconds. */
const LIMIT_MS = 300_000;

/** What `npm pack --json` tells of a tarball. */
interface Tarball {
  readonly filename: string;
  readonly version: string;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

let world: World;
let packed: Tarball;
beforeAll(() => {
  world = new World();
  packed = pack(world.folder('packed'));
}, LIMIT_MS);
afterAll(() => world.close());

describe('the tarball of npm pack', () => {
  it('holds the programs, their schemas, the licence and the readme, and no sources, maps or tests', () => {
    const names = packed.files.map(({ path: name }) => name);
    for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']) expect(names).toContain(name);
    for (const name of ['dist/cli/wl.cjs', 'dist/cli/cli.cjs', 'dist/daemon/wl-sync-daemon.cjs', 'dist/daemon/daemon.cjs', 'dist/daemon/local-fs-worker.cjs', 'dist/daemon/ssh-client.cjs']) {
      expect(names).toContain(name);
    }
    for (const app of ['cli/cli', 'daemon/daemon']) expect(names).toContain(`dist/${app}.cjs.LEGAL.txt`);
    expect(names).toContain('schemas/status.schema.json');
    expect(names).toContain('dist/plugin-kit/template/package.json');
    const allowed = /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/(cli|daemon)\/[a-z-]+\.cjs(\.LEGAL\.txt)?|dist\/plugin-kit\/(wl-plugin-kit-[0-9.]+\.tgz|template\/.+)|schemas\/[a-z-]+\.schema\.json)$/;
    expect(names.filter((name) => !allowed.test(name))).toEqual([]);
    const executable = packed.files.filter(({ mode }) => (mode & 0o111) !== 0).map(({ path: name }) => name);
    expect(executable.sort()).toEqual(['dist/cli/wl.cjs', 'dist/daemon/wl-sync-daemon.cjs']);
  });
});

describe('the installed package', () => {
  itWith(
    npmWithPackages(),
    'gives the two commands, and they sync two folders without the checkout',
    async (npm) => {
      const prefix = world.path('prefix');
      const install = ['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', '--prefer-offline', path.join(world.path('packed'), packed.filename)];
      const installed = spawnSync(npm, install, { cwd: world.home, env: process.env, encoding: 'utf8', timeout: LIMIT_MS });
      if (installed.status !== 0) throw new Error(`npm install failed: ${installed.stderr}`);

      const bin = (name: string): string => path.join(prefix, 'bin', name);
      const run = async (...command: string[]): Promise<Run> => {
        const ended = await world.start(command, { env: { ...world.env, PATH: `${path.join(prefix, 'bin')}:${process.env['PATH'] ?? ''}` } }).ended;
        if (ended.code !== 0) throw new Error(`${command.join(' ')} ended with ${ended.code ?? ended.signal}: ${ended.stdout}${ended.stderr}${world.log()}`);
        return ended;
      };
      expect((await run(bin('wl'), '--version')).stdout).toBe(`wl ${packed.version}\n`);
      expect((await run(bin('wl-sync-daemon'), '--version')).stdout).toBe(`wl-sync-daemon ${packed.version}\n`);

      const [left, right] = [world.folder('left'), world.folder('right')];
      plant(left, { 'a.txt': 'a', 'd/b.txt': 'b' });
      plant(right, { 'c.txt': 'c' });
      await run('wl', 'container', 'create', 'docs', '--storage', left, '--storage', right);
      await run('wl', 'container', 'sync', '--one-shot', 'docs');
      expect(treeOf(right)).toEqual({ 'a.txt': 'a', 'c.txt': 'c', 'd/': 'dir', 'd/b.txt': 'b' });
      expect(treeOf(left)).toEqual(treeOf(right));

      await run('wl', 'container', 'sync', 'docs');
      await world.untilSynced();
      plant(left, { 'later.txt': 'later' });
      await world.untilSame(left, right);
      expect((await run('wl', 'status')).stdout).toMatch(/docs (SYNCED|RUNNING) 'local'\(backend_id=[0-9a-f-]{36}\) <-> 'local'/);
      const pid = world.daemonPid();
      expect(runsFrom(prefix, pid)).toBe(true);
      await run('wl', 'stop');
      await until(() => !isRunning(pid), 'the daemon to end');
      expect(existsSync(world.socket)).toBe(false);

      const daemon = world.start([bin('wl-sync-daemon'), '--log-path', '-']);
      await until(() => world.status(), 'the daemon to listen');
      daemon.kill('SIGTERM');
      expect(await daemon.ended).toMatchObject({ code: 0, signal: null });
    },
    LIMIT_MS,
  );
});

/** Packs what is built: building anew here would put the programs of other tests away under them. */
function pack(directory: string): Tarball {
  const { status, stdout, stderr } = spawnSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', directory], { cwd: CHECKOUT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm pack failed: ${stderr}`);
  const [tarball] = JSON.parse(stdout) as Tarball[];
  if (tarball === undefined) throw new Error(`npm pack made nothing: ${stdout}`);
  return tarball;
}

/** npm, where it can get the packages with native code that ours depends on, from a registry or its cache. */
function npmWithPackages(): Means<string> {
  const npm = hasProgram('npm');
  if ('missing' in npm) return npm;
  const { dependencies } = JSON.parse(readFileSync(path.join(CHECKOUT, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  const wanted = Object.entries(dependencies).map(([name, version]) => `${name}@${version}`);
  const patience = ['--prefer-offline', '--fetch-retries=0', '--fetch-timeout=15000'];
  const trial = spawnSync(npm.value, ['cache', 'add', ...patience, ...wanted], { encoding: 'utf8', timeout: 60_000 });
  return trial.status === 0 ? npm : { missing: `npm gets no packages: ${trial.error?.message ?? /^npm error code (.*)$/m.exec(trial.stderr)?.[1] ?? 'no answer'}` };
}

/** Whether the process runs a program below `directory` (Linux; taken for granted elsewhere). */
function runsFrom(directory: string, pid: number): boolean {
  return process.platform !== 'linux' || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(directory);
}
