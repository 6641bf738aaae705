/**
 * The contract of `Watcher`, as tests. Hints may be repeated, late or too wide (INV-30), so
 * a test asks one thing only: that every change is covered by some hint in the end, its own
 * or that of something above it.
 */

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isWithin, toRelativePath } from '@wl/domain';

import { isBackendError } from '../errors.js';
import type { Hint, Watcher, WatcherListener } from '../watcher.js';

/** A watcher of a storage of its own, which is empty at the start. */
export interface OpenWatcher {
  /** Not started yet. */
  readonly watcher: Watcher;
  /** Stops the watcher and removes the storage. */
  readonly close: () => Promise<void>;
  /** Writes a file in place, making the directories above it. */
  readonly writeOutside: (path: string, content: string) => Promise<void>;
  /** Removes a file, or a directory with everything in it. */
  readonly removeOutside: (path: string) => Promise<void>;
  /** Makes a directory and those above it. */
  readonly mkdirOutside: (path: string) => Promise<void>;
  readonly renameOutside: (from: string, to: string) => Promise<void>;
  /** Lets some time pass on the watcher's clock; called again and again while a test waits for a hint. */
  readonly passTime: () => Promise<void>;
  /** Moves a directory that holds `inner/file` from elsewhere in one step to `path`. */
  readonly moveInOutside?: (path: string) => Promise<void>;
  /** Moves a directory out of the storage in one step. */
  readonly moveOutOutside?: (path: string) => Promise<void>;
  /** A watcher of a storage that is not there. */
  readonly openOnMissingRoot?: () => Promise<Watcher>;
}

/** Remembers what a watcher says. */
export class RecordingListener implements WatcherListener {
  readonly seen: Hint[] = [];
  readonly messages: string[] = [];

  hints(hints: readonly Hint[]): void {
    this.seen.push(...hints);
  }

  degraded(message: string): void {
    this.messages.push(message);
  }

  /**
   * Whether a hint leads to this path. Both kinds of hints lead to everything below theirs:
   * an `entry` hint at a directory means all of it, and where nothing is any more, nothing below is.
   */
  covers(path: string): boolean {
    return this.seen.some((hint) => isWithin(toRelativePath(path), hint.path));
  }
}

/** Turns of `passTime` after which a hint counts as lost. */
const PATIENCE_TURNS = 1500;

/** Runs all tests of the port against watchers that `open` makes, one for each test. */
export function describeWatcher(name: string, open: () => Promise<OpenWatcher>): void {
  describe(`${name} as a Watcher`, () => {
    let opened: OpenWatcher;
    let listener: RecordingListener;
    beforeEach(async () => {
      opened = await open();
      listener = new RecordingListener();
    });
    afterEach(() => opened.close());

    /** Starts, and forgets what was said about the time before. */
    const start = async (): Promise<void> => {
      await opened.watcher.start(listener);
      listener.seen.length = 0;
    };

    const isHinted = async (...paths: string[]): Promise<void> => {
      for (let turn = 0; turn < PATIENCE_TURNS && !paths.every((path) => listener.covers(path)); turn += 1) await opened.passTime();
      expect(paths.filter((path) => !listener.covers(path))).toEqual([]);
    };

    it('describes itself in a line', () => {
      expect(opened.watcher.description).toMatch(/^[^\n]+$/);
    });

    it('hints at a new file', async () => {
      await opened.mkdirOutside('d');
      await start();
      await opened.writeOutside('a', 'x');
      await opened.writeOutside('d/b', 'x');
      await isHinted('a', 'd/b');
    });

    it('hints at a modified file, at the same size too', async () => {
      await opened.writeOutside('a', 'one');
      await opened.writeOutside('d/e/b', 'one');
      await opened.passTime();
      await start();
      await opened.writeOutside('a', 'two');
      await opened.writeOutside('d/e/b', 'two');
      await isHinted('a', 'd/e/b');
    });

    it('hints at a removed file', async () => {
      await opened.writeOutside('a', 'x');
      await opened.writeOutside('d/b', 'x');
      await opened.writeOutside('d/stays', 'x');
      await start();
      await opened.removeOutside('a');
      await opened.removeOutside('d/b');
      await isHinted('a', 'd/b');
    });

    it('hints at both ends of a rename', async () => {
      await opened.writeOutside('from/a', 'x');
      await opened.writeOutside('from/stays', 'x');
      await opened.mkdirOutside('to');
      await start();
      await opened.renameOutside('from/a', 'to/b');
      await isHinted('from/a', 'to/b');
    });

    it('hints at a file saved by renaming another over it', async () => {
      await opened.writeOutside('a', 'old');
      await opened.passTime();
      await start();
      await opened.writeOutside('a.tmp', 'new');
      await opened.renameOutside('a.tmp', 'a');
      await isHinted('a');
    });

    it('T62: hints at a new directory tree with files that were put in at once, and at later ones', async () => {
      await start();
      for (const path of ['new/a', 'new/b/c/d', 'new/b/e']) await opened.writeOutside(path, 'x');
      await isHinted('new/a', 'new/b/c/d', 'new/b/e');
      listener.seen.length = 0;
      await opened.writeOutside('new/b/c/later', 'x');
      await isHinted('new/b/c/later');
    });

    it('hints at a removed directory tree', async () => {
      for (const path of ['d/a', 'd/e/b', 'stays/x']) await opened.writeOutside(path, 'x');
      await start();
      await opened.removeOutside('d');
      await isHinted('d/a', 'd/e/b');
    });

    it('T62: hints at a renamed directory and at what changes in it afterwards', async () => {
      for (const path of ['from/a', 'from/e/b', 'stays/x']) await opened.writeOutside(path, 'x');
      await start();
      await opened.renameOutside('from', 'to');
      await isHinted('from/a', 'from/e/b', 'to/a', 'to/e/b');
      listener.seen.length = 0;
      await opened.writeOutside('to/e/b', 'changed');
      await isHinted('to/e/b');
    });

    it('T62: hints at a directory moved in from elsewhere, and at what changes in it afterwards', async () => {
      const { moveInOutside } = opened;
      if (moveInOutside === undefined) return;
      await start();
      await moveInOutside('in');
      await isHinted('in/inner/file');
      listener.seen.length = 0;
      await opened.writeOutside('in/inner/file', 'changed');
      await isHinted('in/inner/file');
    });

    it('hints at a directory moved out', async () => {
      const { moveOutOutside } = opened;
      if (moveOutOutside === undefined) return;
      await opened.writeOutside('d/e/a', 'x');
      await start();
      await moveOutOutside('d');
      await isHinted('d/e/a');
    });

    it('hints at names with quotes, newlines and emoji, or at their directory', async () => {
      await start();
      const paths = ['it\'s "new"\nline', 'dir \u{1f600}/\u{1f4be} file'];
      for (const path of paths) await opened.writeOutside(path, 'x');
      await isHinted(...paths);
    });

    it('is silent once stopped, and stops twice without harm', async () => {
      await opened.writeOutside('d/a', 'x');
      await start();
      await opened.writeOutside('b', 'x');
      await isHinted('b');
      await opened.watcher.stop();
      const { length } = listener.seen;
      await opened.writeOutside('d/a', 'changed');
      await opened.writeOutside('c', 'x');
      await opened.removeOutside('b');
      for (let turn = 0; turn < 10; turn += 1) await opened.passTime();
      expect(listener.seen).toHaveLength(length);
      await opened.watcher.stop();
    });

    it('can be stopped without having been started', async () => {
      await opened.watcher.stop();
    });

    it('T07: rejects to start on a storage that is not there', async () => {
      const watcher = await opened.openOnMissingRoot?.();
      if (watcher === undefined) return;
      const failure = await watcher.start(listener).catch((error: unknown) => error);
      expect(isBackendError(failure)).toBe(true);
      expect(listener.seen).toEqual([]);
      await watcher.stop();
    });
  });
}
