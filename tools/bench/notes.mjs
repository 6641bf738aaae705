/**
 * What a profile said about a row that is not reached, or that a reader should know: by row, written
 * by hand, printed under the row's table. Say what was measured and how.
 */
export const NOTES = {
  small: [
    'First sync: of 6 s of CPU the two copying threads have 2.0 in the kernel (open, create, write, read back, flush, rename and look: 22 calls a file, of which making, writing and showing it cost 50–76 µs) and 1.6 outside, the main thread 1.1 (mostly messages between threads), V8’s optimising compiler 1.0, listing 0.4; `cp` needs 1.5 in all. Later, earlier or no optimising is slower, another garbage collector 4 % faster (docs/performance.md). To come nearer, less has to pass between threads, and files have to be made without a name first.',
    'No-change pass: both listings, one thread each, take what `find` takes over both sides in turn; the start of the command, its connection and its end are 0.1 s of the rest, and `rsync` compares sizes and times of 20,000 files in one process that is already there.',
  ],
  single: [
    'One GiB is read, hashed, written and read back: two threads use 1.1 and 2.8 s of CPU, most of it in the kernel (`cp` 1.3 s), and the flush takes 0.7 s at the end. When this was measured the first large file of a daemon was hashed by the thread that copied it, because the other was still being started; it is waited for now (3.4–4.0 s instead of 4.0–4.3, in turn).',
  ],
  large: ['Of 6.5 s the disk needs 4.2 (`cp -a` + `sync`), which `cp` and `rsync` without `--fsync` do not wait for; with it `rsync` takes 9.5.'],
  idle: ['Most of what is used in the first half minute of calm is V8’s collector (60 ms of helper threads in 30 s).'],
  'latency-2k': [
    'Of the 26 ms before, 15 were the quiet time after the last event, now 5 for the first news after a calm of 200 ms; the daemon used 45 ms of CPU for each edit, of which chokidar looking at every file of both directories was a third (`--cpu-prof` of the daemon), now 30.',
  ],
  's3-delta': [
    'What is saved is the way to the server, which there is none of here: on two cores that the server shares, copying a part (read, hashed and written anew by the gateway) costs it more than receiving one. Of 128 MiB with 1 MiB changed, in turn, five rounds: 3.8 s copied against 3.0 s sent as a whole, and 0.50 s of CPU of our own against 0.31, for the MD5 of all parts.',
  ],
  'syncers-local': ['Below 64 KiB a clone takes longer than a write, so that the generic syncer clones from there on only (ADR 0016).'],
  'syncers-s3': [
    'The generic syncer has the server copy as well. For a new object that costs four requests on Ceph, which compares nothing when it copies (a placeholder holds the name); a small object that is streamed costs two. The server saves bytes there, not time.',
  ],
  'syncers-rsync': ['What rsync brings is read twice more for its hash, on both sides; the generic syncer hashes while it copies.'],
  startup: [
    'A third of the start was compiling modules of Node.js that the command does not use (crypto, child_process, readline, fs/promises, standard input): they are loaded late now, 35 instead of 76.',
  ],
};
