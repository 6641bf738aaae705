/**
 * Looks for plugins: packages with a `wildland` field in their `package.json`, in folders of the
 * form of `node_modules`. Reads those files and nothing else: a storage is never a place to look
 * in, since whoever can write there would run code here.
 */

import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

import type { Result } from '@wl/domain';
import type { Plugin } from '@wl/ports/schemas';

import { readPluginManifest } from './plugin-manifest.js';

/** A plugin that was found. */
export interface FoundPlugin {
  /** Name of the package. */
  readonly name: string;
  readonly version: string;
  /** Its folder; absolute. */
  readonly directory: string;
  /** What it adds, or why that cannot be told. */
  readonly manifest: Result<Plugin, string>;
  /** Changes when it is installed anew: compare for equality only. */
  readonly stamp: string;
}

/** Larger than any `package.json`. */
const MAX_BYTES = 1024 * 1024;

/**
 * The plugins in `places` (absolute; a missing one holds none), by name within a place. A name
 * that was found before is left to the earlier place.
 */
export async function discoverPlugins(places: readonly string[]): Promise<FoundPlugin[]> {
  const found = new Map<string, FoundPlugin>();
  for (const place of places) {
    for (const directory of await packagesIn(place)) {
      const plugin = await readPackage(directory);
      if (plugin !== undefined && !found.has(plugin.name)) found.set(plugin.name, plugin);
    }
  }
  return [...found.values()];
}

async function packagesIn(place: string): Promise<string[]> {
  const packages: string[] = [];
  for (const name of await namesIn(place)) {
    const directory = path.join(place, name);
    if (name.startsWith('@')) packages.push(...(await namesIn(directory)).map((inner) => path.join(directory, inner)));
    else packages.push(directory);
  }
  return packages;
}

async function namesIn(place: string): Promise<string[]> {
  const names = await readdir(place).catch(() => []);
  return names.filter((name) => !name.startsWith('.')).sort();
}

/** `undefined` for whatever is no plugin. */
async function readPackage(directory: string): Promise<FoundPlugin | undefined> {
  const file = path.join(directory, 'package.json');
  try {
    const stats = await stat(file, { bigint: true });
    if (!stats.isFile() || stats.size > MAX_BYTES) return undefined;
    const data = JSON.parse(await readFile(file, 'utf8')) as Readonly<Record<string, unknown>> | null;
    if (typeof data !== 'object' || data === null || data['wildland'] === undefined) return undefined;
    const { name, version } = data;
    return {
      name: typeof name === 'string' && name !== '' ? name : path.basename(directory),
      version: typeof version === 'string' ? version : '0.0.0',
      directory,
      manifest: readPluginManifest(data['wildland']),
      // npm gives files of a package the same modification time again and again.
      stamp: `${String(stats.ino)}:${String(stats.ctimeNs)}`,
    };
  } catch {
    return undefined;
  }
}
