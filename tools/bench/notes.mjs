/**
 * What a profile said about a row that is not reached, or that a reader should know: by row, written
 * by hand, printed under the row's table. Say what was measured and how.
 */
export const NOTES = {
  small: [
    'First sync: of 6 s of CPU the two copying threads have 2.0 in the kernel (open, create, write, read back, flush, rename and look: 22 calls a file, of which making, writing and showing it cost 50–76 µs) and 1.6 outside, the main thread 1.1 (mostly messages between threads), V8’s optimising compiler 1.0, listing 0.4; `cp` needs 1.5 in all. Later, earlier or no optimising is slower, another garbage collector 4 % faster (docs/performance.md). To come nearer, less has to pass between threads, and files have to be made without a name first.',
    'No-change pass: five in a row each. The first one after the copying takes over half as long again as the others, which fits code that is not compiled yet; the last ones are level with `rsync` (0.26–0.32 s and 0.23–0.33 s). Of 0.28 s the command needs 0.08 before it asks (half of it Node.js itself) and 0.02 after the answer; of the pass two listing threads have 0.12 s of CPU each, for 20,000 `statx` a side, and the main thread 0.06.',
  ],
  single: [
    'The disk takes 2.3 s (`cp -a` + `sync`), which `cp` and `rsync` without `--fsync` do not wait for: nothing durable can be as fast as they are. One GiB is read, hashed, written, read back and compared by two threads with 1.1 and 1.0 s of CPU, less than `rsync` needs; copying 64 KiB at a time instead of 256 took half of the copying thread’s time away (docs/performance.md).',
  ],
  large: ['The disk takes 4.2 s (`cp -a` + `sync`), which `cp` and `rsync` without `--fsync` do not wait for; with it `rsync` takes about twice that. CPU of the same work swings between 3.6 and 8.1 s from round to round here, that of `cp -a` between 0.8 and 4.9; why was not found out.'],
  tiny: [
    'First sync: `rclone` flushes nothing and looks at nothing again; the others that compare both sides take longer, flushing or not.',
    'No-change pass: ahead of all that compare. With a million files, in the same hour, it is ahead of `find` too (0.86 ×): what does not grow with the tree, the start of the command above all, weighs more here. It swings (1.60 to 2.08 s), and no profile was made of it.',
    'Changed: with 3 % of the names changed hardly a run of a thousand agrees as a whole; comparing within the runs goes on behind each name that differs (ADR 0015). Before it did, every name was looked at, half a second of CPU. The rest of what the pass takes beyond one without changes are above all 4,000 copies, 2,000 of which move a version to the trash (docs/performance.md).',
  ],
  million: [
    'First sync: everything is copied, hashed, verified and flushed in four fifths of the time that `rsync` needs without flushing. No-change pass: ahead of `find` over both sides in turn.',
    'Memory does not grow with the number of files. What is above the goal stands there with 20 files as well: the command is a Node.js of its own (55 MiB, a bare one 38), the daemon holds 74 at rest, then V8’s young generation in each of five threads, and 16 of SQLite’s pages (docs/performance.md).',
  ],
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
    'A third of the start was compiling modules of Node.js that the command does not use (crypto, child_process, readline, fs/promises, standard input): they are loaded late now, 35 instead of 76, and a clock that comes with Node.js instead of `performance` saved 4 ms more.',
  ],
};
