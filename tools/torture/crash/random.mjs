/** A repeatable source of chance: xorshift32 (Marsaglia, "Xorshift RNGs", 2003). */
export function randomOf(seed) {
  let state = seed >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  return {
    /** A whole number from 0 to `below` - 1. */
    below: (below) => next() % below,
    pick: (list) => list[next() % list.length],
  };
}
