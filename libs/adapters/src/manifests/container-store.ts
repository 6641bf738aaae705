/**
 * The containers of one base directory: make, find, list, change, sign, delete.
 *
 * W-47 of the reference: a container without a uuid gets one once, and it is saved, so that job
 * ids stay the same.
 */

import { randomUUID } from 'node:crypto';

import { err, ok, type Result } from '@wl/domain';
import type { Container, StorageParams as AnyStorageParams } from '@wl/ports/schemas';

import { toUuidPath, uuidFirst, uuidOfPaths, type ContainerManifest } from './container-manifest.js';
import type { ManifestFiles } from './manifest-files.js';
import { nameOfManifest, toManifestName } from './naming.js';
import { forgetTarget } from './remembered-target.js';
import { setupError, type SetupError } from './setup-error.js';
import { duplicateBackendId, duplicateError, toInlineStorage, withNewBackendIds } from './storage-params.js';

/** What a new container is made of; everything may be left out. */
export interface NewContainer {
  /** Name of its file; the uuid where it is left out. */
  readonly name?: string | undefined;
  /** Beside the one that the uuid gives. */
  readonly paths?: readonly string[] | undefined;
  readonly title?: string | undefined;
  readonly categories?: readonly string[] | undefined;
  /** Patterns in gitignore syntax of what is left alone. */
  readonly ignore?: readonly string[] | undefined;
  /** A random `backend-id` is added where one is missing. */
  readonly storages?: readonly AnyStorageParams[] | undefined;
}

/** The containers that could be opened, and why the others were passed over. */
export interface ContainerListing {
  readonly containers: readonly ContainerManifest[];
  readonly problems: readonly SetupError[];
}

/** Edits a container's data in place; a refusal leaves the file as it is. */
export type ContainerChange = (draft: Container) => Result<void, SetupError> | Promise<Result<void, SetupError>>;

/** Containers, by their manifests. */
export class ContainerStore {
  constructor(
    private readonly files: ManifestFiles,
    private readonly makeUuid: () => string = () => randomUUID(),
  ) {}

  /** Makes a container, owned by the default user, who is made first where there is none. */
  async create(wanted: NewContainer = {}): Promise<Result<ContainerManifest, SetupError>> {
    const uuid = this.makeUuid();
    const name = toManifestName('container', wanted.name ?? uuid);
    if (!name.ok) return name;
    const storages = withNewBackendIds(wanted.storages ?? [], this.makeUuid);
    if (!storages.ok) return storages;
    const key = await this.files.users.ensureDefaultOwner();
    if (!key.ok) return key;
    const data: Container = {
      version: '1',
      object: 'container',
      owner: key.value.publicKey.fingerprint,
      paths: [toUuidPath(uuid), ...(wanted.paths ?? [])],
      ...(wanted.title === undefined ? {} : { title: wanted.title }),
      ...(wanted.categories === undefined ? {} : { categories: [...wanted.categories] }),
      access: [{ user: '*' }],
      ...(wanted.ignore === undefined ? {} : { ignore: [...wanted.ignore] }),
      backends: { storage: storages.value.map(toInlineStorage) },
    };
    const file = await this.files.create('container', name.value, data);
    return file.ok ? ok(toContainerManifest(file.value, data, uuid)) : file;
  }

  /** All containers that can be opened, by file name. */
  async list(): Promise<Result<ContainerListing, SetupError>> {
    const files = await this.files.list('container');
    if (!files.ok) return files;
    const containers: ContainerManifest[] = [];
    const problems: SetupError[] = [];
    for (const file of files.value) {
      const container = await this.#open(file);
      if (container.ok) containers.push(container.value);
      else problems.push(container.error);
    }
    return ok({ containers, problems });
  }

  /** Opens the container that the user calls `argument`: a name, a path, a `file://` URL. */
  async load(argument: string): Promise<Result<ContainerManifest, SetupError>> {
    const file = await this.files.find('container', argument);
    return file.ok ? this.#open(file.value) : file;
  }

  /** Changes a container; its uuid has to stay and no two storages may share a `backend-id`. */
  async update(container: Pick<ContainerManifest, 'file'>, change: ContainerChange): Promise<Result<ContainerManifest, SetupError>> {
    const { file } = container;
    let before: string | undefined;
    const data = await this.files.change('container', file, async (draft) => {
      before = uuidOfPaths(draft.paths);
      const changed = await change(draft);
      if (!changed.ok) return changed;
      draft.paths = uuidFirst(draft.paths);
      const uuid = uuidOfPaths(draft.paths);
      if (uuid === undefined || (before !== undefined && uuid !== before)) {
        return err(setupError('invalid', `${file} cannot be changed so: its path below /.uuid/ names the container and has to stay`, file));
      }
      const duplicate = duplicateBackendId(draft.backends.storage.flatMap(withBackendId));
      return duplicate === undefined ? ok(undefined) : err(duplicateError(duplicate, file));
    });
    return data.ok ? ok(toContainerManifest(file, data.value, uuidOfPaths(data.value.paths) ?? '')) : data;
  }

  /** Signs a container's manifest as it stands in its file, after the user changed it by hand. */
  async sign(argument: string): Promise<Result<ContainerManifest, SetupError>> {
    const file = await this.files.find('container', argument);
    if (!file.ok) return file;
    const signed = await this.files.sign('container', file.value);
    return signed.ok ? this.#open(file.value) : signed;
  }

  /**
   * Deletes a container's manifest and what was remembered for it; the data in its storages stays.
   * One that cannot be opened can be deleted if it at least has the name of a container manifest.
   */
  async delete(argument: string): Promise<Result<{ readonly file: string }, SetupError>> {
    const file = await this.files.find('container', argument);
    if (!file.ok) return file;
    const container = await this.files.open('container', file.value);
    if (!container.ok && !file.value.endsWith('.container.yaml')) return container;
    const removed = await this.files.remove(file.value);
    if (!removed.ok) return removed;
    const uuid = container.ok ? uuidOfPaths(container.value.data.paths) : undefined;
    const forgotten = uuid === undefined ? ok(undefined) : await forgetTarget(this.files.config, uuid);
    return forgotten.ok ? ok({ file: file.value }) : forgotten;
  }

  async #open(file: string): Promise<Result<ContainerManifest, SetupError>> {
    const opened = await this.files.open('container', file);
    if (!opened.ok) return opened;
    const { data } = opened.value;
    const uuid = uuidOfPaths(data.paths);
    if (uuid !== undefined) return ok(toContainerManifest(file, { ...data, paths: uuidFirst(data.paths) }, uuid));
    return this.update({ file }, (draft) => {
      // Another process may have been faster.
      if (uuidOfPaths(draft.paths) === undefined) draft.paths = [toUuidPath(this.makeUuid()), ...draft.paths];
      return ok(undefined);
    });
  }
}

function toContainerManifest(file: string, data: Container, uuid: string): ContainerManifest {
  return { file, name: nameOfManifest('container', file), owner: data.owner, uuid, data };
}

/** What names no id, or keeps it in a manifest of its own, is compared when the storages are enumerated. */
function withBackendId(item: Container['backends']['storage'][number]): readonly { readonly 'backend-id': string }[] {
  if (typeof item === 'string' || !('backend-id' in item) || item['backend-id'] === undefined) return [];
  return [{ 'backend-id': item['backend-id'] }];
}
