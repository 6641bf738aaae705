/**
 * The parts of undici that are used, by their files: loading all of it (fetch, WebSocket, caches)
 * costs three times as much. The version is pinned exactly, so the files are as stable as it.
 */

declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici';
  export default Agent;
}

declare module 'undici/lib/dispatcher/env-http-proxy-agent.js' {
  import { EnvHttpProxyAgent } from 'undici';
  export default EnvHttpProxyAgent;
}
