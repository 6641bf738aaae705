/** Lies a listing can tell (T06): what is done to a page before it goes out. */

/**
 * - `first-page`: the first page comes again, whatever token is asked with.
 * - `backwards`: the page is in reverse order.
 * - `drop-entry`: one entry in the middle is missing.
 * - `claims-end`: says it is the last page though there are more keys.
 * - `claims-more`: says there is more and gives a token, though this is the last page.
 * - `more-without-token`: says there is more and gives no token.
 * - `repeat-token`: the token for the next page is the one of this page.
 * - `duplicates`: every entry comes twice.
 * - `foreign-key`: an entry that does not start with the prefix.
 */
export type PageTrick =
  | 'first-page'
  | 'backwards'
  | 'drop-entry'
  | 'claims-end'
  | 'claims-more'
  | 'more-without-token'
  | 'repeat-token'
  | 'duplicates'
  | 'foreign-key';
