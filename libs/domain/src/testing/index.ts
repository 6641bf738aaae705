/** The rules of a sync told a second time, for tests and the simulator: whole trees, and what a pass over them must come to. */

export * from './oracle.js';
export * from './trees.js';
