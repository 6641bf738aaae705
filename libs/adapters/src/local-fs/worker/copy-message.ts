/**
 * Files to be copied, and what became of them, as they cross a thread: texts joined, numbers in typed arrays. An object
 * each would take longer to be written and read again, twice on either side, than the file to be opened.
 */

import type { RelativePath, Sha256, Token } from '@wl/domain';
import { TOKEN_SEPARATOR, type FileAttributes } from '@wl/ports';

import type { CopyItem, CopyItemOutcome } from './copy-batch.js';

/** A batch of `CopyItem`s; what is the same for all of them, as nearly always, is left out. */
export interface PackedCopies {
  /** Joined by NUL, which no path has. */
  readonly paths: string;
  /** Missing where each file is copied from its own path. */
  readonly sourcePaths: string | undefined;
  /** Joined as in a listing: tokens of local files hold no line break. */
  readonly sourceTokens: string;
  /** Missing where none is known. */
  readonly sourceHashes: string | undefined;
  readonly sizes: Float64Array<ArrayBuffer>;
  /** Missing where none replaces anything; `NOTHING` for one that does not. */
  readonly replaces: string | undefined;
  /** Missing where all get what their source has. */
  readonly attributes: readonly (FileAttributes | undefined)[] | undefined;
}

/** The outcomes of a batch: those of files that were copied in columns, of which each has a row. */
export interface PackedOutcomes {
  /** For each item of the batch what is known of its copy, 0 where there is none. */
  readonly flags: Uint8Array<ArrayBuffer>;
  /** 64 hexadecimal digits a row. */
  readonly hashes: string;
  readonly sizes: Float64Array<ArrayBuffer>;
  /** Joined as in a listing. */
  readonly targetTokens: string;
  /** All that was not copied, by its place in the batch; an item that is in neither was not reached. */
  readonly others: readonly (readonly [index: number, outcome: CopyItemOutcome])[];
}

const PATH_SEPARATOR = '\0';
/** No token. */
const NOTHING = '\0';
const HASH_DIGITS = 64;

/** Bits of `PackedOutcomes.flags`. */
const [COPIED, SOURCE_RACY, TARGET_RACY] = [1, 2, 4];

export function packCopies(items: readonly CopyItem[]): PackedCopies {
  return {
    paths: items.map(({ path }) => path).join(PATH_SEPARATOR),
    sourcePaths: items.some(({ path, sourcePath }) => path !== sourcePath) ? items.map(({ sourcePath }) => sourcePath).join(PATH_SEPARATOR) : undefined,
    sourceTokens: items.map(({ sourceToken }) => sourceToken).join(TOKEN_SEPARATOR),
    sourceHashes: items.some(({ sourceHash }) => sourceHash !== '') ? items.map(({ sourceHash }) => sourceHash).join(TOKEN_SEPARATOR) : undefined,
    sizes: Float64Array.from(items, ({ sizeBytes }) => sizeBytes),
    replaces: items.some(({ replaces }) => replaces !== undefined) ? items.map(({ replaces }) => replaces ?? NOTHING).join(TOKEN_SEPARATOR) : undefined,
    attributes: items.some(({ attributes }) => attributes !== undefined) ? items.map(({ attributes }) => attributes) : undefined,
  };
}

export function unpackCopies({ paths, sourcePaths, sourceTokens, sourceHashes, sizes, replaces, attributes }: PackedCopies): CopyItem[] {
  const path = paths.split(PATH_SEPARATOR) as RelativePath[];
  const sourcePath = sourcePaths === undefined ? path : (sourcePaths.split(PATH_SEPARATOR) as RelativePath[]);
  const sourceToken = sourceTokens.split(TOKEN_SEPARATOR) as Token[];
  const sourceHash = sourceHashes?.split(TOKEN_SEPARATOR) as Sha256[] | undefined;
  const replaced = replaces?.split(TOKEN_SEPARATOR) as Token[] | undefined;
  return Array.from(sizes, (sizeBytes, index) => ({
    path: path[index]!,
    sourcePath: sourcePath[index]!,
    sourceToken: sourceToken[index]!,
    sourceHash: sourceHash?.[index] ?? '',
    sizeBytes,
    replaces: replaced === undefined || replaced[index] === NOTHING ? undefined : replaced[index],
    attributes: attributes?.[index],
  }));
}

export function packOutcomes(outcomes: readonly (CopyItemOutcome | undefined)[]): PackedOutcomes {
  const flags = new Uint8Array(outcomes.length);
  const sizes = new Float64Array(outcomes.length);
  const hashes: string[] = [];
  const targetTokens: Token[] = [];
  const others: [number, CopyItemOutcome][] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome?.kind === 'copied') {
      flags[index] = COPIED | (outcome.isSourceRacy ? SOURCE_RACY : 0) | (outcome.isTargetRacy ? TARGET_RACY : 0);
      sizes[hashes.length] = outcome.sizeBytes;
      hashes.push(outcome.sha256);
      targetTokens.push(outcome.targetToken);
    } else if (outcome !== undefined) {
      others.push([index, outcome]);
    }
  }
  return { flags, hashes: hashes.join(''), sizes, targetTokens: targetTokens.join(TOKEN_SEPARATOR), others };
}

export function unpackOutcomes({ flags, hashes, sizes, targetTokens, others }: PackedOutcomes): (CopyItemOutcome | undefined)[] {
  const tokens = targetTokens.split(TOKEN_SEPARATOR) as Token[];
  const outcomes: (CopyItemOutcome | undefined)[] = [];
  let row = 0;
  for (const flag of flags) {
    if ((flag & COPIED) === 0) {
      outcomes.push(undefined);
      continue;
    }
    outcomes.push({
      kind: 'copied',
      sha256: hashes.slice(row * HASH_DIGITS, (row + 1) * HASH_DIGITS) as Sha256,
      sizeBytes: sizes[row]!,
      isSourceRacy: (flag & SOURCE_RACY) !== 0,
      targetToken: tokens[row]!,
      isTargetRacy: (flag & TARGET_RACY) !== 0,
    });
    row += 1;
  }
  for (const [index, outcome] of others) outcomes[index] = outcome;
  return outcomes;
}
