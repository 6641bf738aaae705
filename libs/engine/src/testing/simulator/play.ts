/**
 * Plays one scenario to its end and past it, until everything has come to rest. The same
 * scenario plays the same way each time: nothing in here asks a real clock or real chance.
 */

import type { Machine } from './machine.js';
import { expectation } from './reference.js';
import { checkTheEnd } from './final-checks.js';
import type { Event, Scenario, Step } from './scenario.js';
import { World } from './world.js';

/** What came of a run. */
export interface Outcome {
  /** What broke an invariant, in sentences; empty when nothing did. */
  readonly violations: readonly string[];
  /** Stands for everything that happened, in order: equal for equal runs. */
  readonly trace: string;
  readonly calls: number;
  readonly passes: number;
  readonly crashes: number;
  /** What happened, line by line, where that was asked for. */
  readonly log: readonly string[];
}

/** How a scenario is played. */
export interface PlayOptions {
  readonly keepsLog?: boolean;
  /** Whether a trace is taken (default); without one there is nothing to compare with another run. */
  readonly takesTrace?: boolean;
}

/** Plays it. Never rejects: what throws is a violation. */
export async function play(scenario: Scenario, options: PlayOptions = {}): Promise<Outcome> {
  const run = new Run(scenario, options.keepsLog ?? false, options.takesTrace ?? true);
  await run.toTheEnd();
  return run.outcome();
}

class Run {
  readonly #scenario: Scenario;
  readonly #world: World;
  readonly #log: string[] = [];
  readonly #keepsLog: boolean;
  readonly #takesTrace: boolean;
  /** Events that wait for their call, soonest first. */
  #armed: { calls: number; event: Event }[] = [];
  #calls = 0;
  #passes = 0;
  #crashes = 0;
  #trace = 0x811c9dc5;

  constructor(scenario: Scenario, keepsLog: boolean, takesTrace: boolean) {
    this.#scenario = scenario;
    this.#keepsLog = keepsLog;
    this.#takesTrace = takesTrace;
    this.#world = new World(scenario.world, (backendId, operation, path, phase) => this.#onCall(backendId, operation, path, phase));
  }

  async toTheEnd(): Promise<void> {
    const { oracle } = this.#world;
    try {
      await this.#begin();
      for (const step of this.#scenario.steps) await this.#take(step);
      await this.#comeToRest();
      for (const machine of this.#world.machines) await this.#world.clock.runUntil(machine.end());
      checkTheEnd(this.#world);
    } catch (error) {
      oracle.blame(`the run broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
    for (const [i, ledger] of this.#world.ledgers.entries()) {
      this.#note(() => `in the end ${placeName(i)} holds ${[...ledger.now].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, state]) => (state === '/' ? `${path}/` : `${path}=${state}`)).join(' ') || 'nothing'}`);
    }
  }

  outcome(): Outcome {
    const { violations } = this.#world.oracle;
    return { violations, trace: `${this.#trace.toString(16)}-${String(this.#calls)}`, calls: this.#calls, passes: this.#passes, crashes: this.#crashes, log: this.#log };
  }

  async #begin(): Promise<void> {
    const { world } = this.#scenario;
    if (world.initial.length > 0) {
      this.#world.populate(world.initial);
      await this.#world.clock.advance(60_000);
      for (const machine of this.#world.machines) await this.#pass([machine], 'all', true);
    }
    if (world.mode === 'continuous') {
      for (const machine of this.#world.machines) await machine.start(world.allowMassDelete);
    }
  }

  async #take(step: Step): Promise<void> {
    const { clock, machines, spec } = this.#world;
    switch (step.kind) {
      case 'now':
        this.#happen(step.event);
        return;
      case 'meanwhile':
        this.#armed.push({ calls: this.#calls + step.calls + 1, event: step.event });
        this.#armed.sort((a, b) => a.calls - b.calls);
        return;
      case 'wait':
        await clock.advance(step.ms);
        return;
      case 'pass':
        await this.#pass(step.machines.map((index) => machines[index]!), step.scope, spec.allowMassDelete);
        return;
      case 'restart': {
        const machine = machines[step.machine]!;
        await clock.runUntil(machine.stop());
        await machine.start(step.allowMassDelete);
      }
    }
  }

  async #pass(machines: readonly Machine[], scope: 'all' | readonly string[], allowMassDelete: boolean): Promise<void> {
    const { clock, oracle } = this.#world;
    const only = machines.length === 1 && scope === 'all' && this.#armed.length === 0 && this.#world.faults === 0 && this.#world.pending.size === 0 ? machines[0] : undefined;
    const check = only === undefined ? undefined : expectation(only);
    this.#passes += machines.length;
    const reports = await clock.runUntil(
      Promise.all(machines.map((machine) => (scope === 'all' ? machine.pass(allowMassDelete) : machine.passOver(scope, allowMassDelete)))),
    );
    this.#note(() => `pass: ${reports.map((report) => (report === undefined ? 'failed' : report.halt?.reason ?? `${String(report.copiedFiles)} copied, ${String(report.deletedFiles)} deleted, ${String(report.conflicts)} conflicts`)).join('; ')}`);
    if (check === undefined || only === undefined) return;
    if (reports[0] === undefined) oracle.blame(`an undisturbed pass failed: ${only.failures.at(-1) ?? ''}`);
    else if (reports[0].halt === undefined) for (const fault of check(only)) oracle.blame(fault);
  }

  /** Nobody does anything any more, and nothing goes wrong: within a few rounds the engines have nothing to do either (INV-31, INV-32). */
  async #comeToRest(): Promise<void> {
    const { clock, machines, oracle, pending, spec } = this.#world;
    this.#armed = [];
    this.#world.mend();
    await clock.runUntil(Promise.all(pending));
    this.#note(() => 'everything comes to rest');
    const isQuiet = spec.mode === 'continuous' ? () => this.#letRun() : () => this.#passQuietly();
    const rounds = 4 + 2 * machines.length;
    let round = 0;
    while (round < rounds && !(await isQuiet())) round += 1;
    if (round >= rounds) oracle.blame(`INV-31, INV-32: after ${String(rounds)} quiet rounds there still is something to do`);
    if (spec.mode === 'continuous') {
      for (const machine of machines) await clock.runUntil(machine.stop());
      // A pass from scratch finds nothing that the running jobs have missed (INV-30).
      if (!(await this.#passQuietly())) oracle.blame('INV-30, INV-31: a job was at rest, and a new pass finds something to do');
    }
  }

  /** A pass of each machine; whether none of them did anything. */
  async #passQuietly(): Promise<boolean> {
    const { clock, machines, oracle } = this.#world;
    await clock.advance(60_000);
    let isQuiet = true;
    for (const machine of machines) {
      machine.operations = 0;
      const rows = rowsOf(machine);
      const check = expectation(machine);
      // The person says yes to a root that is empty where nobody knows any more which one it was.
      const report = await clock.runUntil(machine.pass(true, machine.pair.summary().areRootsLost));
      this.#passes += 1;
      if (report === undefined || report.halt !== undefined) oracle.blame(`a quiet pass of machine ${String(machine.index + 1)} did not end well: ${report?.halt?.message ?? machine.failures.at(-1) ?? ''}`);
      else if (check !== undefined) for (const fault of check(machine)) oracle.blame(fault);
      if (machine.operations > 0 || rows !== rowsOf(machine)) isQuiet = false;
    }
    return isQuiet;
  }

  /** Lets continuous jobs run until their next full pass is over; whether they did nothing. */
  async #letRun(): Promise<boolean> {
    const { clock, machines } = this.#world;
    for (const machine of machines) {
      if (machine.isHalted || !machine.isJobRunning) {
        // The person says yes to the deletions that the job halted on, or to the root.
        await clock.runUntil(machine.stop());
        machine.isHalted = false;
        await machine.start(true, machine.pair.summary().areRootsLost);
      }
      machine.operations = 0;
    }
    await clock.advance(130_000);
    return machines.every((machine) => machine.operations === 0 && !machine.isHalted);
  }

  #onCall(backendId: string, operation: string, path: string, phase: string): void {
    this.#calls += 1;
    if (this.#takesTrace) this.#mix(`${backendId}${operation}${path}${phase}`);
    if (this.#keepsLog) this.#log.push(`${String(this.#calls)} ${phase} ${operation} ${path} (${backendId})`);
    while (this.#armed[0] !== undefined && this.#armed[0].calls <= this.#calls) this.#happen(this.#armed.shift()!.event);
  }

  #happen(event: Event): void {
    if (event.kind === 'crash' || event.kind === 'power-loss') this.#crashes += 1;
    this.#note(() => JSON.stringify(event));
    this.#world.happen(event);
  }

  #note(say: () => string): void {
    if (!this.#takesTrace && !this.#keepsLog) return;
    const line = say();
    this.#mix(line);
    if (this.#keepsLog) this.#log.push(`${String(this.#world.clock.monotonicMs())} ms: ${line}`);
  }

  /** FNV-1a. */
  #mix(text: string): void {
    let hash = this.#trace;
    for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
    this.#trace = hash;
  }
}

/** A storage for people. */
export function placeName(place: number): string {
  return place === 0 ? 'the shared storage' : `folder ${String(place)}`;
}

function rowsOf(machine: Machine): string {
  const { files, bytes } = machine.pair.totals();
  return `${String(files)} ${String(bytes)} ${machine.pair.conflicts().map(({ path }) => path).join()}`;
}
