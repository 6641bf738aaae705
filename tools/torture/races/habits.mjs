/**
 * How programs save: one function a habit. Each brings a file from what it is to `next` and says which states it left
 * on the disk for somebody to see on the way (`leaves`), so that a state that travelled can be told from one that never was.
 *
 * Habits in place keep no promise of being whole meanwhile; the others do.
 */
import * as fs from 'node:fs';
import path from 'node:path';

/**
 * What a habit works with.
 * @typedef {object} Save
 * @property {string} root the side's root
 * @property {string} place absolute path of the file
 * @property {Buffer} next the whole new content
 * @property {Buffer | undefined} before what the file held after this editor's last save, `undefined` where it is not there
 * @property {Buffer} added the last record of `next`, for those that append
 * @property {(bytes: Buffer) => void} leaves notes a state that is not whole and stays for a moment
 * @property {(low: number, high: number) => Promise<void>} pause milliseconds
 * @property {ReturnType<import('../chance.mjs').chanceOf>} die
 */

let counter = 0;
const aside = (place, suffix) => path.join(path.dirname(place), `.${path.basename(place)}.${process.pid}-${(counter += 1)}${suffix}`);

/** A file beside the old one, renamed over it: most editors. */
async function renameOver({ place, next, pause }) {
  const temporary = aside(place, '.tmp');
  fs.writeFileSync(temporary, next);
  await pause(0, 5);
  fs.renameSync(temporary, place);
}

/** Emptied and written again: `echo > file`, many small programs. */
async function truncateWrite({ place, next, leaves, pause, die }) {
  const fd = fs.openSync(place, 'w');
  try {
    leaves(Buffer.alloc(0));
    if (die.next() < 0.3) await pause(1, 60);
    writeAll(fd, next);
  } finally {
    fs.closeSync(fd);
  }
}

/** Written over what was there, then cut to length. */
async function overwrite({ place, next, before, leaves }) {
  const fd = fs.openSync(place, fs.constants.O_RDWR | fs.constants.O_CREAT);
  try {
    writeAll(fd, next);
    if (before !== undefined && before.length > next.length) leaves(Buffer.concat([next, before.subarray(next.length)]));
    fs.ftruncateSync(fd, next.length);
  } finally {
    fs.closeSync(fd);
  }
}

/** One record more at the end: logs. */
async function append({ place, added }) {
  fs.appendFileSync(place, added);
}

/** In pieces, with pauses in which it looks finished: slow programs, downloads. */
async function slowly({ place, next, leaves, pause, die }) {
  const fd = fs.openSync(place, 'w');
  try {
    leaves(Buffer.alloc(0));
    const pieces = die.between(2, 5);
    for (let piece = 0, position = 0; piece < pieces; piece += 1) {
      const end = piece === pieces - 1 ? next.length : Math.floor((next.length * (piece + 1)) / pieces);
      writeAll(fd, next.subarray(position, end), position);
      position = end;
      if (end === next.length) break;
      leaves(next.subarray(0, end));
      await pause(1, die.next() < 0.1 ? 900 : 80);
    }
    await pause(0, 10);
  } finally {
    fs.closeSync(fd);
  }
}

/** The old one becomes `file~`, a new one takes its name: vim with `backupcopy=no`. */
async function backupThenWrite({ place, next, leaves, pause }) {
  const backup = `${place}~`;
  if (fs.existsSync(place)) fs.renameSync(place, backup);
  await pause(0, 3);
  const fd = fs.openSync(place, 'w');
  leaves(Buffer.alloc(0));
  writeAll(fd, next);
  fs.closeSync(fd);
  fs.rmSync(backup, { force: true });
}

/** Away and made anew. */
async function deleteRecreate({ place, next, leaves, pause, die }) {
  fs.rmSync(place, { force: true });
  await pause(0, die.next() < 0.1 ? 700 : 30);
  const fd = fs.openSync(place, 'w');
  leaves(Buffer.alloc(0));
  writeAll(fd, next);
  fs.closeSync(fd);
}

/** A copy is edited in place and takes the old one's name: "save as", then replace. */
async function saveAsCopy({ place, next, before, leaves, pause }) {
  const copy = aside(place, ' (copy)');
  if (fs.existsSync(place)) fs.copyFileSync(place, copy);
  await pause(0, 10);
  await overwrite({ place: copy, next, before, leaves });
  await pause(0, 5);
  fs.renameSync(copy, place);
}

/** Made in another directory and moved in: browsers, mail programs. */
async function moveIn({ root, place, next, pause }) {
  const drafts = path.join(root, 'drafts');
  const draft = path.join(drafts, `${process.pid}-${(counter += 1)}`);
  fs.mkdirSync(drafts, { recursive: true });
  fs.writeFileSync(draft, next);
  await pause(0, 30);
  fs.renameSync(draft, place);
}

/** A hard link keeps the old one while the new one takes its name. */
async function linkSwap({ place, next, pause }) {
  const link = aside(place, '.lnk');
  const temporary = aside(place, '.tmp');
  if (fs.existsSync(place)) fs.linkSync(place, link);
  fs.writeFileSync(temporary, next);
  await pause(0, 5);
  fs.renameSync(temporary, place);
  fs.rmSync(link, { force: true });
}

/** A whole save through a mapping that stays for a while and is written to twice, as databases do. No event and often no new time tells of it. */
function mapped(memory) {
  return async ({ place, next, before, leaves, pause, die }) => {
    const fd = fs.openSync(place, fs.constants.O_RDWR | fs.constants.O_CREAT);
    let map;
    try {
      const size = fs.fstatSync(fd).size;
      if (size !== next.length) fs.ftruncateSync(fd, next.length);
      const was = Buffer.alloc(next.length);
      before?.copy(was, 0, 0, Math.min(before.length, next.length));
      leaves(was);
      map = memory.map(fd, next.length);
      const half = Math.floor(next.length / 2);
      map.write(next.subarray(0, half), 0);
      next.copy(was, 0, 0, half);
      leaves(was);
      await pause(0, die.next() < 0.2 ? 600 : 40);
      map.write(next.subarray(half), half);
      // The mapping outlives the save: what others do to the name meanwhile does not end it.
      await pause(0, die.next() < 0.2 ? 600 : 20);
    } finally {
      map?.unmap();
      fs.closeSync(fd);
    }
  };
}

function writeAll(fd, bytes, position = 0) {
  for (let written = 0; written < bytes.length; ) written += fs.writeSync(fd, bytes, written, bytes.length - written, position + written);
}

/** All habits by name. `memory`: mappings, `undefined` where this machine cannot make them. */
export function habits(memory) {
  return {
    'rename over': renameOver,
    'truncate and write': truncateWrite,
    overwrite,
    append,
    slowly,
    'backup and write': backupThenWrite,
    'delete and create': deleteRecreate,
    'save as copy': saveAsCopy,
    'move in': moveIn,
    'link swap': linkSwap,
    ...(memory && { mapped: mapped(memory) }),
  };
}

/** Writable shared mappings through the optional package koffi; `undefined` where it is missing. */
export async function loadMemory() {
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(null);
    const mmap = library.func('intptr_t mmap(intptr_t address, size_t length, int protection, int flags, int fd, int64_t offset)');
    const munmap = library.func('int munmap(intptr_t address, size_t length)');
    const memcpy = library.func('intptr_t memcpy(intptr_t to, const uint8_t *from, size_t length)');
    const [READ_WRITE, SHARED] = [3, 1];
    return {
      map: (fd, length) => {
        const address = BigInt(mmap(0, length, READ_WRITE, SHARED, fd, 0));
        if (address === -1n) throw new Error('unable to map a file');
        return {
          write: (bytes, offset) => void (bytes.length > 0 && memcpy(address + BigInt(offset), bytes, bytes.length)),
          unmap: () => void munmap(address, length),
        };
      },
    };
  } catch {
    return undefined;
  }
}
