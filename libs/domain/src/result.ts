/**
 * Answers a caller plans for, as values: absent, stale token, invalid input.
 * What nobody plans for is thrown. Codes are unions of string literals.
 */

/** Either a value or one of the errors the caller is expected to handle. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

/** Wraps a value. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** Wraps an expected error. */
export function err<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}

/** Marks a `switch` as total: reached only when our own types lie. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** Throws when one of our own invariants broke; the message starts with its number (`INV-5: …`). */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}
