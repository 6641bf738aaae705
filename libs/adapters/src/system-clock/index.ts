/** The machine's own clock, as the port `Clock`. */

export * from './system-clock.js';
