/**
 * Gives memory back to the system once a program has come to rest (INV-40). V8 collects when something
 * is asked for, so what a busy time has left would stay for as long as nothing happens, which
 * in a daemon can be weeks; and the C library keeps what lies between two pieces in use.
 *
 * It saves room and nothing else: where the means are missing, nothing happens.
 */

import { createRequire } from 'node:module';
import { getHeapStatistics } from 'node:v8';

/** The memory of this process; a part that cannot be had is left out. */
export interface ProcessMemory {
  /** What the heap of the calling thread takes, what it holds outside included, in bytes. */
  heapBytes(): number;
  /** Collects all garbage of the calling thread: some 40 ms for 10 MiB in use. */
  readonly collect?: () => void;
  /** Has the C library give back whole pages that are free, of all threads: a few milliseconds. */
  readonly trim?: () => void;
}

/** Worth the time of collecting it. */
const WORTH_BYTES = 8 << 20;

/** Makes the function to be called at rest. `find` is called the first time it is. */
export function memoryReturner(find: () => ProcessMemory = processMemory): () => void {
  let memory: ProcessMemory | undefined;
  let heldBytes = 0;
  return () => {
    memory ??= find();
    if (memory.heapBytes() - heldBytes >= WORTH_BYTES) {
      memory.collect?.();
      heldBytes = memory.heapBytes();
    }
    memory.trim?.();
  };
}

/** What this process can do: collecting takes Node.js's option `--expose-gc`, trimming the optional package koffi and glibc. */
export function processMemory(): ProcessMemory {
  const collect = globalThis.gc;
  const trim = findTrim();
  return {
    heapBytes: () => {
      const { total_heap_size: heap, external_memory: outside } = getHeapStatistics();
      return heap + outside;
    },
    ...(collect && { collect: () => twice(collect) }),
    ...(trim && { trim }),
  };
}

/** Of a heap of 36 MiB with 8 in use, once has left 25, twice 12. */
function twice(collect: NonNullable<typeof globalThis.gc>): void {
  void collect();
  void collect();
}

function findTrim(): (() => void) | undefined {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const mallocTrim = koffi.load(null).func('int malloc_trim(size_t pad)') as (pad: number) => number;
    return () => void mallocTrim(0);
  } catch {
    return undefined;
  }
}
