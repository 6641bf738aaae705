/**
 * Events of the control protocol: `{"event": "<text>"}` where the text is a JSON
 * document of its own. The double encoding is the original's and clients rely on
 * it; unlike the original every field is escaped, so that a file name with
 * quotes, backslashes or newlines cannot break the document (W-34 of the
 * reference).
 */

/** Something that happened in a job. Known types are `state`, `progress`, `conflict` and `error`. */
export interface ControlEvent {
  readonly type: string;
  /** Text whose form depends on `type`: a state name, `<CREATE|MODIFY|DELETE> <path>`, a message. */
  readonly value: string;
  readonly jobId: string;
}

/** `type` of an event whose text is not the document it should be; its `value` is that text. */
export const UNREADABLE_EVENT = 'unreadable';

/** The message for `event`, with the separator. */
export function encodeEvent(event: ControlEvent): string {
  // The space before the first colon is the original's; some client may compare bytes.
  const document = `{"type" : ${JSON.stringify(event.type)}, "value": ${JSON.stringify(event.value)}, "job_id": ${JSON.stringify(event.jobId)}}`;
  return `${JSON.stringify({ event: document }, null, 2)}\n\n`;
}

/**
 * Reads the inner document. Never fails: a daemon of the original may send a
 * broken one, and a file name must not take the client down.
 */
export function decodeEvent(document: string): ControlEvent {
  try {
    const { type, value, job_id: jobId } = JSON.parse(document) as Record<string, unknown>;
    if (typeof type === 'string' && typeof value === 'string' && typeof jobId === 'string') {
      return { type, value, jobId };
    }
  } catch {
    // Falls through to the same answer as a document with the wrong fields.
  }
  return { type: UNREADABLE_EVENT, value: document, jobId: '' };
}
