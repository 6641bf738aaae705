/**
 * A scenario as data: the world it plays in, and what happens, step by step. Everything is
 * decided before it runs, so that a step can be left out to see whether it matters.
 */

import type { SideName } from '@wl/domain';
import type { FailureScope, MemoryOperation } from '@wl/adapters/memory';

/** How one storage behaves. */
export interface StorageSpec {
  readonly keepsEmptyDirectories?: boolean;
  readonly isCaseSensitive?: boolean;
  readonly timestampGranularityMs?: number;
  /** What is not flushed can get lost when the power fails. */
  readonly losesUnflushed?: boolean;
  /** Refuses to work on another volume than it was opened on. Then volumes may come back in the middle of a pass. */
  readonly tiesToVolume?: boolean;
  readonly copiesWithin?: boolean;
  readonly keepsHashes?: boolean;
  readonly chunkBytes?: number;
  readonly batchSize?: number;
}

/** Where a scenario plays: so many machines, each with a folder of its own that it syncs with one shared storage. */
export interface WorldSpec {
  readonly machines: number;
  readonly mode: 'one-shot' | 'continuous';
  /** The machines' folders are sources that are never written. */
  readonly isUnidirectional: boolean;
  readonly folder: StorageSpec;
  readonly shared: StorageSpec;
  readonly allowMassDelete: boolean;
  /** Names that the container's rules leave out, at any depth. */
  readonly ignored: readonly string[];
  /** Files that both sides agree on at the beginning, by path. */
  readonly initial: readonly string[];
}

/** A storage of the world: 0 is the shared one, 1 and up are the folders of the machines. */
export type Place = number;

/** What people do with files. */
export type Gesture = 'write' | 'save' | 'append' | 'empty' | 'remove' | 'rename' | 'mkdir' | 'touch' | 'chmod' | 'same' | 'revert' | 'link';

/** How an operation of a storage goes wrong. */
export type FaultKind = 'fail' | 'lose-reply' | 'delay' | 'truncate' | 'shorten' | 'rewind' | 'unknown' | 'stale' | 'ignore-precondition' | 'displace';

/** How a watcher goes wrong; `release` and `reverse` end a `hold`. */
export type WatchFault = 'lose' | 'repeat' | 'hold' | 'release' | 'reverse' | 'delay' | 'overflow' | 'degrade' | 'lie';

/** What can happen at any moment. */
export type Event =
  | { readonly kind: 'edit'; readonly place: Place; readonly gesture: Gesture; readonly path: string; readonly to: string }
  | {
      readonly kind: 'fault';
      readonly machine: number;
      readonly side: SideName;
      readonly fault: FaultKind;
      readonly operation: MemoryOperation | '*';
      readonly path: string | undefined;
      readonly times: number;
      /** Rows after which a listing goes wrong; milliseconds of a delay. */
      readonly amount: number;
      readonly code: NonNullable<FailureScope['code']>;
    }
  | { readonly kind: 'watch'; readonly machine: number; readonly side: SideName; readonly fault: WatchFault; readonly path: string }
  | { readonly kind: 'crash'; readonly machine: number }
  /** The machine dies and its folder loses some of what was not flushed, chosen by `seed`. */
  | { readonly kind: 'power-loss'; readonly machine: number; readonly seed: number }
  | { readonly kind: 'unplug'; readonly place: Place; readonly leaving: 'nothing' | 'empty-directory' }
  | { readonly kind: 'plug'; readonly place: Place }
  | { readonly kind: 'resolve'; readonly machine: number; readonly index: number; readonly keep: SideName }
  /** Room for so many bytes more than there are now; none when undefined. */
  | { readonly kind: 'disk'; readonly place: Place; readonly freeBytes: number | undefined }
  | { readonly kind: 'state-fault'; readonly machine: number; readonly code: 'damaged' | 'no-space' | 'io-error'; readonly operation: 'commit' | 'scan' | 'get' | 'putConflicts' | 'setRoots' }
  | { readonly kind: 'clock'; readonly ms: number }
  | { readonly kind: 'filter'; readonly machine: number; readonly ignored: readonly string[] };

/** One step: an event at once, an event after so many further calls of storages, or something that takes time. */
export type Step =
  | { readonly kind: 'now'; readonly event: Event }
  | { readonly kind: 'meanwhile'; readonly calls: number; readonly event: Event }
  | { readonly kind: 'wait'; readonly ms: number }
  /** One-shot passes of these machines, side by side; over these names or over everything. */
  | { readonly kind: 'pass'; readonly machines: readonly number[]; readonly scope: 'all' | readonly string[] }
  /** Continuous: an orderly stop and a new start. */
  | { readonly kind: 'restart'; readonly machine: number; readonly allowMassDelete: boolean };

/** A whole scenario. */
export interface Scenario {
  readonly seed: number;
  readonly world: WorldSpec;
  readonly steps: readonly Step[];
}

/** Whether a step, or what it arms, is a fault of a storage, a watcher, the state or the machine. */
export function isFault(step: Step): boolean {
  if (step.kind !== 'now' && step.kind !== 'meanwhile') return false;
  return !['edit', 'resolve', 'clock', 'filter'].includes(step.event.kind);
}
