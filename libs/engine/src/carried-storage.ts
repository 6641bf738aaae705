/**
 * A storage to which a dedicated syncer carries content in its own way, while everything else
 * about it stays as it is: the engine plans, and keeps baseline, conflicts and safety rules.
 *
 * INV-15, INV-27: what a carrier says it copied is believed only after both storages were asked
 * for the hash of what they hold; a carrier may come from a plugin. What does not match is a
 * failure of that path, and no baseline is written for it. Those that are built in may verify
 * themselves what they carry, as `copyFrom` of a storage does.
 */

import type { FileNode, Sha256 } from '@wl/domain';
import { BackendError, type CopyFrom, type CopyOutcome, type CopyRequest, type StorageBackend } from '@wl/ports';

/** The storages behind the wrappers: a storage has to recognise its own kind. */
const behind = new WeakMap<StorageBackend, StorageBackend>();

/** `storage`, with content carried to it by `carrier`; itself where there is none. `isVerified`: see `Carriers.areVerified`. */
export function carriedStorage(storage: StorageBackend, carrier: CopyFrom | undefined, isVerified = false): StorageBackend {
  if (carrier === undefined) return storage;
  const carried: StorageBackend = {
    backendId: storage.backendId,
    type: storage.type,
    displayLocation: storage.displayLocation,
    // Known only once it was opened.
    get capabilities() {
      return storage.capabilities;
    },
    open: (signal) => storage.open(signal),
    close: () => storage.close(),
    rootIdentity: (options) => storage.rootIdentity(options),
    list: (directory, options) => storage.list(directory, options),
    stat: (path) => storage.stat(path),
    getFileToken: (path) => storage.getFileToken(path),
    getHashes: (paths, signal) => storage.getHashes(paths, signal),
    read: (path, expected, signal) => storage.read(path, expected, signal),
    openForSafeReplace: (path, expected, attributes, signal) => storage.openForSafeReplace(path, expected, attributes, signal),
    remove: (path, expected) => storage.remove(path, expected),
    makeDirectory: (path, like) => storage.makeDirectory(path, like && (behind.get(like) ?? like)),
    removeDirectory: (path) => storage.removeDirectory(path),
    flush: () => storage.flush(),
    ...(storage.wholeFiles !== undefined && { wholeFiles: storage.wholeFiles }),
    ...(storage.inbox !== undefined && { inbox: storage.inbox }),
    get programs() {
      return storage.programs;
    },
    watcher: () => storage.watcher(),
    // What `copyFrom` of the storage is good for says nothing of the carrier: it is to take everything.
    copyFrom: (from, requests, signal) => {
      const source = behind.get(from) ?? from;
      // Within one storage nothing is carried anywhere.
      const outcomes = source === storage ? undefined : carrier(source, requests, signal);
      if (outcomes === undefined) return storage.copyFrom?.(source, requests, signal);
      return isVerified ? outcomes : verified(outcomes, requests, source, storage, signal);
    },
  };
  behind.set(carried, storage);
  return carried;
}

type Outcomes = NonNullable<ReturnType<CopyFrom>>;

async function* verified(
  outcomes: Outcomes,
  requests: readonly CopyRequest[],
  source: StorageBackend,
  target: StorageBackend,
  signal: AbortSignal | undefined,
): Outcomes {
  const open = new Set(requests.keys());
  for await (const batch of outcomes) {
    const checked: { index: number; outcome: CopyOutcome }[] = [];
    for (const { index, outcome } of batch) {
      const request = requests[index];
      if (request === undefined || !open.delete(index)) continue;
      checked.push({ index, outcome: outcome.kind === 'copied' ? await verify(request, source, target, signal) : outcome });
    }
    if (checked.length > 0) yield checked;
  }
  // "Each index once" is the carrier's duty; a path that it forgot is told, not lost.
  const forgotten = [...open].map((index) => ({ index, outcome: failed(requests[index]!, 'io-error', 'the syncer did not say what became of it') }));
  if (forgotten.length > 0) yield forgotten;
}

/** What both storages hold now; the words of the carrier itself are not used. */
async function verify(request: CopyRequest, source: StorageBackend, target: StorageBackend, signal: AbortSignal | undefined): Promise<CopyOutcome> {
  const { path, fromPath = path, from } = request;
  const [read] = await source.getHashes([fromPath], signal);
  if (read?.kind !== 'hashed' || !isVersion(read.node, from)) return { kind: 'source-changed' };
  const [written] = await target.getHashes([path], signal);
  if (written?.kind !== 'hashed' || written.node.hash !== read.node.hash) return failed(request, 'damaged', 'what the syncer carried is not what it was to carry');
  return {
    kind: 'copied',
    sha256: written.node.hash,
    sizeBytes: written.node.sizeBytes,
    sourceToken: read.node.token,
    isSourceRacy: read.node.isRacy,
    targetToken: written.node.token,
    isTargetRacy: written.node.isRacy,
  };
}

/** Whether this is the version that was to be copied: by token where it has a good one, else by hash. */
function isVersion(node: FileNode & { readonly hash: Sha256 }, wanted: FileNode): boolean {
  return node.token === wanted.token && (wanted.hash === undefined || wanted.hash === node.hash);
}

function failed({ path }: CopyRequest, code: 'damaged' | 'io-error', explanation: string): CopyOutcome {
  return { kind: 'failed', error: new BackendError(code, { operation: 'copy', path, retryable: true }, { explanation }) };
}
