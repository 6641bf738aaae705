/** Plugins as their authors and users meet them: packed outside the workspace, installed, used, refused, begun. */

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { Run } from './testing/child.js';
import { hasProgram, itWith } from './testing/means.js';
import { CHECKOUT } from './testing/programs.js';
import { plant, treeOf } from './testing/tree.js';
import { World } from './testing/world.js';

/** npm packs and installs, and suites wait for a disk. Milliseconds. */
const LIMIT_MS = 300_000;

const EXAMPLE = path.join(CHECKOUT, 'examples/plugin-plain-folder');

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

async function run(command: readonly string[], cwd = world.home): Promise<Run> {
  const ended = await world.start(command, { cwd, limitMs: LIMIT_MS }).ended;
  if (ended.code !== 0) throw new Error(`${command.join(' ')} ended with ${ended.code ?? ended.signal}: ${ended.stdout.slice(-4000)}${ended.stderr.slice(-2000)}`);
  return ended;
}

/** Packs the example as its author would, apart from the workspace, and gives the tarball. */
async function packExample(npm: string): Promise<string> {
  const place = world.path('author');
  cpSync(EXAMPLE, place, { recursive: true });
  const { stdout } = await run([npm, 'pack', '--silent'], place);
  return path.join(place, stdout.trim());
}

/** Puts a plugin with one syncer module into the base directory, as an installation would have. */
function install(name: string, text: string, wildland: unknown = { 'api-version': 1, storage_sync: [{ name: 'fast', module: './index.mjs' }] }): void {
  const place = path.join(world.base, 'plugins/node_modules', name);
  mkdirSync(place, { recursive: true });
  writeFileSync(path.join(place, 'index.mjs'), text);
  writeFileSync(path.join(place, 'package.json'), JSON.stringify({ name, version: '1.0.0', wildland }));
}

describe('a plugin', () => {
  itWith(
    hasProgram('npm'),
    'is installed from its tarball into a fresh base directory, and the running daemon uses it at once',
    async (npm) => {
      const tarball = await packExample(npm);
      await world.wl('start');
      const pid = world.daemonPid();
      const added = await world.wl('plugin', 'add', tarball);
      expect(added.stdout).toBe('Installed plugin-plain-folder 0.1.0.\nplugin-plain-folder 0.1.0 (loaded): syncer plain-folder-once; storage type plain-folder\n');

      const [left, right] = [world.folder('left'), world.folder('right')];
      plant(left, { 'a.txt': 'a', 'd/b.txt': 'b' });
      await world.wl('container', 'create', 'docs');
      await world.wl('storage', 'create', 'local', '--container', 'docs', '--location', left, '--backend-id', 'left');
      const create = ['storage', 'create', 'other', '--type', 'plain-folder', '--container', 'docs', '--backend-id', 'right', '--watcher-interval', '1'];
      await world.wlEnds(1, ...create);
      // The first sync is one-way and once: what the plugin's syncer is there for.
      await world.wl(...create, '--field', `place=${right}`);
      expect(treeOf(right)).toEqual(treeOf(left));
      expect(world.log()).toContain('copied 2 files');

      const explained = await world.wl('container', 'sync', '--explain', '--one-shot', '--unidirectional', 'docs');
      expect(explained.stdout.split('\n')).toEqual([
        '* plain-folder-once (plugin plugin-plain-folder@0.1.0): names one of the types',
        '  generic (built in): could serve, but plain-folder-once names more of the types',
        '  s3-copy (built in): does not read from type local',
        '  rsync (built in): does not write to type plain-folder',
        '  local-copy (built in): does not write to type plain-folder',
        '',
      ]);
      const forced = await world.wlEnds(1, 'container', 'sync', '--syncer', 'plain-folder-once', 'docs');
      expect(forced.stderr).toContain('Syncer plain-folder-once cannot be used here: it cannot sync continuously.');

      await world.wl('container', 'sync', 'docs');
      await world.untilSynced();
      plant(left, { 'from-left.txt': 'left' });
      plant(right, { 'from-right.txt': 'right' });
      await world.untilSame(left, right);
      expect(treeOf(left)).toMatchObject({ 'from-left.txt': 'left', 'from-right.txt': 'right' });
      expect(world.daemonPid()).toBe(pid);

      // After a crash the job needs its plugin again.
      await world.crashDaemon();
      await world.wl('status');
      await world.untilSynced();
      plant(left, { 'later.txt': 'later' });
      await world.untilSame(left, right);

      await world.wl('container', 'stop-sync', 'docs');
      await world.wl('plugin', 'remove', 'plugin-plain-folder');
      expect((await world.wl('plugin', 'list')).stdout).toContain('There are no plugins.\nbuilt in: syncer generic');
      const without = await world.wlEnds(1, 'container', 'sync', '--one-shot', 'docs');
      expect(without.stderr).toContain('storage type plain-folder is not supported by this version, and no plugin serves it');
    },
    LIMIT_MS,
  );

  it('that throws, hangs, lacks what it promises, clashes or is of another version is refused by name, and the daemon runs on', async () => {
    const good = (name: string): string =>
      `export default class { static SYNCER_NAME = '${name}'; static SOURCE_TYPES = ['*']; static TARGET_TYPES = ['*']; static ONE_SHOT = true; one_shot_sync() {} iter_errors() { return []; } }`;
    const only = (name: string): unknown => ({ 'api-version': 1, storage_sync: [{ name, module: './index.mjs' }] });
    install('a-fine', good('fast'));
    install('b-throws', 'throw new Error("no such luck");');
    install('c-hangs', 'for (;;) {}');
    install('d-lacks', good('fast').replace('one_shot_sync', 'sync').replace('iter_errors', 'errors'));
    install('e-clashes', good('fast'));
    install('f-clashes', good('generic'), only('generic'));
    install('g-other-version', good('fast'), { 'api-version': 7 });
    install('h-exits', 'process.exit(1);');
    const doctor = await world.wlEnds(1, 'plugin', 'doctor');
    const lines = doctor.stdout.split('\n').filter((line) => !line.startsWith('   in '));
    expect(lines).toEqual([
      'a-fine 1.0.0 (loaded): syncer fast',
      'b-throws 1.0.0 (refused): syncer fast',
      '   ./index.mjs throws when it is loaded: no such luck',
      'c-hangs 1.0.0 (refused): syncer fast',
      '   ./index.mjs did not load within 5 s',
      'd-lacks 1.0.0 (refused): syncer fast',
      '   syncer fast has ONE_SHOT but no one_shot_sync',
      '   syncer fast has no iter_errors',
      'e-clashes 1.0.0 (refused): syncer fast',
      '   a syncer fast is there already (from plugin a-fine)',
      'f-clashes 1.0.0 (refused): syncer generic',
      '   a syncer generic is there already (built in)',
      'g-other-version 1.0.0 (refused): nothing',
      '   it was built for version 7 of the plugin interface; this is version 1',
      'h-exits 1.0.0 (refused): syncer fast',
      '   ./index.mjs ends the process when it is loaded (exit code 1)',
      '',
    ]);
    expect(world.log()).toMatch(/"plugin":"b-throws@1\.0\.0".*no such luck/);
    const pair = await world.unsyncedPair('docs');
    plant(pair.left, { a: 'a' });
    await world.wl('container', 'sync', '--one-shot', '--syncer', 'generic', 'docs');
    expect(treeOf(pair.right)).toEqual({ a: 'a' });
  }, LIMIT_MS);

  itWith(
    hasProgram('npm'),
    'that was begun with wl plugin new is the example, and passes its own tests with nothing but the kit',
    async (npm) => {
      await world.wl('plugin', 'new', world.path('plugin-plain-folder'), '--type', 'plain-folder');
      const place = world.path('plugin-plain-folder');
      expect(textsOf(place)).toEqual(textsOf(EXAMPLE));
      await run([npm, 'install', '--offline', '--no-audit', '--no-fund'], place);
      const { stdout } = await run([npm, 'test', '--', '--test-reporter=tap'], place);
      expect(stdout).toMatch(/^# fail 0$/m);
      expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(100);
    },
    LIMIT_MS,
  );
});

/** The files of a plugin, without what is installed or built. */
function textsOf(place: string): Record<string, string> {
  const names = readdirSync(place, { recursive: true, encoding: 'utf8' }).filter((name) => !/^(node_modules|vendor)(\/|$)|\.tgz$|package-lock/.test(name));
  const files = names.filter((name) => existsSync(path.join(place, name)) && path.extname(name) !== '');
  return Object.fromEntries(files.sort().map((name) => [name, readFileSync(path.join(place, name), 'utf8')]));
}
