/**
 * Which two storages of a container a job syncs (reference §5.2, with the weaknesses W-08, W-41
 * and W-42 mended). Pure: the caller passes in what is configured.
 *
 * - Candidates are taken in manifest order, writable ones first.
 * - Source: the one asked for by backend-id or type, else the first local one.
 * - Target: the one asked for, else the one remembered, else the first remote one, else (all are
 *   local) the first that is not the source.
 * - What is chosen for one side without being asked for keeps off what the user named for the other.
 */

import { err, ok, type Result } from '@wl/domain';

import { duplicateBackendId, isLocal, type StorageParams } from './storage-params.js';

/** What is to be chosen from, and what the user said. */
export interface StorageChoice {
  /** For messages. */
  readonly containerName: string;
  /** In manifest order, the cache storage last. */
  readonly storages: readonly StorageParams[];
  /** `--source-storage`: a backend-id or a type. */
  readonly sourceStorage?: string | undefined;
  /** `--target-storage`: a backend-id or a type. */
  readonly targetStorage?: string | undefined;
  /** The backend-id in `default-remote-for-container`, if any. */
  readonly rememberedTarget?: string | undefined;
  /** Nothing is ever written to the source. */
  readonly isUnidirectional: boolean;
}

/** The two ends of a job. */
export interface ChosenStorages {
  readonly source: StorageParams;
  readonly target: StorageParams;
  /** The target's backend-id when the user named it: to be remembered once the job has started. */
  readonly rememberTarget: string | undefined;
  /** Sentences for the user. */
  readonly notices: readonly string[];
}

/** Why no pair was chosen; append-only. */
export type ChoiceRefusalCode =
  | 'no-storages'
  | 'one-storage'
  | 'duplicate-backend-id'
  | 'storage-not-found'
  | 'no-local-source'
  | 'no-target'
  | 'same-storage'
  | 'read-only-source'
  | 'read-only-target';

/** A mistake in what was asked for; `message` says what to do. */
export interface ChoiceRefusal {
  readonly code: ChoiceRefusalCode;
  readonly message: string;
}

/** Chooses source and target, or says why it cannot. */
export function chooseStorages(choice: StorageChoice): Result<ChosenStorages, ChoiceRefusal> {
  const { containerName, storages, isUnidirectional } = choice;
  const refuse = (code: ChoiceRefusalCode, message: string) => err({ code, message });
  const addStorage = `add one with: wl storage create <type> --container ${containerName}`;
  if (storages.length === 0) return refuse('no-storages', `container ${containerName} has no storage: ${addStorage}`);
  if (storages.length === 1) return refuse('one-storage', `container ${containerName} has only one storage, syncing needs two: ${addStorage}`);
  const duplicate = duplicateBackendId(storages);
  if (duplicate !== undefined) {
    return refuse('duplicate-backend-id', `Duplicate backend-id found: ${duplicate}, in container ${containerName}. Give one of the storages another`);
  }

  const candidates = [...storages.filter((storage) => !isReadOnly(storage)), ...storages.filter(isReadOnly)];
  for (const wanted of [choice.sourceStorage, choice.targetStorage]) {
    if (wanted === undefined || candidates.some((storage) => isCalled(storage, wanted))) continue;
    return refuse('storage-not-found', `Storage ${wanted} not found in container ${containerName}. It has: ${listOf(storages)}`);
  }

  const notices: string[] = [];
  const remembered = candidates.find((storage) => storage['backend-id'] === choice.rememberedTarget);
  if (choice.rememberedTarget !== undefined && choice.targetStorage === undefined && remembered === undefined) {
    notices.push(`The target used before, ${choice.rememberedTarget}, is no longer a storage of ${containerName}; choosing another.`);
  }

  // An id names one storage: when it is the target's, a source that nobody asked for has to be another.
  const namedTarget = candidates.find((storage) => storage['backend-id'] === choice.targetStorage);
  const expectedTarget = namedTarget ?? (choice.targetStorage === undefined ? remembered : undefined);
  const source =
    choice.sourceStorage === undefined
      ? (candidates.find((storage) => isLocal(storage) && storage !== expectedTarget) ??
        // What is only remembered must not leave the job without a source.
        (namedTarget === undefined ? candidates.find(isLocal) : undefined))
      : candidates.find((storage) => isCalled(storage, choice.sourceStorage));
  if (source === undefined) {
    return refuse('no-local-source', `No local storage backend found to be the source: name one with --source-storage. There are: ${listOf(storages)}`);
  }

  const target = chooseTarget(choice, candidates, source, expectedTarget);
  if (target === undefined) {
    if (choice.targetStorage !== undefined) {
      return refuse('same-storage', `${describe(source)} cannot be source and target at once: name another with --source-storage or --target-storage`);
    }
    return refuse('no-target', `No remote storage backend found to be the target: name one with --target-storage. There are: ${listOf(storages)}`);
  }
  if (isReadOnly(target)) {
    return refuse('read-only-target', `the target ${describe(target)} is read-only: name another with --target-storage, or make it writable`);
  }
  if (!isUnidirectional && isReadOnly(source)) {
    return refuse(
      'read-only-source',
      `the source ${describe(source)} is read-only, and a two-way sync writes to both sides: ` +
        'add --unidirectional, name another with --source-storage, or make it writable',
    );
  }
  if (expectedTarget !== undefined && expectedTarget === remembered && target !== expectedTarget) {
    notices.push(`The target used before, ${describe(expectedTarget)}, is the source now; choosing ${describe(target)}.`);
  }
  return ok({ source, target, rememberTarget: choice.targetStorage === undefined ? undefined : target['backend-id'], notices });
}

function chooseTarget(
  choice: StorageChoice,
  candidates: readonly StorageParams[],
  source: StorageParams,
  expected: StorageParams | undefined,
): StorageParams | undefined {
  const others = candidates.filter((storage) => storage !== source);
  if (choice.targetStorage !== undefined) {
    // An id that is the source's is no wish for another storage that happens to be of such a type.
    return expected === source ? undefined : (expected ?? others.find((storage) => storage.type === choice.targetStorage));
  }
  if (expected !== undefined && expected !== source) return expected;
  // A delegate only points at another container's storage.
  const usual = others.filter((storage) => storage.type !== 'delegate');
  return usual.find((storage) => !isLocal(storage)) ?? usual[0];
}

function isCalled(storage: StorageParams, wanted: string | undefined): boolean {
  return storage['backend-id'] === wanted || storage.type === wanted;
}

function isReadOnly(storage: StorageParams): boolean {
  return storage['read-only'] === true;
}

function describe(storage: StorageParams): string {
  return `'${storage.type}'(backend_id=${storage['backend-id']})`;
}

function listOf(storages: readonly StorageParams[]): string {
  return storages.map(describe).join(', ');
}
