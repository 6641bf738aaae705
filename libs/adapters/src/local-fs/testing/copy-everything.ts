/**
 * A program for crash tests: copies all files of one directory over those of another, and says how
 * long that took, in milliseconds. It can kill itself in between: somebody else who is to do that
 * after so many milliseconds may come too late on a machine with other things to do.
 *
 * Arguments: source, target, milliseconds after which it kills itself (without: never).
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
  const [source, target] = process.argv.slice(2, 4).map((location) => createLocalFsBackend({ backendId: location, type: 'local', location }));
  if (source === undefined || target === undefined) throw new Error('give two directories');
  await source.open();
  await target.open();
  const existing = await filesOf(target);
  const requests: CopyRequest[] = [];
  for (const [key, from] of await filesOf(source)) requests.push({ path: key as RelativePath, from, replaces: existing.get(key) });
  const killAfter = process.argv[4];
  if (killAfter !== undefined) setTimeout(() => process.kill(process.pid, 'SIGKILL'), Number(killAfter));
  const beginMs = performance.now();
  for await (const results of target.copyFrom(source, requests) ?? []) {
    const other = results.find(({ outcome }) => outcome.kind !== 'copied');
    if (other !== undefined) throw new Error(`a file was not copied: ${other.outcome.kind}`);
  }
  await target.flush();
  process.stdout.write(String(performance.now() - beginMs));
  await target.close();
  await source.close();
}

void main();
