/** Odd values and odd bytes: what a hostile client, or a tired person, writes where something else is expected. */

/** Paths and names that lead somewhere else. */
export const TRICKS = [
  '../canary/secret.txt', '../../../../../../etc/passwd', '/etc/passwd', './../canary', 'left/../../canary', '..', '.', '/', '//', '', ' ', '.wl/trash', '.wl/root-id',
  'a\0b', '\0', 'a\nb', 'a\n\nb', 'a\r\nb', '\u202Etxt.exe', 'C:\\windows', '..\\..\\canary', 'file:///etc/passwd', '~root/.ssh', '$HOME/x', '`touch /tmp/x`', '%2e%2e/canary', 'a/'.repeat(2000), 'x'.repeat(300),
  '/proc/self/mem', '/dev/zero', '/dev/stdin', '__proto__', 'constructor', 'toString', '\ud800', 'ｅ\u0301',
];

/** Values of every JSON type, at the edges of what numbers and texts can be. */
export const VALUES = [
  null, true, false, 0, -0, -1, 1, 1.5, 1e308, -1e308, 2 ** 53, Number.MAX_SAFE_INTEGER, 1e-320, [], {}, [[]], [null], [{}], { a: 1 }, { length: 1e9 }, { toString: 1, valueOf: 2 }, { then: 'x' },
  'x', 'x'.repeat(100_000), 'true', '0', 'NaN', 'null', '[]', ...TRICKS,
];

/** JSON text that `JSON.stringify` would not write. */
export const RAW = [
  '{"__proto__": {"polluted": true}}', '{"constructor": {"prototype": {"polluted": true}}}', '1e999', '-1e999', '12345678901234567890123', '0.1e-999', '"\\ud800"', '"\\u0000"', '[1,2', '{"a":1,"a":2}',
  '['.repeat(50_000), '['.repeat(5000) + ']'.repeat(5000), '{"a":'.repeat(5000) + '1' + '}'.repeat(5000), '01', '.5', '+1', "'x'", 'undefined', 'NaN', '// x', '"\t"', '\u2028',
];

/** Changes bytes at a few places. */
export function bend(bytes, chance) {
  let bent = Buffer.from(bytes);
  for (let count = 1 + chance.below(4); count > 0; count -= 1) {
    const at = chance.below(bent.length + 1);
    switch (chance.below(7)) {
      case 0: bent = bent.subarray(0, at); break;
      case 1: if (at < bent.length) bent[at] ^= 1 << chance.below(8); break;
      case 2: bent = insert(bent, at, chance.bytes(1 + chance.below(20))); break;
      case 3: bent = insert(bent, at, Buffer.from([0])); break;
      case 4: bent = insert(bent, at, Buffer.from(chance.pick(['\n\n', '\r\n\r\n', '\n', '\xff\xfe', '}', '{', '"', '\\u', ',', ':']), 'latin1')); break;
      case 5: bent = insert(bent, at, bent.subarray(0, at)); break;
      default: bent = insert(bent, at, Buffer.from(chance.pick(RAW)));
    }
  }
  return bent;
}

function insert(bytes, at, more) {
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}
