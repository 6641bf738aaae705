/**
 * A process of the race torture: several hands, each saving files of its own with all habits, until so many saves are
 * done or it is told to stop. Started by `races.mjs`; answers with what it saved last and which states it left on the way.
 *
 * Hands differ: one-sided ones save on one side only; wandering ones go over to the other side once their last save is
 * there; contested files have a hand on each side, neither caring for the other.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { habits, loadMemory } from './habits.mjs';
import { chanceOf } from '../chance.mjs';
import { sha256 } from '../sha256.mjs';
import { drawSize, record } from './records.mjs';

/** A file that was appended to begins anew beyond this. */
const APPEND_LIMIT = 100_000;
/** How long a wandering hand waits for its save to arrive. */
const HANDOVER_MS = 60_000;
/** Hashes of states that were left on the way. */
const states = new Set();
/** By author, file and number: what is needed to make the version again. */
const history = [];
const memory = await loadMemory();
const all = habits(memory);
const counts = Object.fromEntries(Object.keys(all).map((name) => [name, 0]));
let isOver = false;
let saves = 0;
let handovers = 0;
let lateHandovers = 0;
const faults = [];

process.on('message', (message) => {
  if (message.stop) isOver = true;
  else void work(message);
});
process.on('disconnect', () => process.exit(1));

/** @param {{ name: string, seed: number, saves: number, pauseMs: number, hands: readonly { kind: string, sides: readonly string[], files: readonly string[] }[] }} order */
async function work(order) {
  const ledger = (await Promise.all(order.hands.map((hand, index) => new Hand(order, hand, index).run()))).flat();
  process.send({ done: true, ledger, states: [...states], history, counts, saves, handovers, lateHandovers, faults });
}

class Hand {
  constructor(order, hand, index) {
    this.order = order;
    this.author = `${order.name}.${index}`;
    this.die = chanceOf(order.seed * 7919 + index);
    this.kind = hand.kind;
    this.sides = hand.sides;
    this.files = hand.files.map((file) => ({ file, side: 0, number: 0, first: 1, content: undefined, habit: '' }));
  }

  async run() {
    while (!isOver && saves < this.order.saves) {
      const file = this.die.pick(this.files);
      // Sometimes several in a row, as autosaving does.
      const times = this.die.next() < 0.15 ? this.die.between(3, 12) : 1;
      for (let time = 0; time < times && !isOver; time += 1) await this.save(file);
      if (this.sides.length > 1 && this.die.next() < 0.3) await this.goOver(file);
      if (!isOver) await sleep(this.die.next() * 2 * this.order.pauseMs);
    }
    return this.files.filter(({ number }) => number > 0).map(({ file, side, number, content, habit }) => ({ file, kind: this.kind, root: this.sides[side], number, sha256: sha256(content), habit, author: this.author }));
  }

  async save(file) {
    const { die, author } = this;
    const root = this.sides[file.side];
    const place = path.join(root, file.file);
    const before = existsSync(place) && this.kind !== 'contested' ? file.content : undefined;
    const habit = this.habitFor(file, before);
    const number = file.number + 1;
    const size = drawSize(die);
    const first = habit === 'append' ? file.first : number;
    const added = record({ seed: this.order.seed, author, file: file.file, number, size });
    history.push([`${author} ${file.file} ${number}`, { seed: this.order.seed, first, size }]);
    const next = habit === 'append' ? Buffer.concat([file.content, added]) : added;
    const leaves = (bytes) => states.add(sha256(bytes));
    mkdirSync(path.dirname(place), { recursive: true });
    try {
      await all[habit]({ root, place, next, before, added, leaves, die, pause: (low, high) => sleep(die.between(low, high)) });
    } catch (error) {
      // The other hand, or the daemon, took the file away in the middle: the save failed, as the program would see it.
      if (error.code !== 'ENOENT') faults.push(`${habit} ${file.file}: ${error.message}`);
      return;
    }
    Object.assign(file, { number, first, content: next, habit });
    counts[habit] += 1;
    saves += 1;
  }

  /** Appending needs a file that is known to be its own; a mapping needs a length. */
  habitFor(file, before) {
    const habit = this.die.pick(Object.keys(all));
    if (habit === 'append' && (before === undefined || file.content.length > APPEND_LIMIT)) return 'rename over';
    return habit;
  }

  async goOver(file) {
    const other = path.join(this.sides[1 - file.side], file.file);
    for (const end = Date.now() + HANDOVER_MS; Date.now() < end && !isOver; await sleep(20)) {
      if (!holds(other, file.content)) continue;
      file.side = 1 - file.side;
      handovers += 1;
      return;
    }
    if (!isOver) {
      lateHandovers += 1;
      faults.push(`late: ${file.file} number ${file.number}, saved by ${file.habit}`);
    }
  }
}

function holds(place, content) {
  try {
    return readFileSync(place).equals(content);
  } catch {
    return false;
  }
}
