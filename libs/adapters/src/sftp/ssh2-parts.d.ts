/** The part of ssh2 that is used. The version is pinned exactly, so these shapes are as stable as that. */

declare module 'ssh2' {
  import type { EventEmitter } from 'node:events';

  /** Callback of a request. */
  export type Done<T = void> = (error: (Error & { readonly code?: number }) | null | undefined, value: T) => void;

  /** What the server tells of an entry; any of them may be missing. Times in seconds. */
  export interface RawAttributes {
    readonly mode?: number;
    readonly size?: number;
    readonly mtime?: number;
  }

  /** What a client can set. */
  export interface SettableAttributes {
    readonly mode?: number;
    readonly atime?: number;
    readonly mtime?: number;
  }

  /** Counts of blocks of `f_frsize` bytes, and of inodes. */
  export interface RawSpace {
    readonly f_frsize: number;
    readonly f_bavail: number;
    readonly f_favail: number;
    readonly f_files: number;
  }

  export interface RawEntry {
    readonly filename: string;
    readonly attrs: RawAttributes;
  }

  /** The subsystem `sftp` of a connection. `ext_…` throw at once where the server does not name the extension. */
  export interface SFTPWrapper extends EventEmitter {
    open(path: string, flags: string, attributes: SettableAttributes, done: Done<Buffer>): void;
    close(handle: Buffer, done: Done): void;
    /** `value` is the number of bytes, 0 at the end. */
    read(handle: Buffer, buffer: Buffer, offset: number, length: number, position: number, done: Done<number>): void;
    write(handle: Buffer, buffer: Buffer, offset: number, length: number, position: number, done: Done): void;
    fstat(handle: Buffer, done: Done<RawAttributes>): void;
    fsetstat(handle: Buffer, attributes: SettableAttributes, done: Done): void;
    lstat(path: string, done: Done<RawAttributes>): void;
    stat(path: string, done: Done<RawAttributes>): void;
    opendir(path: string, done: Done<Buffer>): void;
    readdir(handle: Buffer, done: Done<RawEntry[]>): void;
    unlink(path: string, done: Done): void;
    rename(from: string, to: string, done: Done): void;
    mkdir(path: string, attributes: SettableAttributes, done: Done): void;
    rmdir(path: string, done: Done): void;
    symlink(target: string, path: string, done: Done): void;
    realpath(path: string, done: Done<string>): void;
    ext_openssh_rename(from: string, to: string, done: Done): void;
    ext_openssh_hardlink(from: string, to: string, done: Done): void;
    ext_openssh_fsync(handle: Buffer, done: Done): void;
    ext_openssh_statvfs(path: string, done: Done<RawSpace>): void;
    destroy(): void;
  }

  export interface ParsedKey {
    isPrivateKey(): boolean;
  }

  export type AuthMethod =
    | { readonly type: 'publickey'; readonly username: string; readonly key: ParsedKey }
    /** `agent`: path of its socket. */
    | { readonly type: 'agent'; readonly username: string; readonly agent: string }
    | { readonly type: 'password'; readonly username: string; readonly password: string }
    | {
        readonly type: 'keyboard-interactive';
        readonly username: string;
        readonly prompt: (name: string, instructions: string, language: string, prompts: readonly { readonly echo?: boolean }[], answer: (texts: readonly string[]) => void) => void;
      };

  export interface ConnectConfig {
    readonly host: string;
    readonly port: number;
    readonly username: string;
    /** Ways to log in, in order. */
    readonly authHandler: readonly AuthMethod[];
    readonly hostVerifier?: (key: Buffer) => boolean;
    readonly algorithms?: { readonly serverHostKey?: readonly string[]; readonly cipher?: { readonly prepend: readonly string[] } };
    /** Milliseconds. */
    readonly readyTimeout?: number;
    readonly keepaliveInterval?: number;
    readonly keepaliveCountMax?: number;
  }

  /** Error events carry where they come from in `level`: `client-socket`, `client-authentication`, `handshake`, … */
  export class Client extends EventEmitter {
    connect(config: ConnectConfig): this;
    sftp(done: Done<SFTPWrapper>): void;
    end(): this;
    destroy(): this;
  }

  /** What tests need of the server's side. */
  export interface AuthContext {
    readonly method: string;
    readonly password?: string;
    accept(): void;
    reject(methodsLeft: readonly string[]): void;
    prompt(prompts: readonly { readonly prompt: string; readonly echo: boolean }[], done: (answers: readonly string[]) => void): void;
  }

  export interface Connected {
    on(event: 'authentication', listener: (context: AuthContext) => void): void;
    on(event: 'session', listener: (accept: () => unknown) => void): void;
    on(event: 'error', listener: (error: Error) => void): void;
  }

  export class Server {
    constructor(config: { readonly hostKeys: readonly string[] }, onConnection: (client: Connected) => void);
    listen(port: number, host: string, done: () => void): void;
    address(): unknown;
    close(done: () => void): void;
  }

  export const utils: {
    /** An error where it is no key, or the passphrase does not fit. */
    parseKey(data: Buffer, passphrase?: string): ParsedKey | readonly ParsedKey[] | Error;
    generateKeyPairSync(type: 'ed25519'): { readonly private: string; readonly public: string };
  };

  const ssh2: { readonly Client: typeof Client; readonly Server: typeof Server; readonly utils: typeof utils };
  export default ssh2;
}
