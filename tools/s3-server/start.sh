#!/usr/bin/env bash
# tools/s3-server/start.sh DIR [PORT]   (npm run --silent s3:start -- DIR [PORT])
#
# Starts a real S3 server for tests and development: Ceph's gateway from Debian's packages on
# 127.0.0.1:PORT, with all it keeps in DIR: one monitor, one OSD and one gateway, no
# authentication among them, nothing replicated. Makes a user and a bucket and prints what a
# client needs as `export NAME=value` lines, everything else to stderr:
#
#     eval "$(tools/s3-server/start.sh /tmp/s3)"
#     npm run test:s3 && npm run e2e:s3
#     tools/s3-server/stop.sh /tmp/s3 --wipe
#
# PORT: the one DIR had before, else a free one. Where the server is up, nothing is started and
# the same lines are printed; where only the gateway is gone (a test killed it), it alone is
# started again and the data is kept. Servers with different DIRs may run side by side.
#
# Environment:
#   S3_SERVER_STORE        memstore (in RAM, forgets when stopped; default) or bluestore (a sparse file in DIR)
#   S3_SERVER_STORE_MB     its size in MiB (default 4096; bluestore 16384)
#   S3_SERVER_ACCESS_KEY, S3_SERVER_SECRET_KEY, S3_SERVER_BUCKET   default testkey, testsecret, test
#   S3_SERVER_THREADS      of the gateway (default 64)
set -euo pipefail
export LC_ALL=C

usage='usage: start.sh DIR [PORT]'
DIR=${1:?$usage}
STORE=${S3_SERVER_STORE:-memstore}
ACCESS=${S3_SERVER_ACCESS_KEY:-testkey}
SECRET=${S3_SERVER_SECRET_KEY:-testsecret}
BUCKET=${S3_SERVER_BUCKET:-test}
case $STORE in
  memstore) STORE_MB=${S3_SERVER_STORE_MB:-4096} ;;
  bluestore) STORE_MB=${S3_SERVER_STORE_MB:-16384} ;;
  *) echo "S3_SERVER_STORE must be memstore or bluestore, not $STORE" >&2; exit 2 ;;
esac

mkdir -p "$DIR/run" "$DIR/log"
DIR=$(cd "$DIR" && pwd)
CONF=$DIR/ceph.conf

say() { printf '[s3-server] %s\n' "$*" >&2; }
# die MESSAGE [LOG...]: ends with the message, after the end of the logs and what the disk has left.
die() {
  if [ -n "${2:-}" ]; then
    tail -qn 40 "${@:2}" >&2 || true
    df -h "$DIR" >&2 || true
  fi
  say "FAILED: $1"
  exit 1
}

# ---- packages: installed where that is possible, else named ------------------------------------
install_packages() {
  local need=() package log=$DIR/log/apt.log policy=/usr/sbin/policy-rc.d made=''
  command -v dpkg-query >/dev/null || die 'Ceph comes from Debian or Ubuntu packages here: there is no dpkg'
  for package in radosgw ceph-mon ceph-osd ceph-common curl openssl; do
    dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || need+=("$package")
  done
  ((${#need[@]})) || return 0
  [ "$(id -u)" = 0 ] || die "missing packages; install them and run this again: apt-get install --no-install-recommends ${need[*]}"
  say "installing ${need[*]}"
  # The packages must start no services of their own.
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=$policy
  fi
  local apt=(apt-get -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  export DEBIAN_FRONTEND=noninteractive
  # Lists may be missing or older than the archive: then they are fetched, and it is tried again.
  "${apt[@]}" install --no-install-recommends "${need[@]}" >"$log" 2>&1 ||
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${need[@]}"; } >>"$log" 2>&1 ||
    { rm -f "$made"; die "apt-get could not install ${need[*]}" "$log"; }
  [ -z "$made" ] || rm -f "$made"
}

# ---- processes ----------------------------------------------------------------------------------
# alive NAME: does the process noted as NAME run, and is it one of this DIR?
alive() {
  local pid
  pid=$(cat "$DIR/run/$1.pid" 2>/dev/null) && [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$CONF"
}
# spawn NAME COMMAND...: starts it detached, without the lock, and notes its pid.
spawn() {
  local name=$1
  shift
  setsid "$@" </dev/null >"$DIR/log/$name.out" 2>&1 9>&- &
  echo $! >"$DIR/run/$name.pid"
  # Until the new program has taken over, the pid shows this script's command line.
  wait_for 30 "$name did not start" "$DIR/log/$name.out" taken_over_or_gone "$name" $!
}
taken_over_or_gone() { alive "$1" || ! kill -0 "$2"; }
# wait_for SECONDS MESSAGE LOG COMMAND...: until the command succeeds.
wait_for() {
  local end=$((SECONDS + $1)) message=$2 log=$3
  shift 3
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || die "$message" "$log" "$DIR"/log/*.a.log
    sleep 0.05
  done
}
# ready_or_gone NAME COMMAND...: has the command succeeded, or has the process ended, which is not worth waiting for?
ready_or_gone() {
  local name=$1
  shift
  "$@" || ! alive "$name"
}
# serve NAME SECONDS MESSAGE COMMAND...: waits until what was spawned as NAME makes the command succeed.
serve() {
  local name=$1 seconds=$2 message=$3 log=$DIR/log/$1.out
  shift 3
  wait_for "$seconds" "$message" "$log" ready_or_gone "$name" "$@"
  alive "$name" || die "$message: it has ended" "$log" "$DIR"/log/*.a.log
}
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
# free_port FROM: the first port from FROM on that nobody listens on.
free_port() {
  local port=$1
  while answers "$port"; do port=$((port + 1)); done
  echo "$port"
}
in_ceph() { ceph -c "$CONF" --connect-timeout 3 "$@"; }
osd_is_up() { in_ceph osd stat | grep -q '1 up'; }

# ---- parts --------------------------------------------------------------------------------------
write_conf() {
  local monitor
  monitor=$(free_port $((10000 + RANDOM % 9000)))
  cat >"$CONF" <<CONF_END
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon initial members = a
mon host = v2:127.0.0.1:$monitor
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind port min = $((monitor + 1))
ms bind port max = $((monitor + 40))
# No authentication among them; connections are then not encrypted, which the gateway has to be told.
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = true
ms mon client mode = crc
ms mon service mode = crc
ms mon cluster mode = crc
run dir = $DIR/run
admin socket = $DIR/run/\$name.asok
pid file =
log file = $DIR/log/\$name.log
mon cluster log file = $DIR/log/cluster.log
crash dir = $DIR/log
log max recent = 100
$(printf 'debug %s = 0/0\n' none rgw ms mon osd paxos monc objecter auth rocksdb bluestore objclass memstore bdev bluefs heartbeatmap finisher mgrc asok tp optracker lockdep context crush)
# One copy of everything.
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 2000
# Quick to start, no work in the background, no worries about a disk that is nearly full.
osd max scrubs = 0
osd op num shards = 2
mon osd report timeout = 86400
paxos propose interval = 0.05
paxos min wait = 0.01
mon_data_avail_warn = 0
mon_data_avail_crit = -1
mon osd full ratio = .98
mon osd nearfull ratio = .97
mon osd backfillfull ratio = .975

[mon.a]
mon data = $DIR/mon

[osd.0]
osd data = $DIR/osd
osd objectstore = $STORE
memstore device bytes = $((STORE_MB * 1048576))
bluestore block size = $((STORE_MB * 1048576))
bluestore block db create = false
bluestore block wal create = false
bluestore fsck on mount = false
osd memory target = 939524096
osd class load list = *
osd class default list = *

[client.rgw.a]
# Without tcp_nodelay each small GET on a connection that was used before waits 40 ms.
rgw frontends = beast endpoint=127.0.0.1:$PORT tcp_nodelay=1
rgw thread pool size = ${S3_SERVER_THREADS:-64}
rgw max concurrent requests = 1024
rgw enable usage log = false
rgw enable ops log = false
rgw dynamic resharding = false
rgw override bucket index max shards = 1
# What is deleted leaves the memory soon, not after two hours.
rgw gc obj min wait = 5
rgw gc processor period = 5
rgw gc processor max time = 5
CONF_END
}
start_monitor() {
  local log=$DIR/log/mon.out fsid address
  if [ ! -d "$DIR/mon/store.db" ]; then
    mkdir -p "$DIR/mon"
    fsid=$(sed -n 's/^fsid = //p' "$CONF")
    address=$(sed -n 's/^mon host = //p' "$CONF")
    { monmaptool --create --clobber --fsid "$fsid" --addv a "[$address]" "$DIR/monmap" &&
      ceph-mon -c "$CONF" --mkfs -i a --fsid "$fsid" --monmap "$DIR/monmap"; } >"$log" 2>&1 || die 'the monitor could not be made' "$log"
  fi
  spawn mon ceph-mon -c "$CONF" -i a -f
  serve mon 60 'the monitor does not answer' in_ceph -s
}
start_osd() {
  local log=$DIR/log/osd.out uuid
  if [ ! -f "$DIR/osd/made" ]; then
    mkdir -p "$DIR/osd"
    uuid=$(cat /proc/sys/kernel/random/uuid)
    { in_ceph osd new "$uuid" && ceph-osd -c "$CONF" -i 0 --mkfs --osd-uuid "$uuid"; } >"$log" 2>&1 || die 'the store could not be made' "$log"
    touch "$DIR/osd/made"
  fi
  spawn osd ceph-osd -c "$CONF" -i 0 -f
  serve osd 60 'the store does not come up' osd_is_up
}
start_gateway() {
  spawn rgw radosgw -c "$CONF" -n client.rgw.a -f
  serve rgw 60 'the gateway does not answer' answers "$PORT"
}
make_user_and_bucket() {
  local log=$DIR/log/user.out date signature code
  radosgw-admin -c "$CONF" user info --uid=test >"$log" 2>&1 ||
    radosgw-admin -c "$CONF" user create --uid=test --display-name=test --access-key="$ACCESS" --secret-key="$SECRET" --max-buckets=0 >"$log" 2>&1 ||
    die 'the user could not be made' "$log"
  # Signed by AWS's version 2, which needs no more than openssl.
  date=$(date -u '+%a, %d %b %Y %H:%M:%S GMT')
  signature=$(printf 'PUT\n\n\n%s\n/%s' "$date" "$BUCKET" | openssl dgst -sha1 -hmac "$SECRET" -binary | base64)
  code=$(curl -s --noproxy '*' -o "$log" -w '%{http_code}' -X PUT -H "Date: $date" -H "Authorization: AWS $ACCESS:$signature" "http://127.0.0.1:$PORT/$BUCKET")
  case $code in 200 | 409) ;; *) die "making the bucket was answered $code" "$log" ;; esac
}
print_exports() {
  printf 'export %s\n' "WL_S3_ENDPOINT=http://127.0.0.1:$PORT" "WL_S3_ACCESS_KEY=$ACCESS" "WL_S3_SECRET_KEY=$SECRET" \
    WL_S3_REGION=us-east-1 "WL_S3_BUCKET=$BUCKET"
}

# ---- start --------------------------------------------------------------------------------------
exec 9>"$DIR/lock"
flock -w 180 9 || die "another start in $DIR does not end"
install_packages

known=$(cat "$DIR/port" 2>/dev/null || true)
PORT=${2:-${known:-$(free_port $((20000 + RANDOM % 9000)))}}
if alive mon && alive osd && [ -f "$DIR/ready" ]; then
  [ "$PORT" = "$known" ] || die "$DIR already serves port $known"
  if ! alive rgw; then
    say 'starting the gateway again'
    start_gateway
  fi
  print_exports
  exit 0
fi

# The store in RAM has forgotten everything, so must the monitor; nor is anything kept of a start that failed.
kept=''
[ "$STORE" = memstore ] || [ ! -f "$DIR/ready" ] || kept=1
rm -f "$DIR/ready"
start_all() {
  "$(dirname "${BASH_SOURCE[0]}")/stop.sh" "$DIR"
  ! answers "$PORT" || die "port $PORT is taken by something else"
  [ "$kept" ] || rm -rf "$DIR/mon" "$DIR/osd" "$CONF"
  echo "$PORT" >"$DIR/port"
  [ -f "$CONF" ] || write_conf
  start_monitor
  start_osd
  start_gateway
  make_user_and_bucket
}
attempt=1
# In the background, since a condition would switch `set -e` off in all of it.
until start_all & wait $!; do
  ((attempt < 3)) || die 'three attempts failed'
  attempt=$((attempt + 1))
  say 'trying again'
done
touch "$DIR/ready"
say "http://127.0.0.1:$PORT is up after $SECONDS s, all of it is in $DIR"
print_exports
