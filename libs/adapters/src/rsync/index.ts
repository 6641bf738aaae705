/** The system's rsync as a syncer. */

export { rsyncSyncer, type RsyncHost } from './rsync-syncer.js';
export { findProgram, runRsync, type RsyncCall, type RsyncEnd, type RunRsync } from './run-rsync.js';
