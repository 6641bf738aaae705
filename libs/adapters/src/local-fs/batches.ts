/** Cutting work into batches for the threads. */

/** A run of requests: from `start` up to, not including, `end`. */
export interface Batch {
  readonly start: number;
  readonly end: number;
}

/** How large batches may be, and over how many threads few requests are spread. */
export interface BatchLimits {
  readonly files: number;
  readonly bytes: number;
  readonly width: number;
}

/** Cuts by number and bytes; one request that is larger than a batch makes one alone. */
export function cutBatches<T>(requests: readonly T[], sizeOf: (request: T) => number, limits: BatchLimits): Batch[] {
  const batches: Batch[] = [];
  const maxFiles = Math.min(limits.files, Math.max(1, Math.ceil(requests.length / limits.width)));
  for (let start = 0; start < requests.length; ) {
    let end = start;
    for (let bytes = 0; end < requests.length && end - start < maxFiles; end += 1) {
      bytes += sizeOf(requests[end] as T);
      if (bytes > limits.bytes && end > start) break;
    }
    batches.push({ start, end });
    start = end;
  }
  return batches;
}
