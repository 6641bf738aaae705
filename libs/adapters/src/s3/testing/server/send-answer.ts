/** Puts an answer on the wire, whole or harmed as the faults say. */

import type { ServerResponse } from 'node:http';

import { effectOf, type FaultEffect } from './faults.js';
import type { Answer } from './operation-context.js';

/** Sends an answer; `pause` ends early when the server closes. */
export async function sendAnswer(
  response: ServerResponse,
  answer: Answer,
  effects: readonly FaultEffect[],
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  if (effects.length === 0) {
    response.writeHead(answer.status, framed(answer));
    response.end(answer.body);
    return;
  }
  const harmed = harm(answer, effects);
  const headers = { ...framed(harmed), ...lengthOf(harmed, effects) };
  const cut = effectOf(effects, 'cut-body');
  if (effectOf(effects, 'reset-after-headers') !== undefined) {
    response.writeHead(harmed.status, headers);
    response.flushHeaders();
    // The headers have to leave before the connection does.
    setImmediate(() => response.socket?.resetAndDestroy());
  } else if (cut !== undefined) {
    sendCut(response, harmed, headers, cut);
  } else {
    await sendWhole(response, harmed, headers, effects, pause);
  }
}

/** Headers with the length of the body, where there is one. */
function framed({ status, headers, body }: Answer): Record<string, string | number> {
  return status === 204 || status === 304 ? { ...headers } : { 'content-length': body.length, ...headers };
}

function harm(answer: Answer, effects: readonly FaultEffect[]): Answer {
  let harmed = answer;
  for (const effect of effects) {
    if (effect.kind === 'replace-body') {
      const headers = { ...harmed.headers, 'content-type': effect.contentType ?? 'text/html' };
      harmed = { status: effect.status ?? harmed.status, headers, body: Buffer.from(effect.body) };
    } else if (effect.kind === 'corrupt-body') {
      harmed = { ...harmed, body: flipped(harmed.body, effect.at ?? harmed.body.length >> 1) };
    } else if (effect.kind === 'headers') {
      const kept = Object.entries({ ...harmed.headers, ...effect.headers }).filter(([, value]) => value !== undefined);
      harmed = { ...harmed, headers: Object.fromEntries(kept) as Record<string, string> };
    }
  }
  return harmed;
}

function flipped(body: Buffer, at: number): Buffer {
  const copy = Buffer.from(body);
  if (at < copy.length) copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

function lengthOf({ body }: Answer, effects: readonly FaultEffect[]): Record<string, number> {
  const wrong = effectOf(effects, 'wrong-length');
  return wrong === undefined ? {} : { 'content-length': body.length + wrong.by };
}

function sendCut(
  response: ServerResponse,
  { status, body }: Answer,
  headers: Record<string, string | number>,
  { afterBytes, ending }: Extract<FaultEffect, { kind: 'cut-body' }>,
): void {
  const start = body.subarray(0, afterBytes);
  const { 'content-length': _length, ...unmeasured } = headers;
  switch (ending) {
    case 'short-length':
      response.writeHead(status, { ...headers, 'content-length': start.length });
      response.end(start);
      return;
    case 'unframed':
      response.useChunkedEncodingByDefault = false;
      response.shouldKeepAlive = false;
      response.writeHead(status, unmeasured);
      response.end(start);
      return;
    case 'clean-eof':
      response.writeHead(status, unmeasured);
      response.end(start);
      return;
    case 'eof':
    case 'reset':
      response.writeHead(status, headers);
      response.write(start, () => (ending === 'eof' ? response.socket?.end() : response.socket?.resetAndDestroy()));
  }
}

async function sendWhole(
  response: ServerResponse,
  { status, body }: Answer,
  headers: Record<string, string | number>,
  effects: readonly FaultEffect[],
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  response.writeHead(status, headers);
  const drip = effectOf(effects, 'drip');
  if (drip !== undefined) {
    for (let at = 0; at < body.length && !response.destroyed; at += drip.bytes) {
      response.write(body.subarray(at, at + drip.bytes));
      await pause(drip.everyMs);
    }
    response.end();
    return;
  }
  const { socket } = response;
  // Fewer bytes than announced: only the end of the connection can tell the client.
  response.end(body, () => Number(headers['content-length']) > body.length && socket?.end());
}
