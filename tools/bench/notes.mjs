/**
 * What a profile said about a row that is not reached, or that a reader should know: by row, written
 * by hand, printed under the row's table. Say what was measured and how.
 */
export const NOTES = {
  small: [
    'First sync: both cores are busy from begin to end, so what is left is CPU time. Of 4.8 to 6.1 s in a profile 2.4 were the kernel’s (making a file in staging 42 µs, writing it 22, showing it 21; `cp -a` takes 1.2 to 1.7 in all), 0.9 the main thread’s, a fifth of that the rows of the baseline, the rest JavaScript of the copying threads (about 40 µs a file, none of which stands out) and V8’s compiler, which each copying thread employs anew: they end after some seconds of rest, for the sake of memory. What was tried is in docs/performance.md.',
    'No-change pass: five in a row each. Measured by itself the pass takes 0.16 to 0.24 s in a daemon that has made such passes before, 0.27 to 0.43 s of CPU on two cores, most of it in two listing threads (three fifths of that in the kernel’s `statx`); the command needs about 0.08 s before it asks, half of it Node.js itself, and 0.02 after the answer.',
  ],
  single: [
    'The disk takes 2.3 s (`cp -a` + `sync`), which `cp` and `rsync` without `--fsync` do not wait for: nothing durable can be as fast as they are. One GiB is read, hashed, written, read back and compared by two threads with 1.1 and 1.0 s of CPU, less than `rsync` needs; copying 64 KiB at a time instead of 256 took half of the copying thread’s time away (docs/performance.md).',
  ],
  large: ['The disk takes 4.2 s (`cp -a` + `sync`), which `cp` and `rsync` without `--fsync` do not wait for; with it `rsync` takes about twice that. CPU of the same work swings between 3.6 and 8.1 s from round to round here, that of `cp -a` between 0.8 and 4.9; why was not found out.'],
  tiny: [
    'First sync: `rclone` flushes nothing and looks at nothing again, and `rsync` flushes nothing; see the note on 20,000 files for where the time is.',
    'No-change pass: ahead of all that compare, and level with `find`, which looks at both sides in turn; with a million files ahead of it, since what does not grow with the tree weighs less.',
    'Changed: with 3 % of the names changed hardly a run of a thousand agrees as a whole; comparing within the runs goes on behind each name that differs (ADR 0015). Before it did, every name was looked at, half a second of CPU. The rest of what the pass takes beyond one without changes are above all 4,000 copies, 2,000 of which move a version to the trash (docs/performance.md).',
  ],
  million: [
    'First sync: everything is copied, hashed, verified and flushed in four fifths of the time that `rsync` needs without flushing. No-change pass: ahead of `find` over both sides in turn.',
    'Memory: the row was measured before threads that nobody needs ended and free memory went back to the system. Since then, on the same trees by themselves, three passes: 170, 174 and 175 MiB, 133 to 138 over a bare Node.js in the same minute, with 7.7 and 7.9 s (the first 14.0, with nothing in the caches) where `find` took 8.8.',
  ],
  idle: ['Measured from a minute and a half after the last pass on: before that V8 collects what the passes left, memory goes back to the system, and threads that nobody needs end.'],
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
