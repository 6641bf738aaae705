/**
 * An HTTP proxy on the loopback interface that delays, cuts, repeats and lies, in front of an S3
 * server. Honest until told otherwise; what goes wrong with a request is drawn from a seed.
 *
 * Strict faults leave the client a way to notice them; after those every file has to be right.
 * Lies do not (a listing that leaves out a name and looks whole): after those nothing may be lost,
 * but a deletion may be undone or believed, with the version in the trash.
 */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Number of the last bytes of a held connection's patience, milliseconds: half-open ones are let go then. */
const LONGEST_DELAY_MS = 3000;
const HTML = '<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>We will be back soon</h1></body></html>';

const REFUSALS = [
  [503, 'SlowDown'],
  [503, 'ServiceUnavailable'],
  [500, 'InternalError'],
  [429, 'TooManyRequests'],
  [403, 'RequestTimeTooSkewed'],
  [403, 'AccessDenied'],
  [400, 'ExpiredToken'],
  [400, 'RequestTimeout'],
  [404, 'NoSuchUpload'],
];

/** What is noticed, each with what it does to one request. `request` has come whole; `reply` is asked for by `forward`. */
const STRICT = {
  delay: async ({ chance, forward, send }) => {
    await sleep(chance.below(LONGEST_DELAY_MS));
    send(await forward());
  },
  'delay reply': async ({ chance, forward, send }) => {
    const reply = await forward();
    await sleep(chance.below(LONGEST_DELAY_MS));
    send(reply);
  },
  'lose request': ({ cut }) => cut(),
  'lose reply': async ({ forward, cut }) => {
    await forward();
    cut();
  },
  repeat: async ({ forward, send }) => {
    await forward();
    send(await forward());
  },
  'cut body': async ({ chance, forward, response, cut }) => {
    const reply = await forward();
    response.writeHead(reply.status, reply.headers);
    response.write(reply.body.subarray(0, chance.below(reply.body.length + 1)));
    await sleep(5);
    cut();
  },
  'cut text': async ({ chance, forward, send }) => {
    const reply = await forward();
    // What has a hash may end early; what is text must not look whole.
    const body = reply.body.subarray(0, chance.below(Math.max(1, reply.body.length)));
    send({ ...reply, body, headers: { ...reply.headers, 'content-length': String(body.length) } });
  },
  refuse: ({ chance, send }) => {
    const [status, code] = chance.pick(REFUSALS);
    send(xml(status, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`));
  },
  'refuse after the work': async ({ forward, send }) => {
    await forward();
    send(xml(500, '<?xml version="1.0" encoding="UTF-8"?><Error><Code>InternalError</Code><Message>late</Message></Error>'));
  },
  'error with 200': ({ send }) => send(xml(200, '<?xml version="1.0" encoding="UTF-8"?><Error><Code>InternalError</Code><Message>200</Message></Error>')),
  'page with 200': ({ send }) => send({ status: 200, headers: { 'content-type': 'text/html' }, body: Buffer.from(HTML) }),
  'page with 503': ({ send }) => send({ status: 503, headers: { 'content-type': 'text/html' }, body: Buffer.from(HTML) }),
  'nothing with 200': ({ send }) => send({ status: 200, headers: {}, body: Buffer.alloc(0) }),
  'wrong date': async ({ forward, send }) => {
    const reply = await forward();
    send({ ...reply, headers: { ...reply.headers, date: 'Thu, 01 Jan 1970 00:00:00 GMT' } });
  },
  hang: async ({ response }) => {
    await sleep(20_000);
    response.destroy();
  },
};

/** What cannot be noticed at that request. */
const LIES = {
  'stale listing': async ({ forward, send, earlier, url }) => {
    const reply = await forward();
    send(url.includes('list-type') ? (earlier.get(url) ?? reply) : reply);
  },
  'listing without a name': async ({ chance, forward, send, url }) => {
    const reply = await forward();
    if (!url.includes('list-type')) return send(reply);
    const entries = [...reply.body.toString().matchAll(/<Contents>.*?<\/Contents>/gs)];
    if (entries.length < 2) return send(reply);
    const body = Buffer.from(reply.body.toString().replace(chance.pick(entries)[0], ''));
    send({ ...reply, body, headers: { ...reply.headers, 'content-length': String(body.length) } });
  },
  'wrong tag': async ({ forward, send }) => {
    const reply = await forward();
    send(reply.headers.etag === undefined ? reply : { ...reply, headers: { ...reply.headers, etag: '"0123456789abcdef0123456789abcdef"' } });
  },
  'wrong bytes': async ({ forward, send, url }) => {
    const reply = await forward();
    // Objects that a person put there have no hash that could tell.
    if (!/\/left\/[^?]*\.txt$/.test(url) || reply.body.length === 0) return send(reply);
    const body = Buffer.from(reply.body);
    body[body.length >> 1] ^= 1;
    send({ ...reply, body });
  },
};

/** Starts a proxy before `port`; `close` it in the end. */
export async function startProxy(port, chance) {
  const counts = {};
  const earlier = new Map();
  let faults;
  let rate = 0;
  const server = http.createServer({ keepAliveTimeout: 5000 }, (request, response) => {
    response.on('error', () => undefined);
    serve(request, response).catch(() => response.destroy());
  });

  async function serve(request, response) {
    const body = await bodyOf(request);
    const url = request.url;
    const forward = () => pass({ port, method: request.method, url, headers: request.headers, body });
    const send = (reply) => {
      if (response.destroyed) return;
      const { 'transfer-encoding': _chunked, connection: _connection, ...headers } = reply.headers;
      response.writeHead(reply.status, request.method === 'HEAD' ? headers : { ...headers, 'content-length': String(reply.body.length) });
      response.end(request.method === 'HEAD' ? undefined : reply.body);
    };
    const isHarmed = faults !== undefined && chance.happens(rate);
    if (!isHarmed) {
      const reply = await forward();
      if (url.includes('list-type')) earlier.set(url, reply);
      return send(reply);
    }
    const name = chance.pick(Object.keys(faults));
    counts[name] = (counts[name] ?? 0) + 1;
    await faults[name]({ chance, forward, send, response, url, earlier, cut: () => request.socket.resetAndDestroy() });
  }

  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${server.address().port}`,
    counts,
    /** From now on so many of all requests go wrong, in strict or in lying ways, in a few chosen ones or all. */
    misbehave(how, share, only) {
      const all = how === 'lies' ? { ...STRICT, ...LIES } : STRICT;
      faults = only === undefined ? all : Object.fromEntries(only.map((name) => [name, all[name]]));
      rate = share;
    },
    behave() {
      faults = undefined;
    },
    names: (how) => Object.keys(how === 'lies' ? { ...STRICT, ...LIES } : STRICT),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function pass({ port, method, url, headers, body }) {
  return new Promise((resolve, reject) => {
    const sent = http.request({ host: '127.0.0.1', port, method, path: url, headers, agent: false, setHost: false }, (answer) => {
      bodyOf(answer).then((bytes) => resolve({ status: answer.statusCode, headers: answer.headers, body: bytes }), reject);
    });
    sent.once('error', reject).end(body);
  });
}

async function bodyOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function xml(status, text) {
  return { status, headers: { 'content-type': 'application/xml' }, body: Buffer.from(text) };
}
