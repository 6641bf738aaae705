import { preset } from '../../jest.preset.mjs';

/**
 * End-to-end tests of the built programs with a real S3 server (`npm run build`, then
 * `eval "$(npm run --silent s3:start -- DIR)"`, then `npm run e2e:s3`). Without a server they
 * fail and say so. Some start one more of their own, to harm it.
 */
export default {
  ...preset(import.meta.dirname, 'e2e-s3'),
  testMatch: ['<rootDir>/e2e-s3/**/*.e2e.ts'],
  maxWorkers: 2,
  setupFilesAfterEnv: ['<rootDir>/e2e/testing/once-more.mjs'],
};
