import { preset } from '../../jest.preset.mjs';

/**
 * End-to-end tests of the built programs (`npm run build` first, then `npm run e2e`): real
 * processes, folders and sockets, which wait more than they work: two files at a time.
 */
export default {
  ...preset(import.meta.dirname, 'e2e'),
  testMatch: ['<rootDir>/e2e/**/*.e2e.ts'],
  maxWorkers: 2,
  setupFilesAfterEnv: ['<rootDir>/e2e/testing/once-more.mjs'],
};
