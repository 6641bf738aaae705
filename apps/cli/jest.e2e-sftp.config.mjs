import { preset } from '../../jest.preset.mjs';

/**
 * End-to-end tests of the built programs with a real SFTP server (`npm run build`, then
 * `eval "$(npm run --silent sftp:start -- DIR)"`, then `npm run e2e:sftp`). Without a server they
 * fail and say so.
 */
export default {
  ...preset(import.meta.dirname, 'e2e-sftp'),
  testMatch: ['<rootDir>/e2e-sftp/**/*.e2e.ts'],
  setupFilesAfterEnv: ['<rootDir>/e2e/testing/once-more.mjs'],
};
