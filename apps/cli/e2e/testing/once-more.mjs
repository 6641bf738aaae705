/**
 * Real processes on a busy machine miss a deadline now and then: a test that fails runs once
 * more, and the first failure is printed all the same.
 */
import { jest } from '@jest/globals';

jest.retryTimes(1, { logErrorsBeforeRetry: true });
