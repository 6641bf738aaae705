/** Chance that a seed replays: the only source of randomness of the torture commands. */

/** A stream of numbers in [0, 1) for a seed (mulberry32), with what is drawn from it all the time. */
export function chanceOf(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  /** An integer in [0, limit). */
  const below = (limit) => Math.floor(next() * limit);
  return {
    next,
    below,
    /** An integer from `low` to `high`. */
    between: (low, high) => low + below(high - low + 1),
    /** Whether something of that probability happens. */
    happens: (probability) => next() < probability,
    /** One of a list. */
    pick: (list) => list[below(list.length)],
    /** So many random bytes. */
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => below(256))),
  };
}
