/** The rows of `jobs`: what the daemon resumes after a restart. */

import type { SavedJob } from '@wl/ports';

import { checksumOf } from './checksums.js';
import type { Database } from './database.js';
import { fromStored, toStored } from './stored-text.js';

const SELECT = 'SELECT job_id, request, checksum FROM jobs ORDER BY job_id';
const REPLACE = 'INSERT OR REPLACE INTO jobs VALUES (?, ?, ?)';
const DELETE = 'DELETE FROM jobs WHERE job_id = ?';

/** The saved jobs; throws `StateError`. */
export class JobTable {
  constructor(
    private readonly database: Database,
    private readonly onNotice: (message: string) => void,
  ) {}

  /** All jobs that are what was saved. One that is damaged is forgotten, with a notice, and does not keep the others from being resumed. */
  all(): SavedJob[] {
    const rows = this.database.attempt('read the jobs', () => this.database.statement(SELECT).all());
    const jobs: SavedJob[] = [];
    for (const { job_id: id, request, checksum } of rows) {
      if (checksum === checksumOf(String(id), String(request))) {
        jobs.push({ jobId: fromStored(id as string), request: fromStored(request as string) });
      } else {
        this.onNotice(`The saved job ${JSON.stringify(id)} was damaged and is not resumed. Start its sync again.`);
        this.database.transaction('forget a damaged job', () => this.database.statement(DELETE).run(id ?? null));
      }
    }
    return jobs;
  }

  save(job: SavedJob): void {
    const id = toStored(job.jobId);
    const request = toStored(job.request);
    this.database.transaction('save a job', () => this.database.statement(REPLACE).run(id, request, checksumOf(id, request)));
  }

  delete(jobId: string): void {
    this.database.transaction('forget a job', () => this.database.statement(DELETE).run(toStored(jobId)));
  }
}
