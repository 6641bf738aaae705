/**
 * An ordinary user and places that user may not use: directories and files of mode 000, read-only
 * and sticky directories, files of root, files that the system holds fast. The daemon runs as
 * `nobody`, the person as root, who may do anything (T01, INV-8, INV-9).
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { Home } from '../home.mjs';
import { folderLedger, makeFolderPair, playFaults, startSynced } from './campaign.mjs';

const NOBODY = 65534;
const ROOT = 0;

export const permissions = {
  name: 'rights that an ordinary user lacks',
  needs() {
    if (process.getuid() !== 0) return 'only root may run the daemon as another user';
    return spawnSync('setpriv', ['--version']).status === 0 ? undefined : 'there is no setpriv: apt-get install util-linux';
  },
  play,
};

async function play({ seed, chance, log }) {
  const home = new Home({ user: NOBODY });
  try {
    const roots = { left: home.folder('left'), right: home.folder('right') };
    await home.startDaemon();
    await makeFolderPair(home, roots);
    const ledger = folderLedger(home, chance, seed, roots);
    ledger.act(30);
    await startSynced(home, ledger);
    const fault = new Obstacles(Object.values(roots), chance);
    const outcome = await playFaults({ home, ledger, chance, fault, log });
    outcome.findings.push(...(await closed(home)));
    return outcome;
  } finally {
    await home.close().catch(() => undefined);
  }
}

async function closed(home) {
  return (await home.close()).map((text) => ({ kind: 'broken', text }));
}

/** What is put in the way, and taken out of it again. */
class Obstacles {
  #undo = [];

  constructor(roots, chance) {
    Object.assign(this, { roots, chance });
  }

  begin() {
    const put = Array.from({ length: 1 + this.chance.below(3) }, () => this.#putOne());
    return put.join(', ');
  }

  end() {
    for (const undo of this.#undo.reverse()) undo();
    this.#undo = [];
  }

  #putOne() {
    const root = this.chance.pick(this.roots);
    const { files, directories } = placesIn(root);
    const kind = this.chance.pick(['dir 000', 'dir 555', 'dir sticky', 'dir of root', 'file 000', 'file of root', 'file immutable', 'root 555', 'root 000']);
    if (kind.startsWith('root')) return this.#mode(root, kind === 'root 000' ? 0o000 : 0o555, kind);
    const place = this.chance.pick(kind.startsWith('dir') ? directories : files);
    if (place === undefined) return 'nothing';
    switch (kind) {
      case 'dir 000':
      case 'file 000':
        return this.#mode(place, 0o000, kind);
      case 'dir 555':
        return this.#mode(place, 0o555, kind);
      case 'dir sticky':
        for (const name of readdirSync(place)) this.#owner(path.join(place, name), ROOT);
        this.#owner(place, ROOT);
        return this.#mode(place, 0o1777, kind);
      case 'dir of root':
        this.#owner(place, ROOT);
        return this.#mode(place, 0o700, kind);
      case 'file of root':
        this.#owner(place, ROOT);
        return this.#mode(place, 0o600, kind);
      default:
        return this.#holdFast(place);
    }
  }

  #mode(place, mode, kind) {
    const before = lstatSync(place).mode & 0o7777;
    chmodSync(place, mode);
    this.#undo.push(() => existsSync(place) && chmodSync(place, before));
    return `${kind} ${path.basename(place)}`;
  }

  #owner(place, user) {
    chownSync(place, user, user);
    this.#undo.push(() => existsSync(place) && chownSync(place, NOBODY, NOBODY));
  }

  #holdFast(place) {
    if (spawnSync('chattr', ['+i', place]).status !== 0) return 'nothing (no attribute i here)';
    this.#undo.push(() => existsSync(place) && spawnSync('chattr', ['-i', place]));
    return `file immutable ${path.basename(place)}`;
  }
}

function placesIn(root) {
  const [files, directories] = [[], []];
  const walk = (directory) => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const place = path.join(directory, entry.name);
      if (entry.name === '.wl') continue;
      if (entry.isDirectory()) {
        directories.push(place);
        walk(place);
      } else if (entry.isFile()) files.push(place);
    }
  };
  mkdirSync(root, { recursive: true });
  walk(root);
  return { files, directories };
}
