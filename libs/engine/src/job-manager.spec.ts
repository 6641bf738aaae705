/** The job table: starting, refusing, resuming, stopping, events and status of jobs. */
