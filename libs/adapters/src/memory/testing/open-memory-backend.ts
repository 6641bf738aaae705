/** A memory backend with the hands of an outside user, as the conformance suite asks for it. */

import { ManualClock, type OpenBackend } from '@wl/ports/testing';

import { MemoryBackend, type MemoryBackendOptions } from '../memory-backend.js';
import { MemoryTree } from '../memory-tree.js';
import type { MemoryTreeOptions } from '../tree-store.js';

/** Opens an empty one. */
export async function openMemoryBackend(
  treeOptions: Partial<MemoryTreeOptions> = {},
  backendOptions: Partial<MemoryBackendOptions> = {},
): Promise<OpenBackend> {
  const clock = new ManualClock();
  const tree = new MemoryTree({ id: 'tree', clock, ...treeOptions });
  const opened: { close(): Promise<void> }[] = [];
  const openOne = async (): Promise<MemoryBackend> => {
    const backend = new MemoryBackend(tree, { backendId: 'memory', ...backendOptions });
    await backend.open();
    opened.push(backend);
    return backend;
  };
  const backend = await openOne();
  return {
    backend,
    close: async () => {
      for (const one of opened) await one.close();
    },
    writeOutside: async (path, bytes) => tree.write(path, bytes),
    readOutside: async (path) => tree.read(path),
    removeOutside: async (path) => tree.remove(path),
    mkdirOutside: async (path) => tree.mkdir(path),
    renameOutside: async (from, to) => tree.rename(from, to),
    namesOutside: async () => tree.paths(),
    trashOutside: async () => [...tree.trash.values()].map(({ bytes }) => bytes),
    symlinkOutside: async (path, target) => tree.symlink(path, target),
    specialOutside: async (path) => tree.special(path),
    makeUnreadable: async (path) => tree.setUnreadable(path, true),
    writeUnrepresentable: async (directory) => tree.write(`${directory}/\ud800`, 'x'),
    touchOutside: async (path, mtimeMs) => tree.touch(path, mtimeMs),
    setExecutableOutside: async (path, isExecutable) => tree.setExecutable(path, isExecutable),
    removeRoot: async () => void tree.unmount(),
    reopen: async () => {
      await backend.close();
      return openOne();
    },
    passTime: (ms) => clock.advance(ms),
    ...(backendOptions.copiesWithin === true && {
      openCopySource: async () => {
        const source = await openMemoryBackend({ id: 'copy-source', clock });
        opened.push(source);
        return source;
      },
    }),
  };
}
