/** Copies on the server, for those whose place is free; the others are told why not. */

import type { RelativePath } from '@wl/domain';
import { isBackendError, type CopyOutcome, type CopyRequest } from '@wl/ports';

import type { Directories } from './directories.js';
import { copyWithin, type CopyManner, type CopyOrigin, type CopyOutcomes } from './writing/copy-within.js';
import type { WriteContext } from './writing/context.js';

/** What copying needs. */
export interface PlacedCopiesParts {
  readonly context: WriteContext;
  readonly origin: CopyOrigin;
  readonly directories: Directories;
  readonly manner: CopyManner;
  readonly assertWritable: (operation: string, path: RelativePath) => void;
}

/** Copies all requests; each is answered once. */
export async function* copyPlaced(parts: PlacedCopiesParts, requests: readonly CopyRequest[], signal: AbortSignal): AsyncGenerator<CopyOutcomes> {
  const refused = await Promise.all(requests.map(({ path }) => refusalOf(parts, path, signal)));
  const known = refused.flatMap((outcome, index) => (outcome === undefined ? [] : [{ index, outcome }]));
  if (known.length > 0) yield known;
  const free = requests.map((_, index) => index).filter((index) => refused[index] === undefined);
  const wanted = free.map((index) => requests[index]!);
  for await (const outcomes of copyWithin(parts.context, parts.origin, wanted, signal, parts.manner)) {
    yield outcomes.map(({ index, outcome }) => ({ index: free[index]!, outcome }));
  }
}

/** Why nothing can be written at a place; `undefined` when it can. A stop is thrown. */
export async function refusalOf(
  { directories, assertWritable }: Pick<PlacedCopiesParts, 'directories' | 'assertWritable'>,
  path: RelativePath,
  signal: AbortSignal,
): Promise<Extract<CopyOutcome, { kind: 'target-changed' | 'failed' }> | undefined> {
  try {
    assertWritable('replace', path);
    return (await directories.checkPlace(path, 'replace', signal)) === 'taken' ? { kind: 'target-changed' } : undefined;
  } catch (error) {
    if (!isBackendError(error) || error.code === 'cancelled') throw error;
    return { kind: 'failed', error };
  }
}
