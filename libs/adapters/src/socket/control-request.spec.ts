import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { encodeRequest, parseRequest, type ControlRequest } from './control-request.js';

function parsed(text: string): ControlRequest {
  const answer = parseRequest(Buffer.from(text));
  if (answer.kind === 'malformed') throw new Error(answer.reason);
  return answer.request;
}

function reasonOf(bytes: Uint8Array): string {
  const answer = parseRequest(bytes);
  return answer.kind === 'malformed' ? answer.reason : 'no reason';
}

describe('parseRequest', () => {
  it('reads command, arguments and id', () => {
    expect(parsed('{"cmd": "stop", "args": {"job-id": "x"}, "id": 7}')).toEqual({ cmd: 'stop', args: { 'job-id': 'x' }, idText: '7' });
  });

  it('takes a request without arguments and id', () => {
    expect(parsed('{"cmd": "status"}')).toEqual({ cmd: 'status', args: {}, idText: undefined });
    expect(parsed('{"cmd": "status", "args": null}')).toEqual({ cmd: 'status', args: {}, idText: undefined });
  });

  it('turns underscores of argument names into dashes, at the top level only', () => {
    const { args } = parsed('{"cmd": "start", "args": {"job_id": "a_b", "active_events_x": ["c_d"], "source": {"backend_id": 1}}}');
    expect(args).toEqual({ 'job-id': 'a_b', 'active-events-x': ['c_d'], source: { backend_id: 1 } });
  });

  it('lets the later of two spellings of one argument win', () => {
    expect(parsed('{"cmd": "x", "args": {"job_id": 1, "job-id": 2}}').args).toEqual({ 'job-id': 2 });
    expect(parsed('{"cmd": "x", "args": {"job-id": 2, "job_id": 1}}').args).toEqual({ 'job-id': 1 });
  });

  it('treats __proto__ as a name like any other', () => {
    const { args } = parsed('{"cmd": "x", "args": {"__proto__": {"admin": true}, "--proto--": 1}}');
    expect(Object.getPrototypeOf(args)).toBe(Object.prototype);
    expect(Object.keys(args)).toEqual(['--proto--']);
  });

  it.each(['0', '0.0', '-0', '""', 'false', 'null', '[]', '{}'])('drops the id %s, which Python holds for false', (id) => {
    expect(parsed(`{"cmd": "x", "id": ${id}}`).idText).toBeUndefined();
  });

  it.each(['1', '-1', '1.50', '1e3', '12345678901234567890123', '"a"', '" "', '"\\u00e9\\ud83d"', 'true', '[0]', '{"a": {"id": 1}}', '[[], "}", "\\"]"]'])(
    'keeps the id %s as it was written',
    (id) => {
      expect(parsed(`{"cmd": "x", "id": ${id}}`).idText).toBe(id);
      expect(parsed(`{"id":\n\t ${id} ,"cmd":"x"}`).idText).toBe(id);
    },
  );

  it('takes the last of repeated ids, and no id from deeper down or from a string', () => {
    expect(parsed('{"id": 1, "cmd": "x", "id": 2}').idText).toBe('2');
    expect(parsed('{"cmd": "x", "args": {"id": 5}, "\\u0069d": 3}').idText).toBe('3');
    expect(parsed('{"cmd": "\\"id\\": 9", "args": {"id": 5}}').idText).toBeUndefined();
    expect(parsed('{"args": {"a": "id", "b": ["id", {"id": 4}]}, "id": 6, "cmd": "id"}').idText).toBe('6');
  });

  it('finds the same id as JSON.parse in any request', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), fc.nat(4), (more, id, indent) => {
        const { idText } = parsed(JSON.stringify({ ...more, id, cmd: 'x', args: {} }, null, indent));
        if (idText !== undefined) expect(JSON.parse(idText)).toEqual(JSON.parse(JSON.stringify(id)));
        else expect([0, '', false, null, [], {}]).toContainEqual(JSON.parse(JSON.stringify(id)));
      }),
    );
  });

  it.each([
    ['no JSON', Buffer.from('hello'), 'the request is not valid JSON'],
    ['half a document', Buffer.from('{"cmd": "x"'), 'the request is not valid JSON'],
    ['two documents without a separator', Buffer.from('{"cmd": "x"}{"cmd": "y"}'), 'the request is not valid JSON'],
    ['NaN', Buffer.from('{"cmd": "x", "args": {"a": NaN}}'), 'the request is not valid JSON'],
    ['invalid UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'the request is not valid UTF-8'],
    ['an array', Buffer.from('[{"cmd": "x"}]'), 'the request is not a JSON object'],
    ['null', Buffer.from('null'), 'the request is not a JSON object'],
    ['no command', Buffer.from('{"args": {}}'), 'the request has no "cmd", or one that is not a string'],
    ['a command that is no string', Buffer.from('{"cmd": 1}'), 'the request has no "cmd", or one that is not a string'],
    ['arguments that are a list', Buffer.from('{"cmd": "x", "args": []}'), '"args" is not a JSON object'],
    ['arguments that are a string', Buffer.from('{"cmd": "x", "args": "y"}'), '"args" is not a JSON object'],
  ])('refuses %s', (_name, bytes, reason) => {
    expect(reasonOf(bytes)).toBe(reason);
  });

  it('quotes nothing of a request it refuses, which may hold credentials', () => {
    expect(reasonOf(Buffer.from('{"secret-key": hunter2}'))).not.toContain('hunter2');
  });

  it('takes nesting as deep as the size allows', () => {
    const depth = 250_000;
    const request = parsed(`{"cmd": "x", "id": ${'['.repeat(depth)}1${']'.repeat(depth)}}`);
    expect(request.idText).toHaveLength(2 * depth + 1);
    expect(reasonOf(Buffer.from('['.repeat(1_000_000)))).toBe('the request is not valid JSON');
  });
});

describe('encodeRequest', () => {
  it('writes one line and the separator', () => {
    expect(encodeRequest('stop', { 'job-id': 'a\n\nb' }, 3)).toBe('{"cmd":"stop","args":{"job-id":"a\\n\\nb"},"id":3}\n\n');
    expect(encodeRequest('status', undefined, 1)).toBe('{"cmd":"status","id":1}\n\n');
  });
});
