/**
 * What a pass over single names has to look at.
 */

import { ancestorsOf, directoryKey, type RelativePath } from '@wl/domain';

import type { PassContext } from './pass-context.js';

/**
 * Each point, or the outermost directory above it that is not one and the same for both sides
 * and the baseline: what is below it is decided by what becomes of it. Without points inside others.
 */
export async function widenPoints(points: readonly RelativePath[], context: PassContext): Promise<RelativePath[]> {
  const { filter } = context;
  const common = new Map<RelativePath, boolean>();
  const widened = new Set<RelativePath>();
  for (const point of points) {
    const ancestors = ancestorsOf(point);
    if (filter !== undefined && ancestors.some((path) => filter.ignores(path, true))) continue;
    let outermost = point;
    for (const path of ancestors) {
      const isCommon = common.get(path) ?? (await isCommonDirectory(path, context));
      common.set(path, isCommon);
      if (isCommon) continue;
      outermost = path;
      break;
    }
    widened.add(outermost);
  }
  return [...widened].filter((point) => !ancestorsOf(point).some((path) => widened.has(path)));
}

async function isCommonDirectory(path: RelativePath, { source, target, pair }: PassContext): Promise<boolean> {
  if (pair.get(directoryKey(path)) === undefined) return false;
  const looks = await Promise.allSettled([source.stat(path), target.stat(path)]);
  return looks.every((look) => look.status === 'fulfilled' && look.value.kind === 'directory');
}
