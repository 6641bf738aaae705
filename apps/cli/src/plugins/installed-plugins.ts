/**
 * The plugins of a base directory as npm keeps them: `<base>/plugins` with a `package.json` that
 * lists them and the tarballs they were installed from. Whatever is added is packed first, so
 * that a folder is copied and a file that is moved away later is not missed.
 */

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { pluginsDirectory } from '@wl/adapters/plugins';

import { CommandFailure } from '../errors.js';
import type { NpmRun, RunNpm } from './npm.js';

/** A package as it was packed. */
export interface PackedPlugin {
  readonly name: string;
  readonly version: string;
}

const CODES_OF_NO_NETWORK = ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ERR_SOCKET_TIMEOUT', 'ENETUNREACH', 'EHOSTUNREACH', 'ENOTCACHED'];

/** Adds and removes packages. Methods throw `CommandFailure`. */
export class InstalledPlugins {
  readonly #directory: string;

  constructor(
    baseDirectory: string,
    private readonly npm: RunNpm,
  ) {
    this.#directory = pluginsDirectory(baseDirectory);
  }

  /** Installs a package, a tarball or a folder; `spec` as npm takes it, paths absolute. */
  async add(spec: string): Promise<PackedPlugin> {
    await this.#prepare();
    const packages = path.join(this.#directory, 'packages');
    const packed = await this.#run(`pack ${spec}`, ['pack', '--json', '--pack-destination', packages, '--', spec]);
    const { name, version, filename } = parsePacked(packed.stdout);
    await this.#install(path.join(packages, filename));
    return { name, version };
  }

  /** Removes a package and what it was installed from. */
  async remove(name: string): Promise<void> {
    const from = (await this.dependencies())[name];
    await this.#run(`remove ${name}`, ['uninstall', '--prefix', this.#directory, '--no-package-lock', '--', name]);
    const file = from?.startsWith('file:') === true ? path.resolve(this.#directory, from.slice('file:'.length)) : undefined;
    if (file?.startsWith(path.join(this.#directory, 'packages') + path.sep) === true) await rm(file, { force: true });
  }

  /** The packages that were added, with what npm knows of where they came from. */
  async dependencies(): Promise<Readonly<Record<string, string>>> {
    try {
      const { dependencies } = JSON.parse(await readFile(path.join(this.#directory, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> };
      return dependencies ?? {};
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw new CommandFailure(`unable to read ${this.#directory}/package.json: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #install(tarball: string): Promise<void> {
    await this.#run('install it', ['install', '--prefix', this.#directory, '--no-package-lock', '--omit=dev', '--', tarball]);
  }

  /** Without a `package.json` of its own npm would look for one in the folders above. */
  async #prepare(): Promise<void> {
    await mkdir(path.join(this.#directory, 'packages'), { recursive: true, mode: 0o700 });
    const manifest = `${JSON.stringify({ private: true, description: 'Plugins of wl; wl plugin add and remove keep this' }, null, 2)}\n`;
    await writeFile(path.join(this.#directory, 'package.json'), manifest, { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }

  async #run(what: string, args: readonly string[]): Promise<Extract<NpmRun, { kind: 'ended' }>> {
    const run = await this.npm(args);
    if (run.kind === 'missing') throw new CommandFailure('plugins are installed with npm, and there is no npm here: install it (it comes with Node.js) and run the command again');
    if (run.kind === 'timeout') throw new CommandFailure(`npm did not ${what} within the time it has; look whether the network works, and run the command again`);
    if (run.code === 0) return run;
    const { code, summary } = parseFailure(run);
    if (CODES_OF_NO_NETWORK.includes(code)) {
      throw new CommandFailure(`npm cannot reach its registry (${code}). A folder, or a tarball with all it needs, can be added without a network`);
    }
    throw new CommandFailure(`npm was unable to ${what}: ${summary}`);
  }
}

function parsePacked(stdout: string): PackedPlugin & { readonly filename: string } {
  try {
    const [packed] = JSON.parse(stdout) as { name?: unknown; version?: unknown; filename?: unknown }[];
    const { name, version, filename } = packed ?? {};
    if (typeof name === 'string' && typeof version === 'string' && typeof filename === 'string') {
      // Some versions of npm name the file of a scoped package as it is not called.
      return { name, version, filename: filename.replace(/^@/, '').replaceAll('/', '-') };
    }
  } catch {
    // Told below.
  }
  throw new CommandFailure('npm packed the plugin and did not say how it is called; a newer npm may');
}

/** What npm says of a failure, in its JSON or on standard error. */
function parseFailure({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): { readonly code: string; readonly summary: string } {
  const code = /^npm (?:error|ERR!) code (\S+)/m.exec(stderr)?.[1];
  try {
    const { error } = JSON.parse(stdout) as { error?: { code?: string; summary?: string } };
    if (error?.code !== undefined) return { code: error.code, summary: (error.summary ?? error.code).split('\n', 1)[0] ?? '' };
  } catch {
    // Not every command answers so.
  }
  const lines = stderr.split('\n').map((line) => line.replace(/^npm (?:error|ERR!) ?/, '').trim()).filter((line) => line !== '' && !/^(code|errno|syscall|path|A complete log)/.test(line));
  return { code: code ?? 'unknown', summary: lines[0] ?? code ?? 'it did not say why' };
}
