/** The ports: what the engine needs from the world, as contracts. Conformance suites are in `@wl/ports/testing`. */

export * from './built-in-syncers.js';
export * from './clock.js';
export * from './errors.js';
export * from './hash-cache.js';
export * from './inbox.js';
export * from './joined-rows.js';
export * from './listing-rows.js';
export * from './pair-orientation.js';
export * from './plugin.js';
export * from './programs.js';
export * from './storage-backend.js';
export * from './sync-state.js';
export * from './syncer.js';
export * from './watcher.js';
