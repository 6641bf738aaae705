/**
 * Which file systems other machines may change without this one's kernel hearing of it. INV-30:
 * there the absence of events says nothing. FUSE is not among them: most of it are disks of this
 * machine. Who syncs through sshfs sets a `watcher-interval`.
 */

import { statfs } from 'node:fs/promises';

/** Numbers of `linux/magic.h` and of the file systems' own sources, as `statfs` gives them. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x47504653, 'GPFS'],
  [0x0bd00bd0, 'Lustre'],
]);

/** Its usual name where a directory is on one of them; `type`: what `statfs` says, asked when left out. */
export async function networkFileSystem(directory: string, type?: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  const asked = type ?? (await statfs(directory).then((stats) => stats.type, () => undefined));
  // As a number of 32 bits, whose sign differs between systems.
  return asked === undefined ? undefined : NETWORK_FILE_SYSTEMS.get(asked >>> 0);
}
