/**
 * The files a person writes, and writes wrongly: configuration, manifests, keys. Each case takes a
 * sound base directory, spoils one file and runs commands on it. A command ends by itself, with a
 * code of the documented list, says on standard error what is wrong, and shows no stack trace.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

import { processesWith, signal, until } from '../home.mjs';
import { DAEMON, WL } from '../programs.mjs';
import { bend, TRICKS } from './odd.mjs';

/** Exit codes of `wl` (apps/cli/src/exit-codes.ts). */
const CODES = new Set([0, 1, 2, 3]);
const LIMIT_MS = 120_000;

const BOMB = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`).join('\n')}\n`;

/** Texts in place of a file's, or added to it: `(text, chance) => text or bytes`. */
const SPOILERS = {
  'alias bomb': (text) => text + BOMB,
  'alias bomb first': (text) => BOMB + text,
  'duplicate keys': (text) => text + text.split('\n').slice(-3).join('\n') + text,
  'deep flow': () => `a: ${'['.repeat(100_000)}`,
  'deep maps': () => `a: ${'{a: '.repeat(50_000)}`,
  'deep blocks': () => Array.from({ length: 3000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  'deep lists': () => `a:\n${'- '.repeat(50_000)}x`,
  'huge file': (text) => `${text}\n# ${'x'.repeat(5 * 1024 * 1024)}`,
  'nearly huge file': (text) => `${text}\nx: "${'x'.repeat(1024 * 1024 - 2000)}"\n`,
  'many keys': (text) => text + Array.from({ length: 30_000 }, (_, index) => `k${index}: 1`).join('\n'),
  'many list items': (text) => `${text}\npaths:\n${'- /x\n'.repeat(100_000)}`,
  'wrong type': (text, chance) => withValue(text, chance, chance.pick(['null', '[]', '{}', '5', '-1', 'true', '"x"', '1e999', '.nan', '.inf', '0x12', '2001-01-01', '|\n  block', '[[[]]]', '{a: {b: c}}'])),
  'path trick': (text, chance) => withValue(text, chance, JSON.stringify(chance.pick(TRICKS))),
  'field removed': (text, chance) => text.split('\n').filter((_, index, all) => index !== chance.below(all.length)).join('\n'),
  anchor: (text) => text.replace(/: (\S)/, ': &anchor $1'),
  'merge key': (text) => `base: &base {a: 1}\n<<: *base\n${text}`,
  'function tag': (text, chance) => withValue(text, chance, '!!js/function "function () { process.exit(7) }"'),
  'python tag': (text, chance) => withValue(text, chance, '!!python/object/apply:os.system ["touch /tmp/x"]'),
  'binary tag': (text, chance) => withValue(text, chance, '!!binary aGVsbG8='),
  'own tag': (text, chance) => withValue(text, chance, '!own {}'),
  'byte order mark': (text) => `\ufeff${text}`,
  crlf: (text) => text.replaceAll('\n', '\r\n'),
  tabs: (text) => text.replaceAll('  ', '\t'),
  'two documents': (text) => `${text}\n---\n${text}`,
  directive: (text) => `%YAML 9.9\n---\n${text}`,
  empty: () => '',
  spaces: () => '   \n\n\t\n',
  comment: () => '# nothing\n',
  'a list': () => '- a\n- b\n',
  'a text': () => 'hello',
  'a prototype': (text) => `${text}\n__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}\n`,
  'complex key': (text) => `${text}\n? {a: 1}\n: b\n`,
  utf16: (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'not utf-8': (text) => Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xfe, 0xc0, 0x80])]),
  nul: (text) => `${text.slice(0, text.length / 2)}\0${text.slice(text.length / 2)}`,
  noise: (_, chance) => chance.bytes(500),
  bent: (text, chance) => bend(Buffer.from(text), chance),
  'line separators': (text) => text.replaceAll('\n', '\u2028'),
};

/** Something else in place of a file. */
const REPLACERS = {
  directory: (file) => mkdirSync(file),
  fifo: (file) => spawnSync('mkfifo', [file]),
  'dangling link': (file) => symlinkSync('/nonexistent/file', file),
  'link to itself': (file) => symlinkSync(path.basename(file), file),
  'link to zeros': (file) => symlinkSync('/dev/zero', file),
  'link to a terminal': (file) => symlinkSync('/dev/tty', file),
  'link to a secret': (file) => symlinkSync('/etc/shadow', file),
  'link to a process': (file) => symlinkSync('/proc/self/mem', file),
  nothing: () => undefined,
  socket: (file) => new Promise((resolve) => createServer().listen(file, function () { this.unref(); resolve(); })),
};

const COMMANDS = [
  ['container', 'list'],
  ['container', 'info', 'photos'],
  ['storage', 'list'],
  ['container', 'modify', 'photos', '--title', 'x'],
  ['container', 'list-conflicts', 'photos'],
  ['storage', 'check', 'left'],
  ['container', 'create', 'second'],
  ['container', 'sync', '--one-shot', '--dry-run', 'photos'],
  ['container', 'sync', '--one-shot', 'photos'],
  ['container', 'stop-sync', 'photos'],
  ['container', 'delete', 'photos'],
  ['status'],
];

/** Plays so many cases; answers findings and how many commands were run. */
export async function spoilFiles({ home, chance, count, template }) {
  const findings = [];
  let commands = 0;
  for (let index = 0; index < count; index += 1) {
    const place = home.folder(`case-${index}`);
    try {
      const outcome = await playCase({ home, chance, place, template });
      commands += outcome.commands;
      findings.push(...outcome.findings);
    } finally {
      await endDaemons(home, place);
      rmSync(place, { recursive: true, force: true });
    }
  }
  return { findings, commands };
}

async function playCase({ home, chance, place, template }) {
  const base = path.join(place, 'config/wildland');
  cpSync(template, base, { recursive: true });
  const files = filesBelow(base);
  const file = chance.pick(files);
  const isReplaced = chance.happens(0.25);
  const name = chance.pick(Object.keys(isReplaced ? REPLACERS : SPOILERS));
  if (isReplaced) {
    rmSync(file);
    await REPLACERS[name](file);
  } else writeFileSync(file, SPOILERS[name](readFileSync(file, 'utf8'), chance));
  const env = { ...home.env, XDG_CONFIG_HOME: path.join(place, 'config'), XDG_RUNTIME_DIR: place, XDG_DATA_HOME: path.join(place, 'data'), WL_TORTURE_CASE: place };
  const findings = [];
  const words = Array.from({ length: 2 }, () => chance.pick(COMMANDS));
  // Spoiled bodies are refused for their signature, unless somebody signs them.
  const kind = /\.(container|storage)\.yaml$/.exec(file)?.[1];
  if (kind !== undefined && chance.happens(0.7)) words.unshift([kind, 'sign', file]);
  const lines = words.map((word) => [process.execPath, WL, ...word]);
  if (chance.happens(0.2)) lines.push(['timeout', '--signal=TERM', '3', process.execPath, DAEMON]);
  for (const line of lines) {
    const run = await home.run(line, { env, cwd: place, limitMs: LIMIT_MS });
    const what = `${name} in place of ${path.basename(file)}: ${line.slice(line[0] === 'timeout' ? 3 : 1).map((word) => path.basename(word)).join(' ')}`;
    findings.push(...judge(what, run, line[0] === 'timeout'));
  }
  return { findings, commands: lines.length };
}

function judge(what, run, isDaemon) {
  const said = `${what}: ${run.output.slice(0, 400)}`;
  if (run.hangs) return [{ kind: 'silent', text: `hangs: ${said}` }];
  const findings = [];
  // A daemon that likes its configuration runs until `timeout` ends it, which that answers with 124.
  const isCode = isDaemon ? [0, 1, 2, 124].includes(run.code) : CODES.has(run.code);
  if (!isCode) findings.push({ kind: 'unclear', text: `ended with ${run.code ?? run.signal}: ${said}` });
  if ((run.code === 1 || run.code === 2) && run.stderr.trim() === '') findings.push({ kind: 'unclear', text: `says nothing on standard error: ${said}` });
  if (/\n\s+at .*[(/].*:\d+|node:internal|\bTypeError\b|\bRangeError\b|\bSyntaxError\b/.test(run.output)) findings.push({ kind: 'unclear', text: `shows its inside: ${said}` });
  if (/BEGIN|root:[*!$x]/.test(run.output)) findings.push({ kind: 'leak', text: `shows a file of somebody else: ${said}` });
  return findings;
}

/** A value in place of another, at the first line of a random `key: value`. */
function withValue(text, chance, value) {
  const lines = text.split('\n');
  const places = lines.flatMap((line, index) => (/^[\s-]*[^#:]+: ?/.test(line) ? [index] : []));
  if (places.length === 0) return `${text}\nx: ${value}\n`;
  const at = chance.pick(places);
  lines[at] = lines[at].replace(/^([\s-]*[^#:]+:).*/, (_, key) => `${key} ${value}`);
  return lines.join('\n');
}

async function endDaemons(home, place) {
  const mark = `WL_TORTURE_CASE=${place}\0`;
  for (const pid of processesWith(mark)) signal(pid, 'SIGTERM');
  await until(() => processesWith(mark).length === 0, `daemons of ${place} to end`, 20_000).catch(() => {
    for (const pid of processesWith(mark)) signal(pid, 'SIGKILL');
  });
}

function filesBelow(directory) {
  return readdirSync(directory).flatMap((name) => {
    const place = path.join(directory, name);
    const stats = lstatSync(place);
    if (stats.isDirectory()) return filesBelow(place);
    return stats.isFile() && /\.(yaml|pub|sec|key)$|keys\//.test(place) ? [place] : [];
  });
}
