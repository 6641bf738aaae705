/** The pure core: paths, content, reconciliation, safety rules, syncer selection. `SPEC.md` is its specification. */

export * from './content.js';
export * from './executable.js';
export * from './path.js';
export * from './plan.js';
export * from './reconcile.js';
export * from './result.js';
export * from './safety.js';
export * from './syncer-selection.js';
export * from './tree-planner.js';
