/** A scenario for people to read. */

import { placeName } from './play.js';
import type { Event, Scenario, Step, StorageSpec, WorldSpec } from './scenario.js';

/** The whole scenario, a line a step. */
export function describe({ seed, world, steps }: Scenario): string {
  return [`Scenario ${String(seed)}`, ...worldLines(world), ...steps.map((step) => `  - ${stepLine(step, world)}`), '  - then everything comes to rest'].join('\n');
}

function worldLines(world: WorldSpec): string[] {
  const who = world.machines === 1 ? 'One machine syncs its folder' : `${String(world.machines)} machines sync a folder each`;
  const how = world.isUnidirectional ? ' one way' : '';
  const lines = [`  ${who} with a shared storage${how}, ${world.mode === 'continuous' ? 'continuously' : 'in single passes'}${world.allowMassDelete ? ', mass deletions allowed' : ''}.`];
  if (world.initial.length > 0) lines.push(`  At the beginning all hold ${world.initial.join(', ')}.`);
  if (world.ignored.length > 0) lines.push(`  The rules leave out ${world.ignored.join(', ')}.`);
  for (const [spec, name] of [[world.folder, 'folders'], [world.shared, 'shared storage']] as const) {
    const oddities = odditiesOf(spec);
    if (oddities.length > 0) lines.push(`  ${name}: ${oddities.join(', ')}.`);
  }
  return lines;
}

function odditiesOf(spec: StorageSpec): string[] {
  return [
    ...(spec.keepsEmptyDirectories === false ? ['no empty directories'] : []),
    ...(spec.isCaseSensitive === false ? ['case-insensitive'] : []),
    ...(spec.timestampGranularityMs === undefined ? [] : [`times of ${String(spec.timestampGranularityMs)} ms`]),
    ...(spec.losesUnflushed === true ? ['loses what is not flushed'] : []),
    ...(spec.tiesToVolume === true ? ['tied to its volume'] : []),
    ...(spec.copiesWithin === true ? ['copies within'] : []),
    ...(spec.keepsHashes === true ? ['keeps hashes'] : []),
    ...(spec.batchSize === undefined ? [] : [`${String(spec.batchSize)} rows a page`]),
    ...(spec.chunkBytes === undefined ? [] : [`${String(spec.chunkBytes)} bytes a read`]),
  ];
}

function stepLine(step: Step, world: WorldSpec): string {
  switch (step.kind) {
    case 'now':
      return eventLine(step.event);
    case 'meanwhile':
      return `${String(step.calls)} calls of storages later: ${eventLine(step.event)}`;
    case 'wait':
      return `${String(step.ms)} ms go by${world.mode === 'continuous' ? ' while the jobs run' : ''}`;
    case 'pass':
      return `machine ${step.machines.map((machine) => String(machine + 1)).join(' and ')} ${step.machines.length === 1 ? 'makes' : 'make'} a pass${step.scope === 'all' ? '' : ` over ${step.scope.join(' and ')}`}`;
    case 'restart':
      return `the job of machine ${String(step.machine + 1)} is stopped and started again${step.allowMassDelete ? ', mass deletions allowed' : ''}`;
  }
}

function eventLine(event: Event): string {
  switch (event.kind) {
    case 'edit': {
      const { gesture, path, to, place } = event;
      const at = `in ${placeName(place)}`;
      switch (gesture) {
        case 'rename':
          return `someone renames ${path} to ${to} ${at}`;
        case 'same':
          return `someone copies another storage's ${path} over the one ${at}`;
        case 'revert':
          return `someone puts the first version of ${path} back ${at}`;
        case 'empty':
          return `someone empties ${path} ${at}`;
        case 'chmod':
          return `someone makes ${path} executable, or no longer so, ${at}`;
        case 'mkdir':
          return `someone makes a directory ${path} ${at}`;
        case 'link':
          return `someone makes a link ${path} ${at}`;
        default:
          return `someone ${gesture === 'append' ? 'appends to' : `${gesture}s`.replace('touchs', 'touches')} ${path} ${at}`;
      }
    }
    case 'fault': {
      const { machine, side, fault, operation, path, times, amount, code } = event;
      const what = fault === 'fail' ? `fails (${code})` : fault;
      return `for machine ${String(machine + 1)}, ${operation}${path === undefined ? '' : ` of ${path}`} at the ${side} ${what} ×${String(times)} (${String(amount)})`;
    }
    case 'watch':
      return `machine ${String(event.machine + 1)}'s watcher of the ${event.side}: ${event.fault} (${event.path})`;
    case 'crash':
      return `machine ${String(event.machine + 1)} is killed and started again`;
    case 'power-loss':
      return `machine ${String(event.machine + 1)} loses power (dice ${String(event.seed)})`;
    case 'unplug':
      return `${placeName(event.place)} is unplugged, leaving ${event.leaving}`;
    case 'plug':
      return `${placeName(event.place)} is plugged in again`;
    case 'resolve':
      return `someone decides conflict ${String(event.index + 1)} of machine ${String(event.machine + 1)} for the ${event.keep}`;
    case 'disk':
      return event.freeBytes === undefined ? `${placeName(event.place)} has room again` : `${placeName(event.place)} has room for ${String(event.freeBytes)} bytes more`;
    case 'state-fault':
      return `the state of machine ${String(event.machine + 1)} fails at ${event.operation} (${event.code})`;
    case 'clock':
      return `the clocks jump by ${String(event.ms)} ms`;
    case 'filter':
      return `machine ${String(event.machine + 1)}'s rules now leave out ${event.ignored.join(', ') || 'nothing'}`;
  }
}
