/** Makes a scenario from a seed. The same seed makes the same scenario for as long as this file and `dice.ts` stay as they are. */

import type { SideName } from '@wl/domain';

import { Dice } from './dice.js';
import type { Event, FaultKind, Gesture, Scenario, Step, StorageSpec, WatchFault, WorldSpec } from './scenario.js';

/** Names that stress the key order, and directories that hold each other. */
const NAMES = ['a', 'b', 'd', 'd/a', 'd/b', 'd/e', 'd/e/c', 'd.txt', 'd!', 'x', 'x/y', 'x/z'];
const FOLDING_NAMES = ['a', 'A', 'd/a', 'd/A', 'D/a', 'd', 'b'];
const MANY = Array.from({ length: 14 }, (_, i) => `m/${String(i)}`);

const GESTURES: readonly Gesture[] = [
  'write', 'write', 'write', 'write', 'save', 'save', 'append', 'empty', 'remove', 'remove', 'remove', 'rename', 'rename', 'mkdir', 'touch', 'same', 'revert', 'link',
];

/** In every third scenario some of these change who may execute a file instead. By the seed, not by the dice: all others mean what they meant before there was this. */
const REPLACED: ReadonlySet<Gesture> = new Set(['append', 'touch', 'same', 'revert']);

/** What sort of trouble a scenario is about. */
type Theme = 'calm' | 'hostile' | 'faults' | 'crashes' | 'power' | 'roots' | 'everything';

/** The scenario of a seed. */
export function generate(seed: number): Scenario {
  const dice = new Dice(seed);
  const theme = dice.pick<Theme>(['calm', 'calm', 'calm', 'hostile', 'hostile', 'faults', 'faults', 'crashes', 'power', 'roots', 'everything']);
  const world = worldOf(seed, dice, theme);
  return { seed, world, steps: new Script(dice, theme, world, seed % 3 === 2).steps() };
}

function worldOf(seed: number, dice: Dice, theme: Theme): WorldSpec {
  const machines = dice.pick([1, 1, 1, 1, 2, 2, 3]);
  const folder = storageOf(dice, theme === 'power' || (theme === 'everything' && dice.once(2)));
  const isMany = dice.once(12);
  const shared = storageOf(dice, folder.losesUnflushed === true && machines === 1);
  const isFolding = folder.isCaseSensitive === false || shared.isCaseSensitive === false;
  // By the seed, not by the dice: even seeds mean what they meant before there was this.
  const ties = (theme === 'roots' || theme === 'everything') && seed % 2 === 1 ? { tiesToVolume: true } : {};
  return {
    machines,
    mode: dice.once(4) ? 'continuous' : 'one-shot',
    isUnidirectional: machines === 1 && dice.once(8),
    folder: { ...folder, ...ties },
    shared: { ...shared, ...ties },
    allowMassDelete: !isMany && !dice.once(5),
    // A name that the rules leave out can stand in the way of another spelling: that is a problem, not a conflict.
    ignored: !isFolding && dice.once(8) ? [dice.pick(['x', 'e', 'a'])] : [],
    initial: isMany ? [...MANY, 'a', 'd/b'] : dice.once(3) ? [] : NAMES.filter((name) => !['d', 'd/e', 'x'].includes(name) && dice.once(2)),
  };
}

function storageOf(dice: Dice, losesUnflushed: boolean): StorageSpec {
  const spec: { -readonly [K in keyof StorageSpec]: StorageSpec[K] } = { batchSize: dice.pick([2, 3, 50, 50]) };
  if (losesUnflushed) return { ...spec, losesUnflushed };
  switch (dice.below(10)) {
    case 0:
      return { ...spec, keepsEmptyDirectories: false };
    case 1:
      return { ...spec, isCaseSensitive: false };
    case 2:
      return { ...spec, timestampGranularityMs: dice.pick([10, 1000]) };
    case 3:
      return { ...spec, copiesWithin: true };
    case 4:
      return { ...spec, keepsHashes: true, chunkBytes: 3 };
    default:
      return spec;
  }
}

class Script {
  readonly #dice: Dice;
  readonly #theme: Theme;
  readonly #world: WorldSpec;
  readonly #names: readonly string[];
  /** Calls of storages that a step may be interrupted at. */
  readonly #reach: number;

  readonly #changesPrograms: boolean;

  constructor(dice: Dice, theme: Theme, world: WorldSpec, changesPrograms: boolean) {
    this.#changesPrograms = changesPrograms;
    this.#dice = dice;
    this.#theme = theme;
    this.#world = world;
    const isFolding = world.folder.isCaseSensitive === false || world.shared.isCaseSensitive === false;
    this.#names = isFolding ? FOLDING_NAMES : world.initial.length > 12 ? [...NAMES, 'm', 'm/1', 'm/2', 'n'] : NAMES;
    this.#reach = dice.pick([12, 40, 120]);
  }

  steps(): Step[] {
    const dice = this.#dice;
    const steps: Step[] = [];
    const rounds = 1 + dice.below(4);
    for (let round = 0; round < rounds; round += 1) {
      for (let count = dice.below(6); count > 0; count -= 1) steps.push({ kind: 'now', event: this.#edit() });
      steps.push({ kind: 'wait', ms: dice.pick([0, 5, 50, 3000, 3000, 60_000]) });
      if (this.#theme !== 'calm') {
        for (let count = 1 + dice.below(4); count > 0; count -= 1) {
          const event = this.#event();
          steps.push(dice.once(4) ? { kind: 'now', event } : { kind: 'meanwhile', calls: dice.below(this.#reach), event });
        }
      }
      steps.push(...this.#engine());
    }
    return steps;
  }

  /** What makes the engine work. */
  #engine(): Step[] {
    const dice = this.#dice;
    const { machines, mode } = this.#world;
    if (mode === 'continuous') {
      const wait: Step = { kind: 'wait', ms: dice.pick([20, 600, 3000, 70_000]) };
      return dice.once(6) ? [{ kind: 'restart', machine: dice.below(machines), allowMassDelete: dice.once(2) }, wait] : [wait];
    }
    const all = Array.from({ length: machines }, (_, machine) => machine);
    const scope = this.#dice.once(6) ? [dice.pick(this.#names), dice.pick(this.#names)] : 'all';
    if (machines === 1 || dice.once(3)) return [{ kind: 'pass', machines: all, scope }];
    return all.filter(() => !dice.once(4)).map((machine) => ({ kind: 'pass', machines: [machine], scope }));
  }

  #edit(): Event {
    const dice = this.#dice;
    const path = dice.once(5) && this.#world.initial.length > 12 ? 'm' : dice.pick(this.#names);
    const [place, gesture, to] = [dice.below(this.#world.machines + 1), dice.pick(GESTURES), dice.pick(this.#names)];
    return { kind: 'edit', place, gesture: this.#changesPrograms && REPLACED.has(gesture) ? 'chmod' : gesture, path, to };
  }

  #event(): Event {
    const dice = this.#dice;
    const machine = dice.below(this.#world.machines);
    switch (this.#theme) {
      case 'calm':
      case 'hostile':
        return dice.once(8) ? this.#resolve(machine) : this.#edit();
      case 'faults':
        return dice.pick([() => this.#fault(machine), () => this.#fault(machine), () => this.#watch(machine), () => this.#lesser(machine), () => this.#edit()])();
      case 'crashes':
        return dice.once(2) ? { kind: 'crash', machine } : this.#edit();
      case 'power':
        return dice.once(2) ? { kind: 'power-loss', machine, seed: dice.below(1_000_000) } : this.#edit();
      case 'roots':
        return dice.once(2) ? this.#root() : this.#edit();
      case 'everything':
        return dice.pick([
          () => this.#fault(machine),
          () => this.#watch(machine),
          () => this.#lesser(machine),
          () => this.#edit(),
          () => this.#edit(),
          () => this.#resolve(machine),
          (): Event => ({ kind: 'crash', machine }),
          (): Event => (this.#world.folder.losesUnflushed === true ? { kind: 'power-loss', machine, seed: dice.below(1_000_000) } : { kind: 'crash', machine }),
          () => this.#root(),
        ])();
    }
  }

  #root(): Event {
    const dice = this.#dice;
    const place = dice.below(this.#world.machines + 1);
    return dice.once(2) ? { kind: 'unplug', place, leaving: dice.pick(['nothing', 'empty-directory']) } : { kind: 'plug', place };
  }

  #resolve(machine: number): Event {
    return { kind: 'resolve', machine, index: this.#dice.below(3), keep: this.#side() };
  }

  /** A full disk, a state that cannot be written, a clock that jumps, rules that change. */
  #lesser(machine: number): Event {
    const dice = this.#dice;
    switch (dice.below(4)) {
      case 0:
        return { kind: 'disk', place: dice.below(this.#world.machines + 1), freeBytes: dice.pick([0, 3, 10, undefined]) };
      case 1:
        return { kind: 'state-fault', machine, code: dice.pick(['damaged', 'no-space', 'io-error']), operation: dice.pick(['commit', 'scan', 'get', 'putConflicts', 'setRoots']) };
      case 2:
        return { kind: 'clock', ms: dice.pick([-315_360_000_000, -60_000, 60_000, 315_360_000_000]) };
      default:
        return { kind: 'filter', machine, ignored: this.#names === FOLDING_NAMES ? [] : dice.pick([[], ['x'], ['e'], ['a']]) };
    }
  }

  #watch(machine: number): Event {
    const faults: readonly WatchFault[] = ['lose', 'repeat', 'hold', 'release', 'reverse', 'delay', 'overflow', 'degrade', 'lie'];
    return { kind: 'watch', machine, side: this.#side(), fault: this.#dice.pick(faults), path: this.#dice.pick(this.#names) };
  }

  #fault(machine: number): Event {
    const dice = this.#dice;
    const fault = dice.pick<FaultKind>(['fail', 'fail', 'lose-reply', 'lose-reply', 'delay', 'truncate', 'shorten', 'rewind', 'unknown', 'unknown', 'stale', 'ignore-precondition', 'displace']);
    return {
      kind: 'fault',
      machine,
      side: this.#side(),
      fault,
      operation: this.#operation(fault),
      path: dice.once(2) ? dice.pick(this.#names) : undefined,
      times: dice.pick([1, 1, 2, 5]),
      amount: dice.pick([0, 1, 3, 8]),
      code: dice.pick(['io-error', 'io-error', 'unreachable', 'throttled', 'permission-denied', 'no-space', 'not-found', 'damaged']),
    };
  }

  #operation(fault: FaultKind): Extract<Event, { kind: 'fault' }>['operation'] {
    const dice = this.#dice;
    if (fault === 'stale') return dice.pick(['list', 'stat', 'read']);
    if (fault === 'ignore-precondition') return dice.pick(['commit', 'remove']);
    const operation = dice.pick(['*', 'list', 'list-batch', 'stat', 'getHashes', 'read', 'chunk', 'isUnchanged', 'openForSafeReplace', 'write', 'commit', 'remove', 'makeDirectory', 'removeDirectory', 'flush', 'rootIdentity', 'open'] as const);
    return this.#changesPrograms && operation === 'makeDirectory' ? 'setExecutable' : operation;
  }

  #side(): SideName {
    return this.#dice.pick<SideName>(['source', 'target']);
  }
}
