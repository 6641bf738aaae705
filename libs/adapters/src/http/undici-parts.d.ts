/**
 * The part of undici that is used, by its file: loading all of it (fetch, WebSocket, caches) costs
 * three times as much. The version is pinned exactly, so the file is as stable as that.
 */

declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici';
  export default Agent;
}
