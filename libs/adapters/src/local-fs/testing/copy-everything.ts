/**
 * A program for crash tests: copies all files of one directory over those of another, says
 * when it begins and ends, and may be killed at any time in between.
 *
 * Arguments: source, target.
 */

import { ROOT, type FileNode, type RelativePath, type Token } from '@wl/domain';
import { EntryKind, type CopyRequest } from '@wl/ports';

import { createLocalFsBackend } from '../create-local-fs-backend.js';
import type { LocalFsBackend } from '../local-fs-backend.js';

async function filesOf(backend: LocalFsBackend): Promise<Map<string, FileNode>> {
  const files = new Map<string, FileNode>();
  for await (const { keys, kinds, tokens, sizes, mtimes } of backend.list(ROOT)) {
    for (const [i, key] of keys.entries()) {
      if (kinds[i] !== EntryKind.file) continue;
      files.set(key, { kind: 'file', token: tokens[i] as Token, sizeBytes: sizes[i] ?? 0, mtimeMs: mtimes[i] ?? 0, hash: undefined, isRacy: false });
    }
  }
  return files;
}

async function main(): Promise<void> {
  const [source, target] = process.argv.slice(2).map((location) => createLocalFsBackend({ backendId: location, type: 'local', location }));
  if (source === undefined || target === undefined) throw new Error('give two directories');
  await source.open();
  await target.open();
  const existing = await filesOf(target);
  const requests: CopyRequest[] = [];
  for (const [key, from] of await filesOf(source)) requests.push({ path: key as RelativePath, from, replaces: existing.get(key) });
  process.stdout.write('begin\n');
  let copied = 0;
  for await (const results of target.copyFrom(source, requests) ?? []) copied += results.filter(({ outcome }) => outcome.kind === 'copied').length;
  await target.flush();
  process.stdout.write(`copied ${String(copied)}\n`);
  await target.close();
  await source.close();
}

void main();
