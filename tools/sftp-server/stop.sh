#!/usr/bin/env bash
# tools/sftp-server/stop.sh DIR [--wipe|--cut]   (npm run --silent sftp:stop -- DIR)
#
# Ends the SFTP server that start.sh started with DIR, and the connections it serves; with --wipe,
# removes DIR too; with --cut, only the connections are ended and the server runs on. Where none
# runs, that is no failure.
set -euo pipefail
DIR=${1:?usage: stop.sh DIR [--wipe|--cut]}
[ -d "$DIR" ] || exit 0
DIR=$(cd "$DIR" && pwd)
end() {
  kill "$1" 2>/dev/null || return 0
  for _ in $(seq 100); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.05
  done
  kill -9 "$1" 2>/dev/null || true
}
pid=$(cat "$DIR/sshd.pid" 2>/dev/null) || pid=''
# A pid may be somebody else's by now.
if [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$DIR"; then
  children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null || true)
  [ "${2:-}" = --cut ] || end "$pid"
  for child in $children; do end "$child"; done
fi
if [ "${2:-}" = --wipe ]; then rm -rf "$DIR"; fi
