/**
 * What the suites of `StorageBackend` are given: a backend, and the hands of somebody
 * outside it who changes the same storage with other tools.
 */

import type { StorageBackend } from '../../storage-backend.js';

/**
 * A storage of its own for one test, empty at the start. Paths are raw strings, since
 * people outside are not bound by our rules. Hooks that are left out skip their tests.
 */
export interface OpenBackend {
  /** Already open. */
  readonly backend: StorageBackend;
  /** Closes the backend and removes the storage with everything in it. */
  readonly close: () => Promise<void>;

  /** Writes a file in place, as `>` does in a shell, making the directories above it. */
  readonly writeOutside: (path: string, bytes: Uint8Array) => Promise<void>;
  /** The bytes of a file, `undefined` when none is there. */
  readonly readOutside: (path: string) => Promise<Uint8Array | undefined>;
  /** Removes a file, or a directory with everything in it. */
  readonly removeOutside: (path: string) => Promise<void>;
  /** Makes a directory and those above it. May do nothing where directories do not exist by themselves. */
  readonly mkdirOutside: (path: string) => Promise<void>;
  /** Renames a file or a directory. */
  readonly renameOutside: (from: string, to: string) => Promise<void>;
  /** Every path that a user can see below the root, in any order, without the reserved area. */
  readonly namesOutside: () => Promise<readonly string[]>;

  /**
   * The store itself may drop a write without a condition that meets another write in the same
   * instant, and say that it was done (Ceph's gateway): a save so lost was never there to be kept.
   */
  readonly dropsMeetingWrites?: boolean;
  /** Whether the store keeps the modification times it is given; default true. Without, it shows times of its own. */
  readonly keepsTimes?: boolean;
  /** How finely the store keeps modification times, in milliseconds; default 1. */
  readonly timeStepMs?: number;
  /** Whether names that begin with a dot are listed; default true. Without, the backend refuses to write them. */
  readonly listsDotNames?: boolean;
  /** Contents of everything in the trash. */
  readonly trashOutside?: () => Promise<readonly Uint8Array[]>;
  /** Makes a symbolic link. `target` is relative to the directory of the link. */
  readonly symlinkOutside?: (path: string, target: string) => Promise<void>;
  /** Makes something that is neither file, directory nor link: a FIFO, a socket. */
  readonly specialOutside?: (path: string) => Promise<void>;
  /** Makes a directory impossible to enumerate. */
  readonly makeUnreadable?: (path: string) => Promise<void>;
  /** Puts a file whose name is not Unicode into a directory. */
  readonly writeUnrepresentable?: (directory: string) => Promise<void>;
  /** Changes the modification time only. */
  readonly touchOutside?: (path: string, mtimeMs: number) => Promise<void>;
  /** Makes a file executable, or no longer so. */
  readonly setExecutableOutside?: (path: string, isExecutable: boolean) => Promise<void>;
  /** Takes the whole storage away, as an unplugged disk. */
  readonly removeRoot?: () => Promise<void>;
  /** Closes the backend and opens the same storage with a new one, as after a restart. */
  readonly reopen?: () => Promise<StorageBackend>;
  /** Lets time pass for the backend; real time passes where it is left out. */
  readonly passTime?: (ms: number) => Promise<void>;
  /** Opens another, empty storage that `copyFrom` can copy from. `close` closes it too. */
  readonly openCopySource?: () => Promise<OpenBackend>;
}

/** Gives the running test its storage. */
export type CurrentBackend = () => OpenBackend;
