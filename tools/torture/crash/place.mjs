/**
 * A place where one world is played again and again: a home, a disk with base directory and
 * storages, and what a run of the daemon does in it.
 */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { allEverything, knownVersions } from './checks.mjs';
import { Daemon, Gone, LIMIT_MS } from './daemon.mjs';
import { disks } from './disks.mjs';
import { edit, plant, visible } from './files.mjs';
import { readReport, traced } from './tracer.mjs';

const JOB = '0xaa|00000000-0000-4000-8000-000000000000|right';

/** One world in one place. */
export class Place {
  /** `bucket`: a `BucketSide` that stands for the right side. */
  constructor({ scratch, scenario, disk, tracer, bucket }) {
    Object.assign(this, { scenario, tracer, bucket, diskName: disk });
    this.home = scratch;
    mkdirSync(path.join(scratch, 'run'), { recursive: true, mode: 0o700 });
    this.disk = disks[disk](path.join(scratch, 'disk'));
    this.base = path.join(this.disk.dir, 'base');
    this.left = path.join(this.disk.dir, 'left');
    this.right = path.join(this.disk.dir, 'right');
    this.roots = bucket === undefined ? [this.left, this.right, this.base] : [this.left, this.base];
    this.socket = path.join(scratch, 'run', 'socket');
    this.report = path.join(scratch, 'report');
  }

  /** Makes the world up to the run in question, and keeps it to come back to. */
  async prepare() {
    const { scenario, bucket } = this;
    await this.disk.begin();
    for (const dir of [this.base, this.left]) mkdirSync(dir, { mode: 0o700 });
    if (bucket === undefined) mkdirSync(this.right);
    plant(this.left, scenario.before);
    if (!scenario.isNew) {
      const daemon = this.start();
      const job = await this.syncAndEnd(daemon);
      if (job.state !== 'SYNCED') throw new Error(`${scenario.name} cannot be prepared: ${JSON.stringify(job)}`);
    }
    edit(this.left, scenario.left);
    if (bucket === undefined) edit(this.right, scenario.right);
    else bucket.edit(scenario.right);
    bucket?.keep();
    this.begun = { left: visible(this.left), right: this.rightTree() };
    this.known = knownVersions(scenario, this.begun);
    await this.disk.keep();
  }

  /** Back to where the run begins. */
  async restore() {
    // Only a run that was killed leaves its socket; what comes after it in the same world must cope with that.
    rmSync(this.socket, { force: true });
    this.bucket?.restore();
    await this.disk.restore();
  }

  async end() {
    await this.disk.end();
    rmSync(this.home, { recursive: true, force: true });
  }

  /** What is visible on the right side. */
  rightTree() {
    return this.bucket === undefined ? visible(this.right) : this.bucket.visible();
  }

  /** Everything on both sides, the areas too. */
  everything() {
    return allEverything(this);
  }

  /** Starts a daemon; with `mode` under the tracer. */
  start(mode) {
    const trace = mode === undefined ? [] : traced(this.tracer, this.roots, this.report, mode);
    return new Daemon({ home: this.home, base: this.base, socket: this.socket, trace, logFile: path.join(this.home, mode === undefined ? 'log' : 'log-traced') });
  }

  calls() {
    return readReport(this.report);
  }

  /** One sync with all that the world does in it; gives the job at rest. Throws `Gone` when the daemon ends on the way. */
  async sync(client) {
    let job = await this.oneShot(client);
    const open = Object.entries(this.scenario.resolve).filter(([name]) => job.conflicts.some((conflict) => conflict.path === name));
    for (const [name, keep] of open) await client.ask('resolve', { 'job-id': JOB, path: name, keep });
    if (open.length > 0) job = await this.oneShot(client);
    return job;
  }

  async oneShot(client) {
    const target = this.bucket?.params() ?? { type: 'local', location: this.right, 'backend-id': 'right' };
    await client.ask('start', {
      'container-name': 'world', 'job-id': JOB, source: { type: 'local', location: this.left, 'backend-id': 'left' }, target,
      continuous: false, unidirectional: false,
    });
    for (const end = performance.now() + LIMIT_MS; performance.now() < end; await sleep(10)) {
      const job = (await client.ask('status-json')).jobs.find((candidate) => candidate['job-id'] === JOB);
      if (job?.state === 'SYNCED' || job?.state === 'ERROR') return job;
    }
    throw new Error('the sync did not end');
  }

  /** Lets a daemon sync and end in order; gives the job. */
  async syncAndEnd(daemon) {
    try {
      const client = await daemon.connect();
      const job = await this.sync(client);
      await client.shutdown();
      const { code } = await daemon.ended;
      if (code !== 0) throw new Error(`the daemon ended with ${code}`);
      return job;
    } catch (error) {
      if (!(error instanceof Gone)) await daemon.kill();
      throw error;
    }
  }

  /** The same with a daemon that is expected to be killed on the way; whether it went through. */
  async syncUntilKilled(daemon) {
    try {
      await this.syncAndEnd(daemon);
      return true;
    } catch (error) {
      if (error instanceof Gone || daemon.hasEnded) {
        await daemon.ended;
        return false;
      }
      throw error;
    }
  }
}
