/** People at the storages of a simulated world: what they write is unlike anything written before, unless they copy. */

import type { Event, Gesture } from './scenario.js';
import { FOLDER, isText, type Ledger } from './ledger.js';

/** Carries out the gestures of people and knows what they wrote. */
export class People {
  /** Everything that was ever in a file. */
  readonly written = new Set<string>(['']);
  #serial = 0;
  readonly #ledgers: readonly Ledger[];

  constructor(ledgers: readonly Ledger[]) {
    this.#ledgers = ledgers;
  }

  /** A text that is in no file yet; some share their size. */
  newText(): string {
    this.#serial += 1;
    const text = `v${String(this.#serial).padStart(this.#serial % 3 === 0 ? 6 : 4, '0')}`;
    this.written.add(text);
    return text;
  }

  /** One gesture. What a file system refuses, people leave. Returns whether anything may have changed. */
  act({ place, gesture, path, to }: Extract<Event, { kind: 'edit' }>): boolean {
    const ledger = this.#ledgers[place];
    if (ledger === undefined || !ledger.isHome) return false;
    try {
      return this.#gesture(ledger, gesture, path, to);
    } catch {
      return false;
    }
  }

  #gesture(ledger: Ledger, gesture: Gesture, path: string, to: string): boolean {
    const { tree } = ledger;
    const before = tree.text(path);
    switch (gesture) {
      case 'write':
        tree.write(path, this.newText());
        return true;
      case 'save':
        tree.save(path, this.newText());
        return true;
      case 'append': {
        if (before === undefined) return false;
        const text = `${before}+${this.newText()}`;
        this.written.add(text);
        tree.write(path, text);
        return true;
      }
      case 'empty':
        tree.write(path, '');
        return true;
      case 'remove':
        tree.remove(path);
        return true;
      case 'rename':
        if (to === path || to.startsWith(`${path}/`)) return false;
        tree.rename(path, to);
        return true;
      case 'mkdir':
        tree.mkdir(path);
        return true;
      case 'touch':
        if (before === undefined) return false;
        tree.touch(path, tree.clock.nowMs() - 12_345);
        return true;
      case 'chmod':
        tree.setExecutable(path, tree.isExecutable(path) !== true);
        return true;
      case 'same': {
        const other = this.#ledgers.find((one) => one !== ledger && isText(one.now.get(path)))?.now.get(path);
        if (other === undefined) return false;
        tree.write(path, other);
        return true;
      }
      case 'revert': {
        const earlier = ledger.earlier(path);
        if (earlier.length === 0) return false;
        tree.write(path, earlier[0]!);
        return true;
      }
      case 'link':
        if (before !== undefined || ledger.now.get(path) === FOLDER) return false;
        tree.symlink(path, '/elsewhere');
        return true;
    }
  }
}
