/** The programs that are compared, from Debian's packages: which are missing, and how to get them. */
import { spawnSync } from 'node:child_process';

/** Debian's packages by program. */
const PACKAGES = {
  radosgw: 'radosgw ceph-mon ceph-osd ceph-common curl openssl',
  rsync: 'rsync',
  rclone: 'rclone',
  unison: 'unison',
  syncthing: 'syncthing',
  lsyncd: 'lsyncd',
  s3cmd: 's3cmd',
  '/usr/bin/time': 'time',
};

/** Those of these programs that are not there. */
export function missingOf(programs) {
  return programs.filter((program) => spawnSync('sh', ['-c', 'command -v "$0" >/dev/null', program]).status !== 0);
}

/** The command that installs programs. */
export function installCommand(programs) {
  return `apt-get install -y --no-install-recommends ${programs.map((program) => PACKAGES[program]).join(' ')}`;
}

/**
 * Makes sure of the programs as far as allowed: installs what is missing if `mayInstall` (root
 * only), else says what is missing and how to get it. Gives what is missing still; ends the
 * process where nothing can be measured without it (GNU time).
 */
export function ensurePrograms(programs, mayInstall) {
  const missing = missingOf(['/usr/bin/time', ...programs]);
  if (missing.length === 0) return [];
  if (mayInstall) {
    if (process.getuid() !== 0) fail(`--install is for root; as root run: ${installCommand(missing)}`);
    console.error(`Installing from Debian's packages: ${installCommand(missing)}`);
    spawnSync('sh', ['-c', installCommand(missing)], { stdio: 'inherit' });
  }
  const still = missingOf(missing);
  if (still.includes('/usr/bin/time')) fail(`GNU time is needed to measure; as root run: ${installCommand(still)}`);
  if (still.length > 0) console.error(`Not installed, and so left out: ${still.join(', ')}. To compare with them run it with --install, or as root: ${installCommand(still)}`);
  return still;
}

function fail(message) {
  console.error(`Error: ${message}`);
  process.exit(2);
}
