import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pluginPlaces } from '@wl/adapters/plugins';
import { SyncerRegistry } from '@wl/engine';
import type { PluginHost, Syncer } from '@wl/ports';
import { ManualClock } from '@wl/ports/testing';

import { createPlugins } from './plugins.js';

const SYNCER = `export default class {
  static SYNCER_NAME = 'fast'; static SOURCE_TYPES = ['*']; static TARGET_TYPES = ['*']; static ONE_SHOT = true;
  constructor(context, host) { globalThis.wlGiven = Object.keys(host.kit); host.log('warn', 'here'); }
  one_shot_sync() {}
  iter_errors() { return []; }
}`;

describe('the plugins of a daemon', () => {
  let place: string;
  beforeEach(() => {
    place = mkdtempSync(path.join(tmpdir(), 'wl-daemon-plugins-'));
  });
  afterEach(() => rmSync(place, { recursive: true }));

  const add = (name: string, text: string): void => {
    mkdirSync(path.join(place, name));
    writeFileSync(path.join(place, name, 'index.mjs'), text);
    writeFileSync(path.join(place, name, 'package.json'), JSON.stringify({ name, version: '1.0.0', wildland: { 'api-version': 1, storage_sync: [{ name: 'fast', module: './index.mjs' }] } }));
  };

  function bench() {
    const registry = new SyncerRegistry();
    registry.register({ traits: { SYNCER_NAME: 'generic', SOURCE_TYPES: ['*'], TARGET_TYPES: ['*'], CONTINUOUS: true, ONE_SHOT: true, UNIDIRECTIONAL: true, REQUIRES_MOUNT: false }, create: () => ({}) as Syncer });
    const log: unknown[] = [];
    const plugins = createPlugins({
      places: [place], builtInTypes: ['local'], registry, clock: new ManualClock(), limitMs: 20_000,
      log: (...entry) => void log.push(entry),
      importModule: (url) => import(url) as Promise<{ default?: unknown }>,
    });
    return { registry, plugins, log, names: () => registry.definitions.map(({ traits }) => traits.SYNCER_NAME) };
  }

  it('are registered behind what is built in, and go again', async () => {
    const { plugins, names } = bench();
    add('wl-fast', SYNCER);
    await plugins.reload();
    await plugins.reload();
    expect(names()).toEqual(['generic', 'fast']);
    rmSync(path.join(place, 'wl-fast'), { recursive: true });
    await plugins.reload();
    expect(names()).toEqual(['generic']);
  });

  it('are given the kit and a log that names them', async () => {
    const { plugins, registry, log } = bench();
    add('wl-fast', SYNCER);
    await plugins.reload();
    registry.find('fast')!.create({ events: {} } as never);
    expect((globalThis as { wlGiven?: string[] }).wlGiven).toEqual(expect.arrayContaining(['createBackend', 'BackendError', 'PLUGIN_API_VERSION'] satisfies string[]));
    expect(log).toContainEqual(['warn', 'here', { plugin: 'wl-fast' } satisfies Partial<Record<keyof PluginHost | 'plugin', string>>]);
  });

  it('that are refused are in the log with the reason', async () => {
    const { plugins, log, names } = bench();
    add('wl-bad', 'throw new Error("no such luck")');
    expect(await plugins.reload()).toMatchObject([{ name: 'wl-bad', state: 'refused' }]);
    expect(log).toEqual([['warn', 'plugin refused', { plugin: 'wl-bad@1.0.0', reasons: './index.mjs throws when it is loaded: no such luck' }]]);
    expect(names()).toEqual(['generic']);
  });

  it('are looked for in the base directory, and beside the program where that is an installed package', () => {
    expect(pluginPlaces('/base', '/usr/lib/node_modules/wl/dist/daemon/')).toEqual(['/base/plugins/node_modules', '/usr/lib/node_modules']);
    expect(pluginPlaces('/base', '/home/ann/wl/dist/daemon/')).toEqual(['/base/plugins/node_modules']);
  });
});
