/** What crosses a thread comes out as it went in, whatever is left out on the way. */

import { describe, expect, it } from '@jest/globals';
import { NO_TOKEN, toRelativePath, type Sha256, type Token } from '@wl/domain';

import type { CopyItem, CopyItemOutcome } from './copy-batch.js';
import { packCopies, packOutcomes, unpackCopies, unpackOutcomes } from './copy-message.js';

const at = toRelativePath;
const token = (text: string): Token => text as Token;
const hash = (digit: string): Sha256 => digit.repeat(64) as Sha256;

const PLAIN: CopyItem = {
  path: at('d/ä'),
  sourcePath: at('d/ä'),
  sourceToken: token('1.2.3.4'),
  sourceHash: '',
  sizeBytes: 2 ** 40 + 1,
  replaces: undefined,
  attributes: undefined,
};

/** Each differs from `PLAIN` in one thing. */
const VARIANTS: Record<string, Partial<CopyItem>> = {
  'comes from another path': { sourcePath: at('from/elsewhere') },
  'has a known hash': { sourceHash: hash('a') },
  'replaces a version': { replaces: token('5.6.7.8') },
  'replaces a version that must be looked at again': { replaces: NO_TOKEN },
  'has attributes of its own': { attributes: { mtimeMs: 12.5, isExecutable: true } },
  'has no token': { sourceToken: NO_TOKEN },
  'has a name of two lines': { path: at('two\nlines'), sourcePath: at('two\nlines') },
  'is empty': { sizeBytes: 0 },
};

describe('files to be copied', () => {
  it.each(Object.entries(VARIANTS))('come out as they went in where one %s', (_, variant) => {
    for (const items of [[{ ...PLAIN, ...variant }], [PLAIN, { ...PLAIN, ...variant }, PLAIN]]) {
      expect(unpackCopies(structuredClone(packCopies(items)))).toEqual(items);
    }
  });

  it('may be none', () => {
    expect(unpackCopies(structuredClone(packCopies([])))).toEqual([]);
  });
});

describe('outcomes', () => {
  const copied: CopyItemOutcome = { kind: 'copied', sha256: hash('b'), sizeBytes: 7, isSourceRacy: false, targetToken: token('1.2.3.4'), isTargetRacy: false };
  const others: (CopyItemOutcome | undefined)[] = [
    undefined,
    { kind: 'source-changed' },
    { kind: 'target-changed' },
    { kind: 'target-changed', leftover: '.wl/trash/now/d/a' },
    { kind: 'failed', error: { code: 'no-space', message: 'full', details: { operation: 'copy', retryable: true } } as never },
  ];

  it('come out as they went in, each at its place', () => {
    const racy: CopyItemOutcome[] = [
      { ...copied, sha256: hash('c'), isSourceRacy: true },
      { ...copied, sha256: hash('d'), isTargetRacy: true, sizeBytes: 2 ** 45 },
      { ...copied, sha256: hash('e'), isSourceRacy: true, isTargetRacy: true, targetToken: NO_TOKEN },
    ];
    for (const outcomes of [[copied], others, [copied, ...others, ...racy, undefined], [...others, copied, ...racy], []]) {
      expect(unpackOutcomes(structuredClone(packOutcomes(outcomes)))).toEqual(outcomes);
    }
  });
});
