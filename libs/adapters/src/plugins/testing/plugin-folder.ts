/** A folder of the form of `node_modules`, into which a test puts packages. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A package as a test writes it: its files by name; `wildland` is the field of its package.json. */
export interface TestPackage {
  readonly version?: string;
  readonly wildland?: unknown;
  readonly files?: Readonly<Record<string, string>>;
}

/** A good syncer, as text. */
export const GOOD_SYNCER = `export default class {
  static SYNCER_NAME = 'fast';
  static SOURCE_TYPES = ['local'];
  static TARGET_TYPES = ['*'];
  static ONE_SHOT = true;
  constructor(context, host) { this.context = context; host.log('info', 'made'); }
  async one_shot_sync(options) { return this.context.generic().one_shot_sync(options); }
  iter_errors() { return []; }
}`;

/** A storage type that makes what it is told to, as text. */
export const GOOD_BACKEND = `export default {
  TYPE: 'shelf',
  FIELDS: { place: { description: 'where', required: true }, password: { secret: true } },
  create: (params) => ({ type: 'shelf', backendId: params['backend-id'] }),
}`;

/** One entry point of a module `./index.mjs`. */
export const entry = (name: string) => [{ name, module: './index.mjs' }];

/** The folder. */
export class PluginFolder {
  private constructor(readonly place: string) {}

  static async make(): Promise<PluginFolder> {
    return new PluginFolder(await mkdtemp(path.join(tmpdir(), 'wl-plugins-')));
  }

  async add(name: string, { version = '1.0.0', wildland, files = {} }: TestPackage): Promise<void> {
    const directory = path.join(this.place, name);
    await mkdir(directory, { recursive: true });
    for (const [file, text] of Object.entries(files)) await writeFile(path.join(directory, file), text);
    await writeFile(path.join(directory, 'package.json'), JSON.stringify({ name, version, wildland }));
  }

  /** Adds a plugin with a single syncer, whose module is that text. */
  addSyncer(name: string, text = GOOD_SYNCER, syncer = 'fast'): Promise<void> {
    return this.add(name, { wildland: { 'api-version': 1, storage_sync: entry(syncer) }, files: { 'index.mjs': text } });
  }

  /** Adds a plugin with a single storage type. */
  addBackend(name: string, text = GOOD_BACKEND, type = 'shelf'): Promise<void> {
    return this.add(name, { wildland: { 'api-version': 1, storage_backends: entry(type) }, files: { 'index.mjs': text } });
  }

  remove(name: string): Promise<void> {
    return rm(path.join(this.place, name), { recursive: true });
  }

  close(): Promise<void> {
    return rm(this.place, { recursive: true, force: true });
  }
}
