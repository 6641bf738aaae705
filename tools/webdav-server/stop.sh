#!/usr/bin/env bash
# tools/webdav-server/stop.sh DIR [--wipe]   (npm run --silent webdav:stop -- DIR)
#
# Ends the WebDAV servers that start.sh started with DIR; with --wipe, removes DIR too. Where none
# runs, that is no failure.
set -euo pipefail
DIR=${1:?usage: stop.sh DIR [--wipe]}
[ -d "$DIR" ] || exit 0
DIR=$(cd "$DIR" && pwd)
for name in apache nginx; do
  pid=$(cat "$DIR/$name.pid" 2>/dev/null) || continue
  # A pid may be somebody else's by now.
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$DIR" || continue
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.05
  done
  kill -9 "$pid" 2>/dev/null || true
done
if [ "${2:-}" = --wipe ]; then rm -rf "$DIR"; fi
