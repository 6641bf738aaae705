import { describeSyncer } from '@wl/plugin-kit/testing';

import Syncer from '../src/syncer.js';

describeSyncer('@@TYPE@@-once', Syncer);
