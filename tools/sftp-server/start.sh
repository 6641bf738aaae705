#!/usr/bin/env bash
# tools/sftp-server/start.sh DIR   (npm run --silent sftp:start -- DIR)
#
# Starts a real SFTP server for tests and development: OpenSSH's sshd as the current user, on a free
# port of 127.0.0.1, with a host key, a client key and all else it keeps in DIR. It lets in that key
# and nobody else. Prints what the tests need as `export NAME=value` lines, everything else to stderr:
#
#     eval "$(tools/sftp-server/start.sh /tmp/sftp)"
#     npm run test:sftp
#     tools/sftp-server/stop.sh /tmp/sftp --wipe
#
# Where it runs already the same lines are printed.
# Environment: SFTP_PORT        a port that is free, instead of any
#              SFTP_SUBSYSTEM   what serves SFTP, default internal-sftp; e.g. 'internal-sftp -P hardlink'
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

DIR=${1:?usage: start.sh DIR}
SUBSYSTEM=${SFTP_SUBSYSTEM:-internal-sftp}

mkdir -p "$DIR"
DIR=$(cd "$DIR" && pwd)
say() { printf '[sftp-server] %s\n' "$*" >&2; }
# die MESSAGE [LOG]
die() {
  [ -z "${2:-}" ] || tail -n 20 "$2" >&2 || true
  say "FAILED: $1"
  exit 1
}

# ---- package: installed where that is possible, else named -------------------------------------
if ! command -v sshd >/dev/null || ! command -v ssh-keygen >/dev/null; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "a missing package; install it and run this again: apt-get install --no-install-recommends openssh-server"
    exit 2
  fi
  say 'installing openssh-server'
  # The package must start no service of its own.
  policy=/usr/sbin/policy-rc.d
  made=''
  [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=$policy; }
  apt=(apt-get -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  export DEBIAN_FRONTEND=noninteractive
  "${apt[@]}" install --no-install-recommends openssh-server >"$DIR/apt.log" 2>&1 ||
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends openssh-server; } >>"$DIR/apt.log" 2>&1 ||
    { rm -f "$made"; die 'apt-get could not install openssh-server' "$DIR/apt.log"; }
  [ -z "$made" ] || rm -f "$made"
fi

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
# free_port FROM: the first port from FROM on that nobody listens on.
free_port() {
  local port=$1
  while answers "$port"; do port=$((port + 1)); done
  echo "$port"
}
# alive: does the server noted run, and is it one of this DIR?
alive() {
  local pid
  pid=$(cat "$DIR/sshd.pid" 2>/dev/null) && [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$DIR"
}
make_key() { [ -e "$DIR/$1" ] || ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$DIR/$1"; }

mkdir -p "$DIR/files"
make_key host_key
make_key client_key
cp "$DIR/client_key.pub" "$DIR/authorized_keys"
# What Debian's service makes: the empty directory of the part of sshd that has no rights.
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd

if ! alive; then
  echo "${SFTP_PORT:-$(free_port $((20000 + RANDOM % 9000)))}" >"$DIR/port"
  cat >"$DIR/sshd_config" <<CONF
ListenAddress 127.0.0.1
Port $(cat "$DIR/port")
HostKey $DIR/host_key
PidFile $DIR/sshd.pid
AuthorizedKeysFile $DIR/authorized_keys
AllowUsers $(id -un)
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
AllowTcpForwarding no
X11Forwarding no
PrintMotd no
MaxStartups 100
Subsystem sftp $SUBSYSTEM
CONF
  "$(command -v sshd)" -f "$DIR/sshd_config" -E "$DIR/sshd.log" || die 'sshd did not start' "$DIR/sshd.log"
fi

end=$((SECONDS + 60))
until [ -e "$DIR/sshd.pid" ] && answers "$(cat "$DIR/port")"; do
  ((SECONDS < end)) || die 'sshd does not answer' "$DIR/sshd.log"
  sleep 0.05
done
cat <<EXPORTS
export WL_SFTP_PORT=$(cat "$DIR/port")
export WL_SFTP_LOGIN=$(id -un)
export WL_SFTP_IDENTITY=$DIR/client_key
export WL_SFTP_HOST_KEY=$(ssh-keygen -l -f "$DIR/host_key.pub" | cut -d' ' -f2)
export WL_SFTP_FILES=$DIR/files
EXPORTS
