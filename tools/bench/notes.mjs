/**
 * What a profile said about a row that is not reached, or that a reader should know: by row, written
 * by hand, printed under the row's table. Say what was measured and how.
 */
export const NOTES = {
  small: [
    'First sync: both cores are busy nearly from begin to end (of 6.0 seconds of two cores, 0.3 to 0.5 were idle), so what is left is CPU time. In a profile about half of it was the kernel’s (writing a file 41 µs, opening source and copy 41, showing it 25; `cp -a` takes 1.2 to 2.1 s in all), the rest the main thread’s (a fifth of that the rows of the baseline), JavaScript of the copying threads, of which nothing stands out, and V8’s compiler, which each copying thread employs anew: a daemon whose threads are still there, for six minutes after they had something to do, needs over a fourth less CPU (docs/performance.md, also for what was tried).',
    'No-change pass: five in a row each. Measured by itself the pass takes 0.11 to 0.24 s in a daemon that has made such passes before, 0.19 to 0.43 s of CPU on two cores, most of it in two listing threads (three fifths of that in the kernel’s `statx`); the command needs 0.07 s before it asks, half of it Node.js itself, and 0.02 after the answer.',
  ],
  single: [
    'The disk takes 2.3 to 4.4 s (`cp -a` + `sync`), which `cp` and `rsync` without `--fsync` do not wait for: nothing durable can be as fast as they are. One GiB is read, hashed, written, read back and compared by two threads with 1.1 and 1.0 s of CPU in a profile, less than `rsync` needs; here it was 3.8 to 4.3 s: that of six `cp -a` in a row swings between 0.5 and 2.4 s on this machine, so that single figures say little; copying 64 KiB at a time instead of 256 took half of the copying thread’s time away (docs/performance.md).',
  ],
  large: [
    'The disk takes 3.1 to 5.7 s (`cp -a` + `sync`), which `cp` and `rsync` without `--fsync` do not wait for; with it `rsync` takes about twice that. 2 GiB in 1.5 × `cp -a` would be 1 GB/s to a disk that takes 280 to 400 MB/s of one file (`dd`, flushed). In the runs before, the source was not always in memory, because `rclone` drops what it reads: CPU times swung more, and `wl` took 2.03 × `rsync`.',
  ],
  tiny: [
    'First sync: `rclone` flushes nothing and looks at nothing again, and `rsync` flushes nothing; see the note on 20,000 files for where the time is. `wl` and `rclone` are level: 0.99 × here, 1.02 × in the run before, single rounds between 0.85 and 1.02 ×.',
    'No-change pass: ahead of all that compare, and of `find`, which looks at both sides in turn.',
    'Changed: with 3 % of the names changed hardly a run of a thousand agrees as a whole; comparing within the runs goes on behind each name that differs (ADR 0015). Before it did, every name was looked at, half a second of CPU. The rest of what the pass takes beyond one without changes are above all 4,000 copies, 2,000 of which move a version to the trash (docs/performance.md).',
    'What the copies cost was taken for 2 % of the first sync until 2026-11-26; by that the pass takes 1.76 × here. But those 2 % are of files of 100 bytes in a row, and what is changed are 4,000 files of 1 to 9 KB in 2,000 directories: `cp`, told their names, and `sync` take 1.2 to 1.4 s for them. `rsync` takes 1.9 s more than without changes, `rclone` 1.9; neither flushes or keeps what it replaces. `wl` takes 2.3.',
  ],
  million: [
    'First sync: late in it a fifth of the time is spent waiting for the disk, and no place in the kernel stands out in a profile. It took 138 to 169 s in four runs, `rsync` without flushing 67 to 178. No-change pass: level with `find` over both sides in turn.',
    'Time: `find` itself needs more than five times what it needed for 200,000 files in the same run (5.4 ×; 5.9 in the run before). The rows of 200,000 files are of a later, slower day. Memory: copying threads that stay for six minutes are 11 MiB of it.',
  ],
  idle: ['Measured from a minute and a half after the last pass on: before that V8 collects what the passes left, and memory goes back to the system. Threads that nobody needs are still there then, for six minutes: 104 MiB were held when they ended within one.'],
  'latency-2k': [
    'Of the 26 ms before, 15 were the quiet time after the last event, now 5 for the first news after a calm of 200 ms; the daemon used 45 ms of CPU for each edit, of which chokidar looking at every file of both directories was a third (`--cpu-prof` of the daemon), now 30.',
  ],
  's3-delta': [
    'What is saved is the way to the server, which there is none of here: on two cores that the server shares, copying a part (read, hashed and written anew by the gateway) costs it more than receiving one. Of 128 MiB with 1 MiB changed, in turn, five rounds: 3.8 s copied against 3.0 s sent as a whole, and 0.50 s of CPU of our own against 0.31, for the MD5 of all parts.',
  ],
  'syncers-local': ['Below 64 KiB a clone takes longer than a write, so that the generic syncer clones from there on only (ADR 0016).'],
  'syncers-s3': [
    'For a new object the server’s copy costs four requests on Ceph, which compares nothing when it copies (a placeholder holds the name); the generic syncer reads and writes objects below 64 KiB instead, with two, and took 14.5 s for these before. Large ones it has the server copy as well. Of those, 512 MiB passed through the daemon before, to know their hash, which stands beside them now ([ADR 0019](adr/0019-the-hash-of-a-large-object-is-noted-afterwards.md)).',
  ],
  'syncers-rsync': ['What rsync brings is read twice more for its hash, on both sides; the generic syncer hashes while it copies.'],
  startup: [
    'A third of the start was compiling modules of Node.js that the command does not use (crypto, child_process, readline, fs/promises, standard input): they are loaded late now, 35 instead of 76, and a clock that comes with Node.js instead of `performance` saved 4 ms more.',
  ],
};
