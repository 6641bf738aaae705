/**
 * What is known of a file's content before its bytes are: for stores that have to name what
 * they will be sent, and for telling damaged bytes from changed ones (INV-27).
 */

import { BackendError, type ContentIdentity, type CopyRequest, type StorageBackend } from '@wl/ports';

/**
 * The content that a copy will write, as far as it is known or had better be: hashed beforehand
 * where the store written to wants that for files of this size. `changed`: the source is another
 * version by now. What cannot be hashed is left to the reading, which tells why.
 */
export async function contentBeforehand(
  from: StorageBackend,
  to: StorageBackend,
  { path, from: version }: CopyRequest,
  signal: AbortSignal | undefined,
): Promise<ContentIdentity | undefined | 'changed'> {
  const { hash, sizeBytes, token } = version;
  if (hash !== undefined) return { sha256: hash, sizeBytes };
  const { hashFirstBytes } = to.capabilities;
  if (hashFirstBytes === undefined || sizeBytes < hashFirstBytes) return undefined;
  const [outcome] = await from.getHashes([path], signal);
  if (outcome === undefined || outcome.kind === 'unknown') return undefined;
  if (outcome.kind !== 'hashed' || outcome.node.token !== token) return 'changed';
  return { sha256: outcome.node.hash, sizeBytes: outcome.node.sizeBytes };
}

/** Whether bytes are other ones than their store recorded of them. */
export function isDamaged(recorded: ContentIdentity | undefined, { sha256, sizeBytes }: ContentIdentity): boolean {
  return recorded !== undefined && (recorded.sha256 !== sha256 || recorded.sizeBytes !== sizeBytes);
}

/** The failure to read such bytes. */
export function damagedSource(path: string): BackendError {
  const details = { operation: 'read', path, retryable: false };
  return new BackendError('damaged', details, { explanation: 'its bytes are not those that the storage recorded for this version' });
}
