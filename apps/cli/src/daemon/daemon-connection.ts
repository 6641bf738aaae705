/** A connection to the sync daemon with its commands as methods; what it answers is checked before it is believed. */

import { ControlClientError, type ControlClient, type ControlEvent } from '@wl/adapters/socket';
import {
  validateStatus,
  validateStatusAbility,
  validateStatusConflict,
  validateStatusPlugin,
  validateStatusSyncer,
  type CheckStorageArgs,
  type CommandArguments,
  type CommandName,
  type ExplainSyncerArgs,
  type ListConflictsArgs,
  type ResolveArgs,
  type StartArgs,
  type Status,
  type StatusAbility,
  type StatusConflict,
  type StatusPlugin,
  type StatusSyncer,
} from '@wl/ports/schemas';

import { CommandFailure } from '../errors.js';

/** What the daemon says of itself. */
export interface DaemonVersion {
  readonly version: string;
  readonly pid: number | undefined;
}

/** Time for answers that need no look at a storage, in milliseconds. */
const PROMPT_ANSWER_MS = 30_000;

/** One connection. All methods reject with `ControlClientError`, or `CommandFailure` for an answer that makes no sense. */
export class DaemonConnection {
  readonly #client: ControlClient;
  readonly #onVersion: (version: string) => void;

  /** `onVersion` is told the daemon's version whenever an answer holds it. */
  constructor(client: ControlClient, onVersion: (version: string) => void) {
    this.#client = client;
    this.#onVersion = onVersion;
  }

  /** Starts a job; resolves to the daemon's sentence. Its events come on this connection. */
  async start(args: StartArgs): Promise<string> {
    return String(await this.#request('start', args));
  }

  /** Ends a job; resolves, when nothing of it runs any more, to the daemon's sentence. */
  async stop(jobId: string): Promise<string> {
    return String(await this.#request('stop', { 'job-id': jobId }));
  }

  /** Ends all jobs of a container; resolves to their ids. */
  async stopContainer(containerId: string): Promise<readonly string[]> {
    const ids = await this.#request('stop-container', { 'container-id': containerId });
    return Array.isArray(ids) ? ids.map(String) : [];
  }

  /** All jobs and what is known of them. */
  async status(): Promise<Status> {
    const status = await this.#request('status-json', {}, { timeoutMs: PROMPT_ANSWER_MS });
    if (!validateStatus(status)) throw notUnderstood('status-json');
    this.#onVersion(status.daemon.version);
    return status;
  }

  /** Compares two storages now; takes as long as that takes. */
  async listConflicts(args: ListConflictsArgs, signal: AbortSignal): Promise<readonly StatusConflict[]> {
    const conflicts = await this.#request('list-conflicts', args, { signal });
    if (!Array.isArray(conflicts) || !conflicts.every((conflict) => validateStatusConflict(conflict))) throw notUnderstood('list-conflicts');
    return conflicts;
  }

  /** Tries out what can be done with a storage; takes as long as that takes. */
  async checkStorage(args: CheckStorageArgs, signal: AbortSignal): Promise<readonly StatusAbility[]> {
    const abilities = await this.#request('check-storage', args, { signal });
    if (!Array.isArray(abilities) || !abilities.every((ability) => validateStatusAbility(ability))) throw notUnderstood('check-storage');
    return abilities;
  }

  /** Asks which syncer would serve, and why each other would not. */
  async explainSyncer(args: ExplainSyncerArgs): Promise<readonly StatusSyncer[]> {
    const syncers = await this.#request('explain-syncer', args);
    if (!Array.isArray(syncers) || !syncers.every((syncer) => validateStatusSyncer(syncer))) throw notUnderstood('explain-syncer');
    return syncers;
  }

  /** The plugins as the daemon has them. */
  async plugins(): Promise<readonly StatusPlugin[]> {
    return this.#askPlugins('plugins');
  }

  /** Has the daemon look for plugins again; takes as long as loading them takes. */
  async reloadPlugins(): Promise<readonly StatusPlugin[]> {
    return this.#askPlugins('reload-plugins');
  }

  /** Ends a conflict by keeping one side. */
  async resolve(args: ResolveArgs): Promise<void> {
    await this.#request('resolve', args);
  }

  /** Version and process of the daemon; one without this command is another program's. */
  async version(): Promise<DaemonVersion> {
    const answer = await this.#request('version', {}, { timeoutMs: PROMPT_ANSWER_MS });
    const { version, pid } = (answer ?? {}) as { readonly version?: unknown; readonly pid?: unknown };
    if (typeof version !== 'string') throw notUnderstood('version');
    this.#onVersion(version);
    return { version, pid: typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0 ? pid : undefined };
  }

  /** Asks the daemon to end, which it answers by closing the connection; it may take a while to be gone. */
  async shutdown(): Promise<void> {
    try {
      await this.#request('shutdown', {}, { timeoutMs: PROMPT_ANSWER_MS });
    } catch (error) {
      if (!(error instanceof ControlClientError) || error.className !== 'ConnectionClosed') throw error;
    }
    this.#client.close();
  }

  /** Calls `listener` for each event; the returned function ends that. */
  onEvent(listener: (event: ControlEvent) => void): () => void {
    return this.#client.onEvent(listener);
  }

  close(): void {
    this.#client.close();
  }

  async #askPlugins(cmd: 'plugins' | 'reload-plugins'): Promise<readonly StatusPlugin[]> {
    const plugins = await this.#request(cmd, {});
    if (!Array.isArray(plugins) || !plugins.every((plugin) => validateStatusPlugin(plugin))) throw notUnderstood(cmd);
    return plugins;
  }

  #request<C extends CommandName>(
    cmd: C,
    args: CommandArguments[C],
    options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  ): Promise<unknown> {
    return this.#client.request(cmd, args as Readonly<Record<string, unknown>>, options);
  }
}

function notUnderstood(cmd: string): CommandFailure {
  return new CommandFailure(`the sync daemon's answer to '${cmd}' makes no sense here. It may be of another version: end it with: wl stop`);
}
