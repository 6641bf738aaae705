/**
 * Any string as text that SQLite keeps: NUL ends a text for some of its readers, and a lone
 * surrogate has no UTF-8. Tokens and ids come from backends and may be anything.
 *
 * What comes out never holds a line break, so that a list of texts can be joined by one.
 */

/** Begins a text that is stored as JSON. */
const MARK = '\u0001';

/** The text to store for `text`: nearly always itself. */
export function toStored(text: string): string {
  return isPlain(text) ? text : `${MARK}${JSON.stringify(text)}`;
}

/** The text that was stored as `stored`; throws on what `toStored` never makes. */
export function fromStored(stored: string): string {
  return stored.startsWith(MARK) ? (JSON.parse(stored.slice(1)) as string) : stored;
}

/** `fromStored` of each of the texts that were joined to `joined` by line breaks. */
export function fromStoredLines(joined: string): string[] {
  const lines = joined.split('\n');
  return holdsMarks(joined) ? lines.map(fromStored) : lines;
}

/** Whether any of the texts that were joined is stored as another one than it is. */
export function holdsMarks(joined: string): boolean {
  return joined.includes(MARK);
}

function isPlain(text: string): boolean {
  return !text.startsWith(MARK) && !text.includes('\0') && !text.includes('\n') && text.isWellFormed();
}
