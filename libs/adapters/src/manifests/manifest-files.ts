/**
 * What containers and storages have in common as files: finding, opening, changing, signing.
 * Every change is made to the manifest as it is at that moment, under its lock, is signed again
 * and appears whole or not at all; comments stay.
 */

import path from 'node:path';

import { ok, type Result } from '@wl/domain';

import type { ConfigStore, ConfigValues } from './config-store.js';
import { PRIVATE_FILE, readSmallFile, removeFile, replaceFile } from './durable-file.js';
import { parseEnvelope } from './envelope.js';
import { withFileLock } from './file-lock.js';
import { openManifest, readBody, toSignedManifest, validateManifest, type ManifestData, type OpenedManifest } from './manifest.js';
import { createManifestFile, findManifest, listManifestFiles, nameOfManifest } from './naming.js';
import type { SetupError } from './setup-error.js';
import type { UserStore } from './user-store.js';
import { writeYaml } from './yaml-edit.js';

type Kind = 'container' | 'storage';

/** Edits the data in place; a refusal leaves the file as it is. */
export type ManifestChange<K extends Kind> = (
  draft: ManifestData[K],
) => Result<void, SetupError> | Promise<Result<void, SetupError>>;

/** Manifest files of one base directory. */
export class ManifestFiles {
  /** `workingDirectory` is absolute: names given as paths are taken from there. */
  constructor(
    readonly config: ConfigStore,
    readonly users: UserStore,
    readonly workingDirectory: string,
  ) {}

  /** The settings in force. */
  async values(): Promise<Result<ConfigValues, SetupError>> {
    const loaded = await this.config.load();
    return loaded.ok ? ok(loaded.value.values) : loaded;
  }

  /** The file of the manifest that the user calls `argument`. */
  async find(kind: Kind, argument: string): Promise<Result<string, SetupError>> {
    const values = await this.values();
    if (!values.ok) return values;
    return findManifest(kind, argument, {
      directory: values.value[`${kind}-dir`],
      workingDirectory: this.workingDirectory,
      localHostname: values.value['local-hostname'],
    });
  }

  /** All files of that kind in their directory, sorted. */
  async list(kind: Kind): Promise<Result<readonly string[], SetupError>> {
    const values = await this.values();
    return values.ok ? listManifestFiles(values.value[`${kind}-dir`]) : values;
  }

  /** Opens a manifest. */
  async open<K extends Kind>(kind: K, file: string): Promise<Result<OpenedManifest<K>, SetupError>> {
    const bytes = readSmallFile(file);
    if (!bytes.ok) return bytes;
    const values = await this.values();
    if (!values.ok) return values;
    // In its own directory a name is enough; elsewhere only the path finds it again.
    const name = path.dirname(file) === values.value[`${kind}-dir`] ? nameOfManifest(kind, file) : file;
    return openManifest(kind, { file, name, bytes: bytes.value }, this.users);
  }

  /** Signs and writes a new manifest in its directory; returns the file. */
  async create<K extends Kind>(kind: K, name: string, data: ManifestData[K]): Promise<Result<string, SetupError>> {
    const valid = validateManifest(kind, data, `the new ${kind} ${name}`);
    if (!valid.ok) return valid;
    const values = await this.values();
    if (!values.ok) return values;
    const key = await this.users.secretKey(data.owner);
    if (!key.ok) return key;
    const body = Buffer.from(await writeYaml(undefined, data));
    return createManifestFile(kind, values.value[`${kind}-dir`], name, toSignedManifest(key.value, body));
  }

  /** Changes a manifest; returns its data as they are then. */
  async change<K extends Kind>(kind: K, file: string, change: ManifestChange<K>): Promise<Result<ManifestData[K], SetupError>> {
    return withFileLock<ManifestData[K]>(file, async () => {
      const opened = await this.open(kind, file);
      if (!opened.ok) return opened;
      const draft = structuredClone(opened.value.data);
      const changed = await change(draft);
      if (!changed.ok) return changed;
      const data = validateManifest(kind, draft, file);
      if (!data.ok) return data;
      const key = await this.users.secretKey(data.value.owner);
      if (!key.ok) return key;
      const body = Buffer.from(await writeYaml(opened.value.document, data.value));
      const written = await replaceFile(file, toSignedManifest(key.value, body), PRIVATE_FILE);
      return written.ok ? data : written;
    });
  }

  /** Signs a manifest as it stands, after the user wrote or changed it by hand: the body keeps its bytes. */
  async sign(kind: Kind, file: string): Promise<Result<void, SetupError>> {
    return withFileLock<void>(file, async () => {
      const bytes = readSmallFile(file);
      if (!bytes.ok) return bytes;
      const envelope = parseEnvelope(bytes.value);
      // Written by hand it need not have a header at all.
      const body = envelope.ok ? envelope.value.body : bytes.value;
      const read = await readBody(kind, file, body);
      if (!read.ok) return read;
      const key = await this.users.secretKey(read.value.data.owner);
      if (!key.ok) return key;
      return replaceFile(file, toSignedManifest(key.value, body), PRIVATE_FILE);
    });
  }

  /** Removes a manifest. */
  async remove(file: string): Promise<Result<void, SetupError>> {
    return withFileLock(file, () => removeFile(file));
  }
}
