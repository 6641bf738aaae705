/** Puts single faults into the storages and watchers of a simulated machine. */

import type { RelativePath } from '@wl/domain';

import type { Machine } from './machine.js';
import type { Oracle } from './oracle.js';
import type { Event } from './scenario.js';

/** Lets a storage go wrong as a machine sees it; notes what can be asked of the engine then. */
export function injectStorageFault(machine: Machine, event: Extract<Event, { kind: 'fault' }>, oracle: Oracle): void {
  const { side, fault, operation, path, times, amount, code } = event;
  const { faults } = machine.storage(side);
  const scope = { times, ...(path !== undefined && { path }) };
  // A listing is named by the directory that is listed.
  const listing = { times };
  switch (fault) {
    case 'fail':
      faults.fail(operation, { ...scope, code });
      return;
    case 'lose-reply':
      faults.loseReply(operation, scope);
      return;
    case 'delay':
      faults.delay(operation, amount * 100, scope);
      return;
    case 'truncate':
      faults.truncateListing(amount, listing);
      return;
    case 'shorten':
      // What neither listing shows is forgotten, and comes back as new when it is seen again: no loss.
      oracle.gone.clear();
      machine.excuses.shortListing = true;
      faults.shortenListing(amount, listing);
      return;
    case 'rewind':
      faults.rewindListing(amount, listing);
      return;
    case 'unknown':
      if (path !== undefined) faults.markUnknown(path, amount === 0 ? 'permission-denied' : amount === 1 ? 'listing-incomplete' : 'read-error', times);
      return;
    case 'stale':
      machine.excuses.stale = true;
      machine.ledgers[side].readsBecomeStale();
      oracle.gone.clear();
      faults.staleReads(operation === 'list' || operation === 'stat' ? operation : 'read', scope);
      return;
    case 'ignore-precondition':
      machine.excuses.precondition = true;
      faults.ignorePrecondition(operation === 'remove' ? 'remove' : 'commit', scope);
      return;
    case 'displace':
      machine.excuses.precondition = true;
      faults.displace(scope);
  }
}

/** Lets a watcher go wrong. */
export function injectWatchFault(machine: Machine, { side, fault, path }: Extract<Event, { kind: 'watch' }>): void {
  const { events } = machine.storage(side);
  switch (fault) {
    case 'lose':
      events.lose(3);
      return;
    case 'repeat':
      events.repeat(5);
      return;
    case 'hold':
      events.hold();
      return;
    case 'release':
      events.release();
      return;
    case 'reverse':
      events.release('reversed');
      return;
    case 'delay':
      events.delayMs = 700;
      return;
    case 'overflow':
      events.overflow();
      return;
    case 'degrade':
      events.degrade('some changes go unseen');
      return;
    case 'lie':
      events.emit([{ scope: 'subtree', path: path as RelativePath }, { scope: 'entry', path: `${path}/nothing` as RelativePath }]);
  }
}
