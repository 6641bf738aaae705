/** A simulated world: a clock, one shared storage, machines with a folder each, and people. Carries out single events. */

import { MemoryTree, type MemoryVolume } from '@wl/adapters/memory';
import { ancestorsOf, type RelativePath, type SideName } from '@wl/domain';
import { ManualClock } from '@wl/ports/testing/manual-clock';

import { Dice } from './dice.js';
import { injectStorageFault, injectWatchFault } from './inject.js';
import { isText, Ledger, type Change, type Ticker } from './ledger.js';
import { Machine } from './machine.js';
import { isIgnored, Oracle, hashOf } from './oracle.js';
import { People } from './people.js';
import type { Event, StorageSpec, WorldSpec } from './scenario.js';

/** Everything of one run. */
export class World {
  readonly clock = new ManualClock();
  readonly spec: WorldSpec;
  readonly ledgers: readonly Ledger[];
  readonly machines: readonly Machine[];
  readonly people: People;
  readonly oracle: Oracle;
  /** Faults that have struck so far: with any, nothing is compared with an undisturbed run. */
  faults = 0;
  /** Resolutions under way. */
  readonly pending = new Set<Promise<void>>();
  readonly #ticker: Ticker = { serial: 0 };
  readonly #unplugged = new Map<Ledger, MemoryVolume>();
  readonly #byBackend = new Map<string, { readonly machine: Machine; readonly side: SideName }>();
  #isPersonActing = false;

  constructor(spec: WorldSpec, onCall: (backendId: string, operation: string, path: string, phase: string) => void) {
    this.spec = spec;
    this.ledgers = Array.from({ length: spec.machines + 1 }, (_, place) => this.#ledger(place, place === 0 ? spec.shared : spec.folder));
    this.people = new People(this.ledgers);
    this.oracle = new Oracle(this.#ticker, this.people);
    this.machines = Array.from({ length: spec.machines }, (_, index) => {
      const ledgers = { source: this.ledgers[index + 1]!, target: this.ledgers[0]! };
      return new Machine({ index, clock: this.clock, world: spec, ledgers, oracle: this.oracle, onCall, ticker: this.#ticker });
    });
    for (const machine of this.machines) {
      for (const side of ['source', 'target'] as const) this.#byBackend.set(machine.backendIds[side], { machine, side });
    }
  }

  /** Files that are everywhere from the beginning. */
  populate(paths: readonly string[]): void {
    for (const path of paths) {
      const text = this.people.newText();
      for (const { tree } of this.ledgers) tree.write(path, text);
    }
    for (const { tree } of this.ledgers) tree.sync();
  }

  /** Lets one event happen, at once. */
  happen(event: Event): void {
    switch (event.kind) {
      case 'edit':
        this.#edit(event);
        return;
      case 'resolve':
        this.#track(this.machines[event.machine]!.resolve(event.index, event.keep));
        return;
      case 'clock':
        this.clock.stepWall(event.ms);
        if (event.ms < 0) for (const ledger of this.ledgers) ledger.clockSetBack();
        return;
      case 'filter':
        this.oracle.gone.clear();
        this.machines[event.machine]!.crash(event.ignored);
        return;
      default:
        this.faults += 1;
        this.#fault(event);
    }
  }

  /** Ends all faults: volumes are back, disks have room, storages, states and watchers behave. */
  mend(): void {
    for (const ledger of this.ledgers) {
      this.#plug(ledger);
      ledger.tree.capacityBytes = undefined;
    }
    for (const machine of this.machines) {
      machine.watchedPair.mend();
      for (const side of ['source', 'target'] as const) {
        const { faults, events } = machine.storage(side);
        faults.clearRules();
        events.refuse(undefined);
        events.lose(0);
        events.repeat(0);
        events.delayMs = 0;
        events.release();
      }
    }
  }

  #edit(event: Extract<Event, { kind: 'edit' }>): void {
    const ledger = this.ledgers[event.place];
    if (ledger === undefined) return;
    for (const path of [...this.oracle.gone.keys()]) if (isNear(path, event.path) || (event.gesture === 'rename' && isNear(path, event.to))) this.oracle.gone.delete(path);
    const before = new Map(ledger.copies);
    const held = ledger.now.get(event.path);
    this.#isPersonActing = true;
    this.people.act(event);
    this.#isPersonActing = false;
    this.#giveUp(ledger, before);
    // Who removes what is not there decides nothing, and who removes a directory that had taken a file's place may
    // have chosen the file by that (INV-36).
    if (event.gesture === 'remove' && isText(held)) this.#expectGone(event.place, event.path);
  }

  /** What a person took a copy of away, they gave up. */
  #giveUp(ledger: Ledger, before: ReadonlyMap<string, number>): void {
    for (const [text, count] of before) if ((ledger.copies.get(text) ?? 0) < count) this.oracle.giveUp(ledger, text);
  }

  /** A removal of what everybody agrees on must not be undone by anybody but people. */
  #expectGone(place: number, path: string): void {
    if (this.spec.isUnidirectional || this.machines.length > 1 || this.faults > 0) return;
    const machine = this.machines[0]!;
    const other = this.ledgers[place === 0 ? 1 : 0]!;
    const text = other.now.get(path);
    if (!isText(text) || isIgnored(path, machine.ignored) || this.ledgers[place]!.now.has(path)) return;
    // Below a link nothing is there to be removed, nor is anything decided.
    if (ancestorsOf(path as RelativePath).some((above) => this.ledgers[place]!.now.get(above)?.startsWith('<') === true)) return;
    const row = machine.pair.get(path as never);
    if (row?.kind === 'file' && row.hash === hashOf(text) && machine.pair.conflicts().every((record) => !isNear(record.path, path))) this.oracle.gone.set(path, text);
  }

  #fault(event: Exclude<Event, { kind: 'edit' | 'resolve' | 'clock' | 'filter' }>): void {
    switch (event.kind) {
      case 'fault':
        injectStorageFault(this.machines[event.machine]!, event, this.oracle);
        return;
      case 'watch':
        injectWatchFault(this.machines[event.machine]!, event);
        return;
      case 'crash':
        this.machines[event.machine]!.crash();
        return;
      case 'power-loss':
        this.#losePower(event.machine, event.seed);
        return;
      case 'unplug': {
        const ledger = this.ledgers[event.place]!;
        // Before anybody knows which volume belongs here, another one is as good.
        if (!ledger.isHome || !this.#isKnown(event.place)) return;
        this.oracle.exchangedSince.set(ledger, this.#ticker.serial);
        this.#ticker.serial += 1;
        this.#unplugged.set(ledger, ledger.tree.unmount(event.leaving));
        return;
      }
      case 'plug': {
        // Pulled and put back between two looks at the root, it is missed only by a storage that is tied
        // to its volume. Elsewhere it comes back between passes: a gap that docs/torture.md names.
        const isMissed = (event.place === 0 ? this.spec.shared : this.spec.folder).tiesToVolume === true;
        if (!isMissed && this.machines.some(({ isPassRunning }) => isPassRunning)) return;
        this.#plug(this.ledgers[event.place]!);
        return;
      }
      case 'disk': {
        const { tree } = this.ledgers[event.place]!;
        tree.capacityBytes = event.freeBytes === undefined ? undefined : tree.usedBytes() + event.freeBytes;
        return;
      }
      case 'state-fault':
        this.machines[event.machine]!.watchedPair.fail(event.operation, event.code);
    }
  }

  #isKnown(place: number): boolean {
    return this.machines.every(({ index, pair }) => {
      const { sourceRootIds, targetRootIds } = pair.summary();
      return place === 0 ? targetRootIds.length > 0 : place !== index + 1 || sourceRootIds.length > 0;
    });
  }

  #plug(ledger: Ledger): void {
    const volume = this.#unplugged.get(ledger);
    if (volume === undefined) return;
    this.#unplugged.delete(ledger);
    ledger.tree.mount(volume);
  }

  #losePower(index: number, seed: number): void {
    const machine = this.machines[index]!;
    const dice = new Dice(seed);
    const isAlone = this.machines.length === 1;
    machine.crash();
    for (const ledger of isAlone ? [machine.ledgers.source, machine.ledgers.target] : [machine.ledgers.source]) {
      if (!ledger.tree.losesUnflushed || !ledger.isHome) continue;
      const before = new Map(ledger.now);
      ledger.isWorldActing = true;
      ledger.tree.losePower(() => dice.once(2));
      ledger.isWorldActing = false;
      // A copy that nobody had flushed is lost by the machine, not by the sync, if a person had made it.
      for (const [path, state] of before) {
        if (isText(state) && ledger.now.get(path) !== state && this.#madeByPeople.get(ledger)?.has(state) === true) this.oracle.givenUp.add(state);
      }
    }
    this.oracle.gone.clear();
  }

  /** Texts that people, not an engine, brought to a tree. */
  readonly #madeByPeople = new Map<Ledger, Set<string>>();

  #ledger(place: number, spec: StorageSpec): Ledger {
    const { batchSize: _b, chunkBytes: _c, copiesWithin: _w, keepsHashes: _h, tiesToVolume: _t, ...options } = spec;
    const tree = new MemoryTree({ id: place === 0 ? 'shared' : `folder-${String(place)}`, clock: this.clock, ...options });
    const ledger: Ledger = new Ledger(
      tree,
      this.#ticker,
      (changes, by) => this.#changed(ledger, changes, by),
      ({ path, by }) => {
        const actor = this.#byBackend.get(by ?? '');
        if (actor !== undefined) this.oracle.foreignChanged(actor.machine, actor.side, path);
      },
      spec.timestampGranularityMs !== undefined,
    );
    return ledger;
  }

  #changed(ledger: Ledger, changes: readonly Change[], by: string | undefined): void {
    const actor = by === undefined ? undefined : this.#byBackend.get(by);
    if (actor !== undefined) {
      this.oracle.engineChanged(actor.machine, actor.side, changes);
      return;
    }
    if (!this.#isPersonActing || !ledger.tree.losesUnflushed) return;
    let made = this.#madeByPeople.get(ledger);
    if (made === undefined) this.#madeByPeople.set(ledger, (made = new Set()));
    for (const { after } of changes) if (isText(after)) made.add(after);
  }

  #track(promise: Promise<void>): void {
    this.pending.add(promise);
    void promise.finally(() => this.pending.delete(promise));
  }
}

/** Whether one path is the other, or lies above or below it. */
export function isNear(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}
