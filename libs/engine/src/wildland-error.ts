/**
 * Refusals that the user is told of as they are. The control protocol names their class
 * `WildlandError`, as the original does, and clients match on it.
 */

/** A request that cannot be carried out, with a message that says what to do. */
export class WildlandError extends Error {
  override readonly name = 'WildlandError';
}
