/** Deterministic trees for benchmarks: the same seed gives the same files on every machine. */
import { mkdirSync, writeFileSync, openSync, writeSync, closeSync, unlinkSync } from 'node:fs';
import path from 'node:path';

/** Numbers in [0, 1) from a seed (mulberry32). */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * Makes `files` files of `minBytes`..`maxBytes` below `root`, `perDirectory` in each directory,
 * directories nested two deep. Content cannot be compressed or deduplicated.
 */
export function makeTree(root, { files, minBytes, maxBytes, perDirectory = 100, seed = 1 }) {
  const random = randomNumbers(seed);
  const pool = Buffer.alloc(1 << 20);
  for (let i = 0; i < pool.length; i += 4) pool.writeUInt32LE((random() * 2 ** 32) >>> 0, i);
  let bytes = 0;
  let directory = root;
  for (let i = 0; i < files; i += 1) {
    if (i % perDirectory === 0) {
      const n = i / perDirectory;
      directory = path.join(root, `d${Math.floor(n / 20)}`, `s${n % 20}`);
      mkdirSync(directory, { recursive: true });
    }
    const size = minBytes + Math.floor(random() * (maxBytes - minBytes + 1));
    const content = Buffer.from(pool.subarray(0, size));
    const offset = Math.floor(random() * (pool.length - size));
    pool.copy(content, 0, offset, offset + size);
    if (size >= 8) content.writeDoubleLE(i + random(), 0);
    writeFileSync(path.join(directory, `file-${i}.dat`), content);
    bytes += size;
  }
  return bytes;
}

/** Makes one file of `bytes` bytes. */
export function makeLargeFile(file, bytes, seed = 2) {
  const random = randomNumbers(seed);
  const block = Buffer.alloc(1 << 20);
  const fd = openSync(file, 'w');
  for (let written = 0; written < bytes; written += block.length) {
    for (let i = 0; i < block.length; i += 4096) block.writeUInt32LE((random() * 2 ** 32) >>> 0, i);
    writeSync(fd, block, 0, Math.min(block.length, bytes - written));
  }
  closeSync(fd);
}

/** Gives a file other content in one place: `bytes` bytes from `offset` on. */
export function overwrite(file, offset, bytes, seed = 4) {
  const random = randomNumbers(seed);
  const fd = openSync(file, 'r+');
  writeSync(fd, Uint8Array.from({ length: bytes }, () => random() * 256), 0, bytes, offset);
  closeSync(fd);
}

/**
 * Changes a tree of `makeTree`: of each hundred files one gets other content of another length,
 * one is deleted, and one is added. Gives the paths `written` and `removed`, relative to the root.
 */
export function changeTree(root, { files, perDirectory = 100, seed = 3 }) {
  const random = randomNumbers(seed);
  const written = [];
  const removed = [];
  for (let i = 0; i < Math.floor(files / 100); i += 1) {
    const n = (i * 100) / perDirectory;
    const directory = path.join(`d${Math.floor(n / 20)}`, `s${Math.floor(n) % 20}`);
    const [edited, deleted, added] = [`file-${i * 100 + 7}.dat`, `file-${i * 100 + 13}.dat`, `added-${i}.dat`].map((name) => path.join(directory, name));
    const content = (bytes) => Buffer.from(Array.from({ length: bytes }, () => Math.floor(random() * 256)));
    writeFileSync(path.join(root, edited), content(4000 + (i % 4000)));
    unlinkSync(path.join(root, deleted));
    writeFileSync(path.join(root, added), content(1024 + (i % 8000)));
    written.push(edited, added);
    removed.push(deleted);
  }
  return { written, removed };
}
