/** Ignore rules in gitignore syntax, as the port `PathFilter`. */

export * from './ignore-filter.js';
