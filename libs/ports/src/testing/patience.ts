/** How long tests wait before they give up: against what hangs. None of it is a promise of speed. */

/** How long a test of many steps may take, in milliseconds: the machine may be slow, and busy with other things. */
export const PATIENCE_MS = 240_000;
