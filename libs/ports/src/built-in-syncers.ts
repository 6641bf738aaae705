/**
 * The syncers that are built in, by their traits: one table for the daemon, which makes them, and
 * for the command line, which shows them. The order is that in which they are registered.
 */

import type { SyncerTraits } from '@wl/domain';

/** Types of storage that are a directory of this machine. */
export const LOCAL_STORAGE_TYPES = ['local', 'local-cached', 'local-dir-cached'] as const;

/** What a built-in syncer is. */
export interface BuiltInSyncer extends SyncerTraits {
  /** What it is good for, one line without a full stop. */
  readonly ABOUT: string;
}

const EVERY_KIND_OF_JOB = { CONTINUOUS: true, ONE_SHOT: true, UNIDIRECTIONAL: true, REQUIRES_MOUNT: false } as const;

/** Any storage with any other. */
export const GENERIC_TRAITS: BuiltInSyncer = {
  SYNCER_NAME: 'generic',
  SOURCE_TYPES: ['*'],
  TARGET_TYPES: ['*'],
  ...EVERY_KIND_OF_JOB,
  ABOUT: 'any storage with any other; has storages copy among themselves where they can',
};

/** Two places of one S3 endpoint, nothing through this machine. */
export const S3_COPY_TRAITS: BuiltInSyncer = {
  SYNCER_NAME: 's3-copy',
  SOURCE_TYPES: ['s3'],
  TARGET_TYPES: ['s3'],
  ...EVERY_KIND_OF_JOB,
  BY_NAME_ONLY: true,
  ABOUT: 'two places of one S3 endpoint; the server copies, or the file is reported: nothing is sent through this machine instead',
};

/** Two directories of this machine, sharing blocks where the file system can. */
export const LOCAL_COPY_TRAITS: BuiltInSyncer = {
  SYNCER_NAME: 'local-copy',
  SOURCE_TYPES: LOCAL_STORAGE_TYPES,
  TARGET_TYPES: LOCAL_STORAGE_TYPES,
  ...EVERY_KIND_OF_JOB,
  BY_NAME_ONLY: true,
  ABOUT: 'two directories on one file system that shares blocks (XFS, Btrfs): copies of whatever size take no room',
};

/** The system's rsync brings files from wherever the source is mounted to a disk of this machine. */
export const RSYNC_TRAITS: BuiltInSyncer = {
  SYNCER_NAME: 'rsync',
  SOURCE_TYPES: ['*'],
  TARGET_TYPES: LOCAL_STORAGE_TYPES,
  CONTINUOUS: false,
  ONE_SHOT: true,
  UNIDIRECTIONAL: true,
  REQUIRES_MOUNT: true,
  BY_NAME_ONLY: true,
  ABOUT: 'one way and once; the system\'s rsync brings the files of a mounted source, and each is verified before it shows',
};

/** All of them. */
export const BUILT_IN_SYNCERS: readonly BuiltInSyncer[] = [GENERIC_TRAITS, S3_COPY_TRAITS, RSYNC_TRAITS, LOCAL_COPY_TRAITS];
