/**
 * `config.yaml` of a base directory (reference §4), in three layers: defaults, the file, what the
 * command line overrides.
 *
 * Changes keep the user's comments and order, are made to the file as it is at that moment, under
 * a lock, and appear whole or not at all (W-48 of the reference).
 */

import path from 'node:path';

import { err, ok, type Result } from '@wl/domain';
import { validateConfig, type Config } from '@wl/ports/schemas';
import type { Document } from 'yaml';

import { makePrivateDirectory, PRIVATE_FILE, readSmallFile, replaceFile } from './durable-file.js';
import { withFileLock } from './file-lock.js';
import { defaultFsSocketPath, defaultSyncSocketPath, homeDirectory, type Environment } from './paths.js';
import { describeSchemaErrors, unknownKeyOf } from './schema-errors.js';
import { setupError, type SetupError } from './setup-error.js';
import { parseStrictYaml } from './strict-yaml.js';
import { isSame, writeYaml } from './yaml-edit.js';

/** Keys that have no default. */
type OptionalKey = '@default' | '@default-owner' | 'default-cache-template';

/** Every setting with its value in force. */
export type ConfigValues = Readonly<Required<Omit<Config, OptionalKey>> & Pick<Config, OptionalKey>>;

/** The configuration as it was read. */
export interface LoadedConfig {
  readonly values: ConfigValues;
  /** What the file itself says, without defaults and overrides. */
  readonly saved: Readonly<Config>;
  /** Sentences for the user, e.g. about an obsolete key. */
  readonly warnings: readonly string[];
}

/** Where the configuration is and what stands above it. */
export interface ConfigStoreOptions {
  /** Absolute. */
  readonly baseDirectory: string;
  readonly env: Environment;
  /** From the command line; never saved. */
  readonly overrides?: Readonly<Config>;
}

/** What is done to the settings of the file; a refusal leaves the file as it is. */
export type ConfigChange = (draft: Config) => void | Promise<Result<void, SetupError>>;

interface ParsedConfig {
  readonly saved: Config;
  readonly document: Document | undefined;
  readonly warnings: readonly string[];
}

/** The configuration of one base directory. */
export class ConfigStore {
  readonly baseDirectory: string;
  /** `config.yaml`. */
  readonly file: string;
  readonly #env: Environment;
  readonly #overrides: Readonly<Config>;
  /** What the file said when it was read last: a command asks half a dozen times, and parsing it takes longer than reading it. */
  #last: { readonly bytes: Buffer; readonly parsed: ParsedConfig } | undefined;

  constructor({ baseDirectory, env, overrides = {} }: ConfigStoreOptions) {
    this.baseDirectory = baseDirectory;
    this.file = path.join(baseDirectory, 'config.yaml');
    this.#env = env;
    this.#overrides = overrides;
  }

  /** Reads the configuration; a missing file says nothing, any other trouble with it is an error. */
  async load(): Promise<Result<LoadedConfig, SetupError>> {
    const parsed = await this.#read();
    return parsed.ok ? ok(this.#inForce(parsed.value)) : parsed;
  }

  /** Changes the file: `change` gets its settings as they are now and edits them in place. Makes base directory and file where needed. */
  async update(change: ConfigChange): Promise<Result<LoadedConfig, SetupError>> {
    const made = await makePrivateDirectory(this.baseDirectory);
    if (!made.ok) return made;
    return withFileLock(this.file, async () => {
      const parsed = await this.#read();
      // Its document is edited where the change is written.
      this.#last = undefined;
      if (!parsed.ok) return parsed;
      const draft = structuredClone(parsed.value.saved);
      const changed = await change(draft);
      if (changed?.ok === false) return changed;
      const refused = refusal(draft, this.file);
      if (refused !== undefined) return err(refused);
      if (!isSame(draft, parsed.value.saved) || parsed.value.warnings.length > 0) {
        const text = await writeYaml(parsed.value.document, draft);
        const written = await replaceFile(this.file, Buffer.from(text), PRIVATE_FILE);
        if (!written.ok) return written;
      }
      return ok(this.#inForce({ ...parsed.value, saved: draft }));
    });
  }

  async #read(): Promise<Result<ParsedConfig, SetupError>> {
    const bytes = readSmallFile(this.file);
    if (!bytes.ok) {
      return bytes.error.code === 'not-found' ? ok({ saved: {}, document: undefined, warnings: [] }) : bytes;
    }
    if (this.#last?.bytes.equals(bytes.value) === true) return ok(this.#last.parsed);
    const yaml = await parseStrictYaml(bytes.value, this.file);
    if (!yaml.ok) return yaml;
    const warnings: string[] = [];
    const saved = withoutObsoleteKeys(yaml.value.value ?? {}, this.file, warnings);
    const refused = refusal(saved, this.file);
    if (refused !== undefined) return err(refused);
    const parsed: ParsedConfig = { saved: saved as Config, document: yaml.value.document, warnings };
    this.#last = { bytes: bytes.value, parsed };
    return ok(parsed);
  }

  #inForce({ saved, warnings }: ParsedConfig): LoadedConfig {
    return { values: { ...configDefaults(this.baseDirectory, this.#env), ...saved, ...this.#overrides }, saved, warnings };
  }
}

/** What holds where neither file nor command line says anything. */
export function configDefaults(baseDirectory: string, env: Environment): ConfigValues {
  const below = (name: string): string => path.join(baseDirectory, name);
  return {
    'user-dir': below('users'),
    'storage-dir': below('storage'),
    'cache-dir': below('cache'),
    'container-dir': below('containers'),
    'bridge-dir': below('bridges'),
    'key-dir': below('keys'),
    'template-dir': below('templates'),
    'mount-dir': path.join(homeDirectory(env), 'wildland'),
    'fs-socket-path': defaultFsSocketPath(baseDirectory, env),
    'sync-socket-path': defaultSyncSocketPath(baseDirectory, env),
    'alt-bridge-separator': false,
    dummy: false,
    aliases: {},
    'local-hostname': 'localhost',
    'local-owners': [],
    'default-containers': [],
    'default-remote-for-container': {},
  };
}

/** Keys of older versions, turned into today's; one warning each. */
function withoutObsoleteKeys(value: unknown, file: string, warnings: string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const settings = { ...(value as Record<string, unknown>) };
  const renamed = { 'local-signers': 'local-owners', '@default-signer': '@default-owner' };
  for (const [old, today] of Object.entries(renamed)) {
    if (!(old in settings)) continue;
    if (!(today in settings)) settings[today] = settings[old];
    delete settings[old];
    warnings.push(`${file}: the key '${old}' is now called '${today}'; it is used as such and will be renamed with the next change`);
  }
  const dropped = 'default-storage-set-for-user';
  if (dropped in settings) {
    delete settings[dropped];
    warnings.push(`${file}: the key '${dropped}' has no meaning any more; it will be removed with the next change`);
  }
  return settings;
}

function refusal(settings: unknown, file: string): SetupError | undefined {
  if (validateConfig(settings)) return undefined;
  const unknown = unknownKeyOf(validateConfig.errors);
  if (unknown !== undefined) {
    const known = [...Object.keys(configDefaults('/', {})), '@default', '@default-owner', 'default-cache-template'];
    const message = `${file} has the unknown key '${unknown}': correct its spelling or remove it. Known keys: ${known.sort().join(', ')}`;
    return setupError('unknown-key', message, file);
  }
  return setupError('invalid', `${file} cannot be used: ${describeSchemaErrors(validateConfig.errors, 'the configuration')}`, file);
}
