/** INV-40: what a busy time has left is given back, and collecting it is worth its time. */

import { describe, expect, it } from '@jest/globals';

import { memoryReturner, processMemory, type ProcessMemory } from './give-back.js';

const MIB = 1 << 20;

/** A heap that is filled by hand; `done` tells what was asked for. */
function heap(liveMib: number): { memory: ProcessMemory; fill: (mib: number) => void; done: string[] } {
  let mib = liveMib;
  const done: string[] = [];
  const collect = (): void => {
    done.push('collect');
    mib = liveMib;
  };
  return { memory: { heapBytes: () => mib * MIB, collect, trim: () => void done.push('trim') }, fill: (more) => void (mib += more), done };
}

describe('a program at rest', () => {
  it('collects first, and then has the C library give back what became free', () => {
    const { memory, done } = heap(12);
    memoryReturner(() => memory)();
    expect(done).toEqual(['collect', 'trim']);
  });

  it('collects again only when enough has come together, however many rests it takes', () => {
    const { memory, fill, done } = heap(12);
    const giveBack = memoryReturner(() => memory);
    giveBack();
    done.length = 0;
    for (let rest = 0; rest < 3; rest += 1) {
      fill(2);
      giveBack();
    }
    expect(done).toEqual(['trim', 'trim', 'trim']);
    fill(2);
    giveBack();
    expect(done.slice(3)).toEqual(['collect', 'trim']);
  });

  it('looks for the means when it is at rest for the first time, not before', () => {
    let times = 0;
    const giveBack = memoryReturner(() => {
      times += 1;
      return heap(1).memory;
    });
    expect(times).toBe(0);
    giveBack();
    giveBack();
    expect(times).toBe(1);
  });

  it('goes on where it has no means', () => {
    expect(memoryReturner(() => ({ heapBytes: () => 100 * MIB }))).not.toThrow();
  });

  it('has real means on this machine', () => {
    const memory = processMemory();
    expect(memory.heapBytes()).toBeGreaterThan(MIB);
    memory.trim?.();
    // Of the systems that the tests run on, those with glibc.
    const { glibcVersionRuntime } = (process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }).header;
    expect(memory.trim !== undefined).toBe(glibcVersionRuntime !== undefined);
  });
});
