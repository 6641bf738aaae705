/** The version of this program: that of package.json, put in by the bundler. */

declare const __WL_VERSION__: string | undefined;

/** `source` where the program was not bundled (tests). */
export const VERSION = typeof __WL_VERSION__ === 'string' ? __WL_VERSION__ : 'source';
