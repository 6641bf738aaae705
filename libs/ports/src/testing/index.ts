/** Conformance suites and fakes: what every implementation of a port runs, and what tests stand on. Loads Jest. */

export * from './manual-clock.js';
export * from './storage-backend-suite.js';
export * from './sync-state-suite.js';
export * from './hash-cache-suite.js';
export * from './watcher-suite.js';
export * from './silent-events.js';
