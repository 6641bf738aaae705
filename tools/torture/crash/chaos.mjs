/**
 * Random instants: a continuous job keeps two folders in sync while both users go on saving, and
 * its daemon is killed again and again at any moment. Each user has files of their own, so that
 * what must be where is known at every instant: on the user's side exactly what they saved, on the
 * other side nothing that they never saved, and at rest the same on both.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Daemon, Gone } from './daemon.mjs';
import { AREA, bytesOf, DIRECTORY, everything, hashOf, large, visible } from './files.mjs';
import { randomOf } from './random.mjs';
import { isOver } from './time.mjs';

const JOB = '0xaa|00000000-0000-4000-8000-000000000000|right';
const SIDES = ['left', 'right'];
/** Kills between two looks at the world at rest. */
const KILLS_PER_REST = 12;
/** Longer than the longest pause a job makes before it tries a path again, milliseconds. */
const REST_LIMIT_MS = 180_000;

/** Kills until the deadline, an instant of `performance.now()`. */
export async function playChaos({ scratch, deadline, seed, onFailure }) {
  const row = { world: 'continuous', disk: scratch, kind: 'random', calls: 0, points: 0, played: 0, past: 0, failures: 0, outcomes: { saves: 0, rests: 0, returned: 0, asked: 0 } };
  const world = new ChaosWorld(scratch, seed, row);
  const fail = (wrong) => {
    if (wrong.length === 0) return;
    row.failures += 1;
    onFailure({ ...row, point: { kill: row.played }, wrong });
  };
  try {
    await world.begin();
    while (!isOver(deadline)) {
      fail(await world.killOnce());
      row.played += 1;
      if (row.played % KILLS_PER_REST === 0) fail(await world.rest());
    }
    if (row.played % KILLS_PER_REST !== 0) fail(await world.rest());
    row.points = row.played;
    return row;
  } finally {
    await world.end();
  }
}

class ChaosWorld {
  constructor(scratch, seed, row) {
    this.home = mkdtempSync(path.join(scratch, 'wl-chaos-'));
    this.random = randomOf(seed);
    this.row = row;
    this.socket = path.join(this.home, 'run', 'socket');
    for (const dir of ['run', 'base', 'aside', ...SIDES]) mkdirSync(path.join(this.home, dir), { mode: 0o700 });
    /** Side → path → hash, of the files that this side's user has. */
    this.saved = { left: new Map(), right: new Map() };
    /** Path → hashes ever saved there. */
    this.versions = new Map();
    /** Names that were there when the world was last at rest. */
    this.settled = new Set();
    this.count = 0;
  }

  dir(side) {
    return path.join(this.home, side);
  }

  async begin() {
    for (let index = 0; index < 60; index += 1) this.#save(SIDES[index % 2]);
    await this.#startDaemon();
    const storage = (side) => ({ type: 'local', location: this.dir(side), 'backend-id': side });
    await this.client.ask('start', { 'container-name': 'chaos', 'job-id': JOB, source: storage('left'), target: storage('right'), continuous: true, unidirectional: false });
  }

  async #startDaemon() {
    this.daemon = new Daemon({ home: this.home, base: path.join(this.home, 'base'), socket: this.socket, logFile: path.join(this.home, 'log') });
    this.client = undefined;
    this.client = await this.daemon.connect();
  }

  /** Lives on for a while, kills the daemon at any moment, looks, and starts another one. */
  async killOnce() {
    const end = performance.now() + this.random.below(700);
    // Sometimes it is killed before it has come up.
    const started = this.daemon === undefined ? this.#startDaemon().catch(ignoreGone) : Promise.resolve();
    while (performance.now() < end) {
      this.#act();
      await sleep(this.random.below(25));
    }
    await this.daemon.kill();
    await started;
    this.client?.close();
    this.daemon = undefined;
    return this.#look();
  }

  /** What is there while nothing runs. */
  #look() {
    const wrong = [];
    for (const side of SIDES) {
      const seen = visible(this.dir(side));
      for (const [name, hash] of Object.entries(seen)) {
        if (hash === DIRECTORY) continue;
        if (!this.versions.has(name)) wrong.push(`foreign: ${side} shows ${name}`);
        else if (!this.versions.get(name).has(hash)) wrong.push(`torn: ${side} ${name} is nothing that was saved`);
      }
      for (const [name, hash] of this.saved[side]) {
        if (seen[name] === undefined) wrong.push(`deleted: ${side} ${name}, which its user still has`);
        else if (seen[name] !== hash) wrong.push(`lost: ${side} ${name} is not what its user saved last`);
      }
    }
    return wrong;
  }

  /** Comes to rest, and everything must be the same. */
  async rest() {
    this.row.outcomes.rests += 1;
    if (this.daemon === undefined) await this.#startDaemon();
    let job;
    let wrong = [];
    for (const end = performance.now() + REST_LIMIT_MS; performance.now() < end; await sleep(200)) {
      job = (await this.client.ask('status-json')).jobs[0];
      if (job?.state !== 'SYNCED') continue;
      this.#takeBack();
      await this.#choose(job.conflicts);
      wrong = [...this.#look(), ...this.#differences()];
      if (wrong.length === 0 && job.conflicts.length + job.problems.length === 0) {
        this.settled = new Set([...this.saved.left.keys(), ...this.saved.right.keys()]);
        return [];
      }
    }
    return [...wrong, `status: ${JSON.stringify({ state: job?.state, error: job?.error, halt: job?.halt, conflicts: job?.conflicts, problems: job?.problems })}`];
  }

  /**
   * A file that was on its way when the daemon was killed and was removed by its user before the
   * next one started comes back from the other side: there is no row by which its absence would
   * be a removal (INV-12). Of a file that was at rest once, that would be wrong.
   */
  #takeBack() {
    for (const side of SIDES) {
      const seen = visible(this.dir(side));
      for (const [name, versions] of this.versions) {
        const isMine = name.startsWith(side);
        if (!isMine || this.saved[side].has(name) || this.settled.has(name) || !versions.has(seen[name])) continue;
        this.row.outcomes.returned += 1;
        this.saved[side].set(name, seen[name]);
      }
    }
  }

  /**
   * A version that had come over when the daemon was killed, and had no row yet, is a stranger to
   * the next one: what its user saved or removed since stands in conflict with it. Nothing is
   * lost; it is asked about, and decided for the side whose user it is.
   */
  async #choose(conflicts) {
    for (const { path: name } of conflicts) {
      this.row.outcomes.asked += 1;
      const keep = name.startsWith('left') ? 'source' : 'target';
      await this.client.ask('resolve', { 'job-id': JOB, path: name, keep }).catch((error) => {
        if (!error.message.includes('is not in conflict')) throw error;
      });
    }
  }

  #differences() {
    const wanted = new Map([...this.saved.left, ...this.saved.right]);
    const wrong = [];
    for (const side of SIDES) {
      const all = everything(this.dir(side));
      for (const [name, hash] of wanted) if (all[name] !== hash) wrong.push(`different: ${side} ${name} in the end`);
      for (const [name, hash] of Object.entries(all)) {
        if (hash === DIRECTORY) continue;
        if (name.startsWith(`${AREA}/staging/`)) wrong.push(`leftover: ${side} ${name}`);
        else if (!name.startsWith(`${AREA}/`) && !wanted.has(name)) wrong.push(`unexpected: ${side} ${name} in the end`);
      }
    }
    return wrong;
  }

  /** One thing that a user does. */
  #act() {
    const side = this.random.pick(SIDES);
    const mine = [...this.saved[side].keys()];
    const dice = this.random.below(20);
    if (dice === 0 && mine.length > 20) this.#remove(side, this.random.pick(mine));
    else if (dice === 1 && mine.length > 20) this.#rename(side, this.random.pick(mine));
    else if (dice === 2) for (let index = 0; index < 10; index += 1) this.#save(side);
    else this.#save(side, dice < 12 && mine.length > 0 ? this.random.pick(mine) : undefined);
  }

  /** Saves as editors do: written aside, put in place by a rename. */
  #save(side, name = `${side}-${this.random.below(6)}/${(this.count + 1).toString(36)}.txt`) {
    this.count += 1;
    this.row.outcomes.saves += 1;
    const text = `${name} ${this.count}`;
    const content = this.count % 40 === 0 ? large(text, 1 + this.random.below(2 * 1024 * 1024)) : text;
    const aside = path.join(this.home, 'aside', 'file');
    const file = path.join(this.dir(side), name);
    writeFileSync(aside, bytesOf(content));
    mkdirSync(path.dirname(file), { recursive: true });
    renameSync(aside, file);
    this.#note(side, name, hashOf(content));
  }

  #rename(side, name) {
    const other = `${path.dirname(name)}/renamed-${(this.count += 1).toString(36)}.txt`;
    renameSync(path.join(this.dir(side), name), path.join(this.dir(side), other));
    this.#note(side, other, this.saved[side].get(name));
    this.saved[side].delete(name);
  }

  #remove(side, name) {
    rmSync(path.join(this.dir(side), name));
    this.saved[side].delete(name);
  }

  #note(side, name, hash) {
    this.saved[side].set(name, hash);
    this.versions.set(name, (this.versions.get(name) ?? new Set()).add(hash));
  }

  async end() {
    await this.daemon?.kill();
    rmSync(this.home, { recursive: true, force: true });
  }
}

function ignoreGone(error) {
  if (!(error instanceof Gone)) throw error;
}
