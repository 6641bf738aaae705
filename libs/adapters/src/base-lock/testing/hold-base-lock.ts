/**
 * A process of its own for the tests: waits for a line on its input, takes the lock of the base
 * directory it is given, says `ok` or `held`, and keeps it until its input ends or it is killed.
 */

import { readSync, writeSync } from 'node:fs';

import { acquireBaseLock } from '../base-lock.js';

const [baseDir = ''] = process.argv.slice(2);
const byte = new Uint8Array(1);
writeSync(1, 'ready\n');
readSync(0, byte);
const lock = acquireBaseLock(baseDir);
writeSync(1, lock.ok ? 'ok\n' : `${lock.error}\n`);
while (readSync(0, byte) > 0);
if (lock.ok) lock.value.release();
