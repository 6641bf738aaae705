/** The one hash that the checkers compare by. */
import { createHash } from 'node:crypto';

/** sha256 in hex. */
export function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
