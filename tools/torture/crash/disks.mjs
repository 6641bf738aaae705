/**
 * Where a world lies, and how it is put back to what it was: a directory that is copied, or a
 * small disk of its own whose image is copied, which keeps inodes and times. Of an image it can
 * be seen what the device had been given at an instant, which is what a power loss leaves.
 *
 * Everything here is asynchronous: a server for tests may run in this process.
 */
import { execFile } from 'node:child_process';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { MissingMeans } from './tracer.mjs';

const execute = promisify(execFile);
const MIB = 1024 * 1024;

/** The kinds of disks by name. */
export const disks = {
  /** Whatever file system the scratch directory is on, by default that of /tmp. */
  'directory': (dir) => new CopiedDirectory(dir),
  /** The scratch directory must be on a tmpfs. */
  'tmpfs': (dir) => new CopiedDirectory(dir),
  /** Never commits by itself: what is there in the end was asked for. */
  'ext4': (dir) => new ImageDisk(dir, { make: ['mkfs.ext4', '-q', '-F', '-m', '0', '-J', 'size=4'], mibs: 64, options: 'loop,commit=900', package: 'e2fsprogs' }),
  /** Promises less: names may be on disk before the bytes they name. */
  'ext4-writeback': (dir) =>
    new ImageDisk(dir, { make: ['mkfs.ext4', '-q', '-F', '-m', '0', '-J', 'size=4'], mibs: 64, options: 'loop,commit=900,data=writeback,noauto_da_alloc', package: 'e2fsprogs' }),
  'xfs': (dir) => new ImageDisk(dir, { make: ['mkfs.xfs', '-q', '-f'], mibs: 320, options: 'loop,nouuid', package: 'xfsprogs' }),
};

/** Whether it can be seen of a disk what its device has been given. */
export const hasPower = (name) => disks[name]('/').capture !== undefined;

class CopiedDirectory {
  constructor(dir) {
    this.dir = dir;
  }

  async begin() {
    await this.#clear();
    mkdirSync(this.dir, { recursive: true });
  }

  /** From now on `restore` brings back what is there now. */
  async keep() {
    await this.#clear('.kept');
    await execute('cp', ['-a', this.dir, `${this.dir}.kept`]);
  }

  async restore() {
    await this.#clear();
    await execute('cp', ['-a', `${this.dir}.kept`, this.dir]);
  }

  async end() {
    await this.#clear();
    await this.#clear('.kept');
  }

  async #clear(suffix = '') {
    await execute('rm', ['-rf', `${this.dir}${suffix}`]);
  }
}

class ImageDisk {
  constructor(dir, { make, mibs, options, package: debian }) {
    this.dir = dir;
    this.make = make;
    this.mibs = mibs;
    this.options = options;
    this.debian = debian;
    this.image = `${dir}.img`;
  }

  async begin() {
    if (process.getuid() !== 0) throw new MissingMeans('disks of their own are mounted over loop devices: run this as root');
    mkdirSync(this.dir, { recursive: true });
    await this.#unmount();
    writeFileSync(this.image, '');
    truncateSync(this.image, this.mibs * MIB);
    const [program, ...args] = this.make;
    await execute(program, [...args, this.image]).catch((error) => {
      throw error.code === 'ENOENT' ? new MissingMeans(`there is no ${program}: apt-get install ${this.debian}`) : error;
    });
    await this.#mount(this.image);
  }

  async keep() {
    await this.#unmount();
    await this.#copy(this.image, `${this.image}.kept`);
    await this.#mount(this.image);
  }

  async restore() {
    await this.#unmount();
    await this.#copy(`${this.image}.kept`, this.image);
    await this.#mount(this.image);
  }

  /** Somebody else's flush: names are written down, as a journal does every few seconds, whatever became of the bytes. */
  commitNames() {
    const fd = openSync(path.join(this.dir, 'somebody-else'), 'w');
    writeSync(fd, 'x');
    fsyncSync(fd);
    closeSync(fd);
  }

  /** Keeps what the device has been given up to now: the loop device writes through the cache that is read here. */
  async capture() {
    await this.#copy(this.image, `${this.image}.captured`);
  }

  /** Goes on with what was captured, as after the power came back. */
  async becomeCaptured() {
    await this.#unmount();
    await this.#copy(`${this.image}.captured`, this.image);
    await this.#mount(this.image);
  }

  async end() {
    await this.#unmount();
    for (const suffix of ['', '.kept', '.captured']) rmSync(`${this.image}${suffix}`, { force: true });
  }

  async #mount(image) {
    await execute('mount', ['-o', this.options, image, this.dir]);
    this.isMounted = true;
  }

  async #unmount() {
    if (!this.isMounted || !existsSync(this.dir)) return;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await execute('umount', [this.dir]);
        break;
      } catch (error) {
        // A process that was killed may not have let go of its files yet.
        if (attempt > 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    this.isMounted = false;
  }

  async #copy(from, to) {
    await execute('cp', ['--sparse=always', from, to]);
  }
}
