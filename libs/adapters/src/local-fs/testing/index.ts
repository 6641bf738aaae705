/** What tests of other rooms put in the place of the disk. */

export { createDisk } from '../worker/disk.js';
export { loadNative } from '../worker/native.js';
