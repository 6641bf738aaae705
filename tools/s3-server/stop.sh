#!/usr/bin/env bash
# tools/s3-server/stop.sh DIR [--wipe]   (npm run s3:stop -- DIR [--wipe])
#
# Ends the server that start.sh started in DIR; --wipe removes DIR as well. Twice is fine.
set -euo pipefail
DIR=${1:?usage: stop.sh DIR [--wipe]}
[ -d "$DIR" ] || exit 0
DIR=$(cd "$DIR" && pwd)

# ours PID: is it a process that was started with this DIR's configuration?
ours() { tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF -- "$DIR/ceph.conf"; }

for name in rgw osd mon; do
  pid=$(cat "$DIR/run/$name.pid" 2>/dev/null) || continue
  if [ -n "$pid" ] && ours "$pid"; then
    # One that a test has stopped could not hear.
    kill -TERM "$pid" && kill -CONT "$pid" || true
    for _ in $(seq 50); do ours "$pid" || break; sleep 0.1; done
    ! ours "$pid" || kill -KILL "$pid" || true
    for _ in $(seq 20); do ours "$pid" || break; sleep 0.1; done
  fi
  rm -f "$DIR/run/$name.pid"
done
rm -f "$DIR"/run/*.asok
if [ "${2:-}" = --wipe ]; then rm -rf "$DIR"; fi
