import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { err, ok } from '@wl/domain';
import type { PluginHost } from '@wl/ports';
import { validateStatusPlugin } from '@wl/ports/schemas';
import { ManualClock } from '@wl/ports/testing';

import { PluginLoader, type LoaderParts } from './plugin-loader.js';
import { startTrial, type Trial } from './trial.js';
import { entry, GOOD_SYNCER, PluginFolder } from './testing/plugin-folder.js';

let folder: PluginFolder;
beforeEach(async () => {
  folder = await PluginFolder.make();
});
afterEach(() => folder.close());

/** Sees what the thread of a real trial sees (`trial.spec.ts`), without the time that a thread takes. */
const trialHere: Trial = async (url) => {
  try {
    const { default: it } = (await import(url)) as { default: Record<string, unknown> & { prototype?: object } };
    return ok({ kind: typeof it, values: { ...it }, functions: Object.keys(it), methods: Object.getOwnPropertyNames(it.prototype ?? {}) });
  } catch (error) {
    return err(`throws when it is loaded: ${(error as Error).message}`);
  }
};

function loader(overrides: Partial<LoaderParts> = {}): PluginLoader {
  return new PluginLoader({
    places: [folder.place],
    builtIn: { syncers: ['generic'], types: ['local', 's3'] },
    trial: trialHere,
    importModule: (url) => import(url) as Promise<{ default?: unknown }>,
    withinLimit: (loading) => loading,
    hostFor: (): PluginHost => ({ clock: new ManualClock(), log: () => undefined, kit: {} }),
    ...overrides,
  });
}

/** Loads, and gives the reasons of each plugin by its name; those of one that is in use are empty. */
async function reasons(overrides: Partial<LoaderParts> = {}): Promise<Record<string, readonly string[]>> {
  const { plugins } = await loader(overrides).load();
  for (const plugin of plugins) expect([plugin, validateStatusPlugin(plugin)]).toEqual([plugin, true]);
  return Object.fromEntries(plugins.map(({ name, state, reasons: why }) => [name, state === 'refused' ? why : []]));
}

describe('plugins', () => {
  it('are found by their package.json, scoped ones too, and loaded', async () => {
    await folder.addSyncer('wl-fast');
    await folder.addBackend('@ann/wl-shelf');
    await folder.add('left-pad', {});
    const { plugins, syncers, backends } = await loader().load();
    expect(plugins).toEqual([
      {
        name: '@ann/wl-shelf',
        version: '1.0.0',
        place: path.join(folder.place, '@ann/wl-shelf'),
        state: 'loaded',
        reasons: [],
        syncers: [],
        backends: [{ type: 'shelf', fields: [{ name: 'place', description: 'where', required: true, secret: false }, { name: 'password', required: false, secret: true }] }],
      },
      { name: 'wl-fast', version: '1.0.0', place: path.join(folder.place, 'wl-fast'), state: 'loaded', reasons: [], syncers: ['fast'], backends: [] },
    ]);
    expect(syncers.map(({ traits, origin }) => [traits, origin])).toEqual([
      [
        { SYNCER_NAME: 'fast', SOURCE_TYPES: ['local'], TARGET_TYPES: ['*'], CONTINUOUS: false, ONE_SHOT: true, UNIDIRECTIONAL: false, REQUIRES_MOUNT: false },
        'wl-fast@1.0.0',
      ],
    ]);
    expect([...backends.keys()]).toEqual(['shelf']);
  });

  it('are none where there is no folder for them', async () => {
    expect(await loader({ places: [path.join(folder.place, 'none')] }).load()).toEqual({ syncers: [], backends: new Map(), plugins: [] });
  });

  it('that are refused keep nobody else from working', async () => {
    await folder.addSyncer('wl-bad', GOOD_SYNCER.replace('iter_errors', 'errors'));
    await folder.addSyncer('wl-worse', 'throw new Error("no such luck");');
    await folder.addBackend('wl-shelf');
    expect(await reasons()).toEqual({
      'wl-bad': ['syncer fast has no iter_errors'],
      'wl-worse': ['./index.mjs throws when it is loaded: no such luck'],
      'wl-shelf': [],
    });
  });

  it.each<[string, unknown, string]>([
    ['another version of the interface', { 'api-version': 2, storage_sync: 'whatever that has' }, 'it was built for version 2 of the plugin interface; this is version 1'],
    ['a field that is not as it should be', { 'api-version': 1, storage_sync: [{ name: 'fast' }] }, "its wildland field is not as it should be: storage_sync.0 must have required property 'module'"],
    ['a module that is not there', { 'api-version': 1, storage_sync: entry('fast') }, './index.mjs is missing in the package'],
  ])('are refused for %s', async (_what, wildland, reason) => {
    await folder.add('wl-bad', { wildland });
    expect(await reasons()).toEqual({ 'wl-bad': [reason] });
  });

  it('INV-34: are refused when a module lies outside the package, behind a link', async () => {
    const outside = await PluginFolder.make();
    try {
      await writeFile(path.join(outside.place, 'index.mjs'), GOOD_SYNCER);
      await folder.add('wl-bad', { wildland: { 'api-version': 1, storage_sync: entry('fast') } });
      await symlink(path.join(outside.place, 'index.mjs'), path.join(folder.place, 'wl-bad/index.mjs'));
      expect(await reasons()).toEqual({ 'wl-bad': ['./index.mjs lies outside the package'] });
    } finally {
      await outside.close();
    }
  });

  it('are refused when their names are taken, by what is built in or by another plugin', async () => {
    await folder.addSyncer('wl-a');
    await folder.addSyncer('wl-b');
    await folder.addSyncer('wl-generic', GOOD_SYNCER.replace("'fast'", "'generic'"), 'generic');
    await folder.addBackend('wl-s3', "export default { TYPE: 's3', create() {} }", 's3');
    expect(await reasons()).toEqual({
      'wl-a': [],
      'wl-b': ['a syncer fast is there already (from plugin wl-a)'],
      'wl-generic': ['a syncer generic is there already (built in)'],
      'wl-s3': ['a storage type s3 is there already (built in)'],
    });
  });

  it('of one name are taken from the place that goes before', async () => {
    const second = await PluginFolder.make();
    try {
      await folder.addSyncer('wl-fast');
      await second.addSyncer('wl-fast');
      const { plugins } = await loader({ places: [folder.place, second.place] }).load();
      expect(plugins.map(({ place }) => place)).toEqual([path.join(folder.place, 'wl-fast')]);
    } finally {
      await second.close();
    }
  });

  it('come and go while the daemon runs; one that is mended works then', async () => {
    // What fails in a trial must not stay in the memory of this process.
    const plugins = loader({ trial: startTrial(30_000) });
    await folder.addSyncer('wl-fast', 'throw new Error("not yet");');
    expect((await plugins.load()).syncers).toEqual([]);
    await folder.addSyncer('wl-fast');
    expect((await plugins.load()).syncers).toHaveLength(1);
    await folder.remove('wl-fast');
    expect(await plugins.load()).toEqual({ syncers: [], backends: new Map(), plugins: [] });
  });

  it('are outdated once they are installed anew, and work as they were', async () => {
    const plugins = loader();
    await folder.addSyncer('wl-fast');
    await plugins.load();
    await folder.remove('wl-fast');
    await folder.add('wl-fast', { version: '1.1.0', wildland: { 'api-version': 1, storage_sync: entry('fast') }, files: { 'index.mjs': 'throw 1' } });
    const { syncers, plugins: told } = await plugins.load();
    expect(syncers).toHaveLength(1);
    expect(told).toMatchObject([{ state: 'outdated', version: '1.1.0', reasons: ['version 1.1.0 is installed; 1.0.0 is in use until the daemon is started again (wl stop)'] }]);
  });

  it('are loaded once, however often somebody asks at the same time', async () => {
    await folder.addSyncer('wl-fast');
    let imports = 0;
    const plugins = loader({
      importModule: (url) => {
        imports += 1;
        return import(url) as Promise<{ default?: unknown }>;
      },
    });
    await Promise.all([plugins.load(), plugins.load(), plugins.load()]);
    expect(imports).toBe(1);
  });

  it('are refused when they pass the trial and then fail to load all the same', async () => {
    await folder.addSyncer('wl-fast');
    expect(await reasons({ importModule: () => Promise.reject(new Error('only once')) })).toEqual({ 'wl-fast': ['it cannot be loaded: only once'] });
  });
});
