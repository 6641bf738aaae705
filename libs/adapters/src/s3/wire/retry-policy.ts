/**
 * When a request is tried again, and after how long (T53): growing pauses with full jitter, so
 * that many machines do not come back at once; what the endpoint asks for is heeded up to a cap.
 * Source: Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
 */

import { type Answer, header } from './answer.js';

/** How often a request is sent at most. */
export const MOST_TRIES = 5;
/** No try begins later than this after the first, milliseconds. */
export const BUDGET_MS = 120_000;

const BASE_MS = 100;
const THROTTLED_BASE_MS = 500;
const CAP_MS = 10_000;
const RETRY_AFTER_CAP_MS = 30_000;

const STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const CODES: ReadonlySet<string> = new Set(['SlowDown', 'RequestTimeout', 'InternalError', 'ServiceUnavailable', 'Throttling', 'ThrottlingException', 'RequestThrottled', 'TooManyRequests', 'BadDigest', 'XAmzContentSHA256Mismatch', 'IncompleteBody']);
const THROTTLES: ReadonlySet<string> = new Set(['SlowDown', 'Throttling', 'ThrottlingException', 'RequestThrottled', 'TooManyRequests']);

/** Whether the same request may fare better. */
export function isWorthRepeating(answer: Answer, isConditional: boolean): boolean {
  if (answer.failure === undefined) return false;
  const { code } = answer.failure;
  // To a conditional write this says that another one came first.
  if (code === 'OperationAborted') return !isConditional;
  return STATUSES.has(answer.status) || (code !== undefined && CODES.has(code));
}

/** Whether the endpoint says that it was asked too often, and so has done nothing. */
export function isThrottled(answer: Answer): boolean {
  return answer.status === 429 || THROTTLES.has(answer.failure?.code ?? '');
}

/** Pause before try number `tries + 1`, milliseconds. `answer`: that of the last try, if it had one. `random`: from [0, 1). */
export function pauseMs(tries: number, answer: Answer | undefined, random: () => number): number {
  // A 503 asks for patience whatever its code says.
  const baseMs = answer !== undefined && (answer.status === 503 || isThrottled(answer)) ? THROTTLED_BASE_MS : BASE_MS;
  const mostMs = Math.min(CAP_MS, baseMs * 2 ** (tries - 1));
  const askedMs = answer === undefined ? 0 : retryAfterMs(answer);
  return Math.max(Math.round(random() * mostMs), Math.min(askedMs, RETRY_AFTER_CAP_MS));
}

/** `Retry-After` in seconds or as a date, by the endpoint's own clock. */
function retryAfterMs(answer: Answer): number {
  const value = header(answer, 'retry-after');
  if (value === undefined) return 0;
  if (/^\d{1,6}$/.test(value.trim())) return Number(value) * 1000;
  const untilMs = Date.parse(value) - Date.parse(header(answer, 'date') ?? '');
  return Number.isNaN(untilMs) ? 0 : Math.max(0, untilMs);
}
