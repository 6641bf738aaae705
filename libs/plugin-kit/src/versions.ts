/** Versions of files, as a driver shows them and as the ports name them. */

import { toSha256, type FileNode, type Token } from '@wl/domain';
import type { FileAttributes } from '@wl/ports';

import type { Attr, FileAttr } from './driver.js';

/** Whether a path holds the file of that token. */
export function isVersion(at: Attr | undefined, expected: string): at is FileAttr {
  return at?.kind === 'file' && expected !== '' && at.token === expected;
}

/** A file of the driver as a node. */
export function toNode({ token, size, mtime_ms: mtimeMs, sha256, is_racy: isRacy = false }: FileAttr): FileNode {
  const hash = sha256 === undefined ? undefined : toSha256(sha256);
  return { kind: 'file', token: token as Token, sizeBytes: size, mtimeMs, hash, isRacy };
}

/** What travels with its content. */
export function toAttributes({ mtime_ms: mtimeMs, is_executable: isExecutable }: FileAttr): FileAttributes {
  return { mtimeMs, ...(isExecutable !== undefined && { isExecutable }) };
}
