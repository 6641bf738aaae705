/**
 * The control socket under attack: bent frames, every field of every command with values of every
 * kind, clients that are silent, slow, many, deaf or gone. Each attack is an async function that
 * answers findings; after each the daemon has to answer a good client at once.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ROOT } from '../programs.mjs';
import { bend, RAW, TRICKS, VALUES } from './odd.mjs';

const EXAMPLES = path.join(ROOT, 'schemas/examples');
/** Commands that do what they say: ending the daemon is no attack. */
const OBEYED = new Set(['shutdown', 'stop-all']);
/** Classes of errors that a client is told of. */
const CLASSES = new Set(['ControlRequestError', 'AssertionError', 'SchemaError', 'KeyError', 'WildlandError', 'BackendError', 'FileNotFoundError', 'UsageError']);
const REPLY_LIMIT_MS = 30_000;

/** All attacks by name. */
export const attacks = { bentFrames, everyField, rawJson, pathTricks, hugeMessages, silentClients, slowClients, manyClients, deafClients, cutReplies, tricklers };

/** A connection that keeps what comes and never throws. */
export function open(socketPath) {
  const socket = createConnection({ path: socketPath, allowHalfOpen: true });
  const client = { socket, text: '', isOver: false };
  socket.on('data', (chunk) => (client.text += chunk.toString('latin1')));
  for (const event of ['end', 'close', 'error']) socket.on(event, () => (client.isOver = true));
  return client;
}

/** Sends and waits for a reply, the end or the limit; the replies as text. */
async function exchange(home, bytes, { half = true } = {}) {
  const client = open(home.socket);
  client.socket.write(bytes);
  if (half) client.socket.end();
  const end = performance.now() + REPLY_LIMIT_MS;
  while (!client.isOver && performance.now() < end && (half || !client.text.includes('\n\n'))) await sleep(2);
  client.socket.destroy();
  return { text: client.text, isOver: client.isOver || !half };
}

/** What is wrong with replies: each must be a document, an error must be fit for people. */
function judge(what, { text, isOver }) {
  const findings = [];
  if (!isOver) findings.push({ kind: 'silent', text: `no answer within ${REPLY_LIMIT_MS} ms to ${what}` });
  for (const document of text.split('\n\n').filter((part) => part.trim() !== '')) {
    let reply;
    try {
      reply = JSON.parse(Buffer.from(document, 'latin1').toString('utf8'));
    } catch {
      findings.push({ kind: 'unclear', text: `a reply that is no JSON: ${document.slice(0, 200)}` });
      continue;
    }
    if (reply.error === undefined) continue;
    const { class: name, desc } = reply.error;
    if (!CLASSES.has(name)) findings.push({ kind: 'unclear', text: `error class ${name} (${String(desc).slice(0, 200)}) for ${what}` });
    if (typeof desc !== 'string' || desc === '' || /\n\s+at |node:internal|\.ts:\d|\.cjs:\d/.test(desc)) findings.push({ kind: 'unclear', text: `an error without sense: ${JSON.stringify(desc)?.slice(0, 300)} for ${what}` });
  }
  return findings;
}

function examples() {
  return ['valid', 'invalid'].flatMap((kind) =>
    readdirSync(path.join(EXAMPLES, kind))
      .filter((name) => name.startsWith('sync-commands.'))
      .map((name) => JSON.parse(readFileSync(path.join(EXAMPLES, kind, name), 'utf8')))
      .filter(({ cmd }) => !OBEYED.has(cmd)),
  );
}

async function bentFrames({ home, chance, count }) {
  const findings = [];
  const messages = examples();
  for (let index = 0; index < count; index += 1) {
    const whole = Array.from({ length: 1 + chance.below(3) }, () => Buffer.from(`${JSON.stringify({ ...withoutPlaces(chance.pick(messages), home), id: index })}\n\n`));
    const bytes = bend(Buffer.concat(whole), chance);
    if (isObeyed(bytes)) continue;
    findings.push(...judge(`bent frame ${bytes.subarray(0, 200).toString('latin1')}`, await exchange(home, bytes)));
  }
  return { findings, requests: count };
}

function isObeyed(bytes) {
  return [...OBEYED].some((name) => bytes.includes(name));
}

/** Examples name directories of somebody: none that may exist here. */
function withoutPlaces(message, home) {
  return JSON.parse(JSON.stringify(message).replaceAll('/home/ann', home.path('nobody')));
}

async function everyField({ home, chance, count }) {
  const findings = [];
  const fields = examples().flatMap((message) => placesOf(message).map((place) => ({ message: withoutPlaces(message, home), place })));
  for (let index = 0; index < count; index += 1) {
    const { message, place } = chance.pick(fields);
    const changed = withValue(message, place, chance.pick(VALUES), chance);
    if (OBEYED.has(changed?.cmd)) continue;
    findings.push(...judge(`${JSON.stringify(changed).slice(0, 300)}`, await exchange(home, `${JSON.stringify(changed)}\n\n`)));
  }
  return { findings, requests: count };
}

/** Paths of all fields of a document. */
function placesOf(value, prefix = []) {
  if (typeof value !== 'object' || value === null) return [prefix];
  return [prefix, ...Object.entries(value).flatMap(([key, inner]) => placesOf(inner, [...prefix, key]))];
}

/** A copy with another value at a place, with the field gone, or with a further one. */
function withValue(message, place, value, chance) {
  if (place.length === 0) return value;
  const copy = structuredClone(message);
  const parent = place.slice(0, -1).reduce((inner, key) => inner[key], copy);
  const key = place.at(-1);
  const dice = chance.below(10);
  if (dice === 0) delete parent[key];
  else if (dice === 1) parent[`${key}-more`] = value;
  else if (dice === 2) Object.defineProperty(parent, '__proto__', { value, enumerable: true });
  else parent[key] = value;
  return copy;
}

async function rawJson({ home }) {
  const findings = [];
  for (const raw of RAW) {
    for (const text of [raw, `{"cmd": "status", "args": ${raw}, "id": 1}`, `{"cmd": ${raw}}`, `{"cmd": "status", "id": ${raw}}`, `{"cmd": "stop", "args": {"job-id": ${raw}}}`]) {
      findings.push(...judge(text.slice(0, 100), await exchange(home, `${text}\n\n`)));
    }
  }
  return { findings, requests: RAW.length * 5 };
}

/** Every argument that names something, with names that lead elsewhere. Locations never name a directory that may be written. */
async function pathTricks({ home, jobId }) {
  const findings = [];
  const storage = (location) => ({ type: 'local', location, 'backend-id': 'odd' });
  const s3 = (more) => ({ type: 's3', s3_url: 's3://bucket/x/', endpoint_url: 'http://127.0.0.1:1', region: 'x', credentials: { 'access-key': 'a', 'secret-key': 'b' }, 'backend-id': 'odd', ...more });
  const start = { 'container-name': 'odd', 'job-id': 'odd', source: storage(home.path('missing-one')), target: storage(home.path('missing-other')), continuous: false, unidirectional: false };
  let requests = 0;
  for (const trick of TRICKS) {
    const asked = [
      ['resolve', { 'job-id': jobId, path: trick, keep: 'source' }],
      ['resolve', { 'job-id': trick, path: 'x', keep: 'target' }],
      ['job-state', { 'job-id': trick }],
      ['stop-container', { 'container-id': trick }],
      ['check-storage', { storage: storage(trick === '/' ? '/proc/1' : trick) }],
      ['check-storage', { storage: s3({ 'backend-id': trick }) }],
      ['check-storage', { storage: s3({ s3_url: trick }) }],
      ['check-storage', { storage: s3({ endpoint_url: trick }) }],
      ['start', { ...start, 'job-id': trick, 'container-name': trick }],
      ['start', { ...start, source: { ...start.source, 'backend-id': trick } }],
      ['start', { ...start, ignore: [trick] }],
      ['list-conflicts', { source: start.source, target: { ...start.target, 'backend-id': trick }, 'container-id': trick }],
      ['active-events', { 'job-id': trick, 'active-events': [] }],
      ['test-error', { 'job-id': trick }],
      ['subscribe', { 'job-id': trick }],
    ];
    const answers = asked.map(async ([cmd, args]) => judge(`${cmd} ${JSON.stringify(args).slice(0, 300)}`, await exchange(home, `${JSON.stringify({ cmd, args })}\n\n`)));
    findings.push(...(await Promise.all(answers)).flat());
    requests += asked.length;
  }
  return { findings, requests };
}

async function hugeMessages({ home }) {
  const findings = [];
  const sizes = [1024 * 1024 - 30, 1024 * 1024 + 1, 32 * 1024 * 1024];
  for (const size of sizes) {
    findings.push(...judge(`a message of ${size} bytes`, await exchange(home, `{"cmd": "status", "x": "${'x'.repeat(size - 24)}"}\n\n`)));
    findings.push(...judge(`${size} bytes without an end`, await exchange(home, Buffer.alloc(size, '['), { half: size < 1e6 })));
  }
  const megabytes = Array.from({ length: 60 }, () => exchange(home, `{"cmd": "status", "args": {"a": ${'[1,'.repeat(100_000)}1${']'.repeat(100_000)}}}\n\n`));
  for (const answer of await Promise.all(megabytes)) findings.push(...judge('one of 60 nested megabytes', answer));
  return { findings, requests: sizes.length * 2 + 60 };
}

/** As many as are served connect and say nothing, or begin and stop. */
async function silentClients({ home, chance }) {
  const clients = Array.from({ length: 200 }, () => open(home.socket));
  for (const { socket } of clients) if (chance.happens(0.5)) socket.write('{"cmd": "sta');
  await sleep(5000);
  for (const { socket } of clients) socket.destroy();
  return { findings: [], requests: clients.length };
}

/** A byte at a time. */
async function slowClients({ home }) {
  const clients = Array.from({ length: 40 }, () => open(home.socket));
  for (const byte of Buffer.from('{"cmd": "version", "id": 1}\n\n')) {
    for (const { socket } of clients) socket.write(Buffer.from([byte]));
    await sleep(30);
  }
  await sleep(2000);
  const missing = clients.filter(({ text }) => !text.includes('"protocol"')).length;
  for (const { socket } of clients) socket.destroy();
  return { findings: missing === 0 ? [] : [{ kind: 'silent', text: `${missing} slow clients got no answer` }], requests: clients.length };
}

/** A thousand at once: each is served or told that there are too many. */
async function manyClients({ home }) {
  const clients = Array.from({ length: 1000 }, () => open(home.socket));
  for (const { socket } of clients) socket.write('{"cmd": "status-json", "id": 1}\n\n');
  await sleep(5000);
  const served = clients.filter(({ text }) => text.includes('"result"')).length;
  const unanswered = clients.filter(({ text, isOver }) => !isOver && text === '').length;
  for (const { socket } of clients) socket.destroy();
  const findings = [];
  if (served < 200) findings.push({ kind: 'silent', text: `only ${served} of a thousand clients were served` });
  if (unanswered > 0) findings.push({ kind: 'silent', text: `${unanswered} of a thousand clients were neither served nor turned away` });
  return { findings, requests: 1000 };
}

/** Clients that ask for much and read nothing, subscribed to all events. */
async function deafClients({ home }) {
  const sockets = Array.from({ length: 100 }, () => createConnection({ path: home.socket }).on('error', () => undefined));
  for (const socket of sockets) {
    socket.pause();
    socket.write('{"cmd": "subscribe"}\n\n');
    for (let index = 0; index < 500; index += 1) socket.write('{"cmd": "status-json", "id": "x"}\n\n');
  }
  await sleep(6000);
  for (const socket of sockets) socket.destroy();
  return { findings: [], requests: 100 * 501 };
}

/** Gone in the middle of a reply. */
async function cutReplies({ home, chance }) {
  for (let index = 0; index < 300; index += 1) {
    const client = open(home.socket);
    client.socket.write('{"cmd": "status-json", "id": 1}\n\n{"cmd": "subscribe"}\n\n{"cmd": "status-json"}\n\n');
    if (chance.happens(0.5)) client.socket.once('data', () => client.socket.destroy());
    else setTimeout(() => client.socket.destroy(), chance.below(10));
    if (index % 20 === 0) await sleep(10);
  }
  await sleep(200);
  return { findings: [], requests: 900 };
}

/** Separators only, and documents without a pause. */
async function tricklers({ home }) {
  const findings = [];
  findings.push(...judge('a megabyte of separators', await exchange(home, Buffer.alloc(1024 * 1024, '\n'))));
  findings.push(...judge('ten thousand requests at once', await exchange(home, '{"cmd": "nothing", "id": 1}\n\n'.repeat(10_000))));
  return { findings, requests: 10_001 };
}
