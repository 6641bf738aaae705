/**
 * Ignore rules in the syntax of .gitignore (git's documentation of gitignore is the
 * reference), evaluated by the package `ignore`. The rules come with the job, so both
 * sides of a run see the same ones (T15).
 */

import type { RelativePath } from '@wl/domain';
import type { PathFilter } from '@wl/ports';
import ignore from 'ignore';

/** The rules a user gave, ready to ask. */
export function createIgnoreFilter(patterns: readonly string[]): PathFilter {
  // Names are compared as they are: `ignore` would fold case by default.
  const rules = ignore({ ignorecase: false }).add([...patterns]);
  return {
    patterns,
    ignores: (path: RelativePath, isDirectory: boolean) => rules.ignores(isDirectory ? `${path}/` : path),
  };
}
