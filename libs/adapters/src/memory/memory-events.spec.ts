import { describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath } from '@wl/domain';
import { describeWatcher, ManualClock, RecordingListener, type OpenWatcher } from '@wl/ports/testing';

import { MemoryBackend } from './memory-backend.js';
import { MemoryTree } from './memory-tree.js';

describeWatcher('the watcher of MemoryBackend', async (): Promise<OpenWatcher> => {
  const { backend, tree, clock } = await open();
  const watcher = required(backend.watcher());
  return {
    watcher,
    close: async () => {
      await watcher.stop();
      await backend.close();
    },
    writeOutside: async (path, content) => tree.write(path, content),
    removeOutside: async (path) => tree.remove(path),
    mkdirOutside: async (path) => tree.mkdir(path),
    renameOutside: async (from, to) => tree.rename(from, to),
    passTime: () => clock.advance(10),
    openOnMissingRoot: async () => {
      tree.unmount();
      return required(backend.watcher());
    },
  };
});

describe('MemoryEvents', () => {
  const at = toRelativePath;
  const started = async () => {
    const all = await open();
    const listener = new RecordingListener();
    await required(all.backend.watcher()).start(listener);
    return { ...all, listener };
  };

  it('holds events back and releases them in either order', async () => {
    const { tree, clock, backend, listener } = await started();
    backend.events.hold();
    for (const path of ['a', 'b']) tree.write(path, 'x');
    await clock.advance(1);
    expect(listener.seen).toEqual([]);
    backend.events.release('reversed');
    await clock.advance(0);
    expect(listener.seen.map(({ path }) => path)).toEqual(['b', 'a']);
  });

  it('loses, repeats and delays events', async () => {
    const { tree, clock, backend, listener } = await started();
    backend.events.lose();
    tree.write('lost', 'x');
    backend.events.repeat();
    tree.write('twice', 'x');
    await clock.advance(0);
    expect(listener.seen.map(({ path }) => path)).toEqual(['twice', 'twice']);
    backend.events.delayMs = 500;
    tree.write('late', 'x');
    await clock.advance(499);
    expect(listener.covers('late')).toBe(false);
    await clock.advance(1);
    expect(listener.covers('late')).toBe(true);
  });

  it('overflows into one hint at everything', async () => {
    const { tree, clock, backend, listener } = await started();
    backend.events.hold();
    tree.write('a', 'x');
    backend.events.overflow();
    backend.events.degrade('a queue overflowed');
    await clock.advance(0);
    expect(listener.seen).toEqual([{ scope: 'subtree', path: ROOT }]);
    expect(listener.messages).toEqual(['a queue overflowed']);
  });

  it('hints at the directory of a name that no path can be made of, and nowhere for the reserved area', async () => {
    const { tree, clock, listener } = await started();
    tree.write('d/e/\ud800', 'x');
    tree.write('.wl/stray', 'x');
    await clock.advance(0);
    expect(listener.seen).toEqual([{ scope: 'subtree', path: at('d/e') }]);
  });

  it('T07: refuses to start when told to', async () => {
    const { backend } = await open();
    backend.events.refuse('no more watches');
    await expect(backend.watcher()?.start(new RecordingListener())).rejects.toThrow('no more watches');
    expect(backend.events.watching).toBe(0);
  });

  it('tells every backend of a tree what another one wrote', async () => {
    const { tree, clock, listener } = await started();
    const other = new MemoryBackend(tree, { backendId: 'other' });
    await other.open();
    await other.makeDirectory(at('d'));
    await clock.advance(0);
    expect(listener.seen).toEqual([{ scope: 'entry', path: 'd' }]);
  });
});

async function open() {
  const clock = new ManualClock();
  const tree = new MemoryTree({ id: 'tree', clock });
  const backend = new MemoryBackend(tree, { backendId: 'memory' });
  await backend.open();
  return { clock, tree, backend };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected a value');
  return value;
}
