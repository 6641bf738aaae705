/**
 * Counts the bytes that programs send to a server on this machine: a process of its own on
 * loopback that hands everything on, both ways, as it comes.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(import.meta.url);

/** Starts one before the server at `endpoint`. `sentBytes()`: since it was asked last. */
export async function startRelay(endpoint) {
  const child = fork(FILE, [new URL(endpoint).port], { stdio: 'inherit' });
  const [port] = await once(child, 'message');
  return {
    endpoint: `http://127.0.0.1:${port}`,
    sentBytes: async () => {
      child.send('how many?');
      return (await once(child, 'message'))[0];
    },
    stop: () => child.kill(),
  };
}

/** The other process. */
function relay(toPort) {
  let sentBytes = 0;
  const server = createServer({ noDelay: true }, (client) => {
    const target = connect({ port: toPort, host: '127.0.0.1', noDelay: true });
    const end = () => [client, target].forEach((socket) => socket.destroy());
    client.on('data', (chunk) => (sentBytes += chunk.length));
    client.pipe(target);
    target.pipe(client);
    for (const socket of [client, target]) socket.on('error', end).on('close', end);
  });
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
  process.on('message', () => {
    process.send(sentBytes);
    sentBytes = 0;
  });
  process.on('disconnect', () => process.exit());
}

if (process.argv[1] === FILE) relay(Number(process.argv[2]));
