/** The control socket of the sync daemon: server, client, and the framing both use. */

export * from './client-errors.js';
export * from './control-client.js';
export * from './control-command.js';
export { UNREADABLE_EVENT, type ControlEvent } from './control-event.js';
export type { ControlArguments } from './control-request.js';
export * from './control-server.js';
export * from './limits.js';
export * from './message-splitter.js';
export { realSchedule, type Schedule } from './schedule.js';
export { SocketClaimError, type SocketClaimCode } from './socket-file.js';
export { MAX_SOCKET_PATH_BYTES, SocketPathError } from './socket-path.js';
