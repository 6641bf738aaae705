import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { decodeEvent, encodeEvent } from './control-event.js';

function innerDocument(message: string): string {
  return (JSON.parse(message) as { event: string }).event;
}

describe('encodeEvent', () => {
  it('writes the bytes of the original where those were sound', () => {
    expect(encodeEvent({ type: 'state', value: 'SYNCED', jobId: '0xaa|1' })).toBe(
      '{\n  "event": "{\\"type\\" : \\"state\\", \\"value\\": \\"SYNCED\\", \\"job_id\\": \\"0xaa|1\\"}"\n}\n\n',
    );
  });

  it('keeps any text whole: quotes, backslashes, newlines, half surrogates (W-34)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), fc.string(), (type, value, jobId) => {
        const message = encodeEvent({ type, value, jobId });
        expect(message.indexOf('\n\n')).toBe(message.length - 2);
        expect(JSON.parse(innerDocument(message))).toEqual({ type, value, job_id: jobId });
        expect(decodeEvent(innerDocument(message))).toEqual({ type, value, jobId });
      }),
    );
  });
});

describe('decodeEvent', () => {
  it.each(['{"type" : "progress", "value": "CREATE a"b.txt", "job_id": "x"}', '', 'null', '[]', '{"type": 1, "value": "", "job_id": ""}'])(
    'hands on the text of an event that is not sound: %s',
    (document) => {
      expect(decodeEvent(document)).toEqual({ type: 'unreadable', value: document, jobId: '' });
    },
  );
});
