/** The daemon's log: JSON lines in a file that is rotated, or on standard error. */

export * from './daemon-log.js';
