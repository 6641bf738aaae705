#!/usr/bin/env bash
# tools/webdav-server/start.sh DIR   (npm run --silent webdav:start -- DIR)
#
# Starts two real WebDAV servers for tests and development, on free ports of 127.0.0.1, with all
# they keep in DIR: Debian's Apache with mod_dav (Basic and Digest), and nginx with its own DAV
# module and nginx-dav-ext, because their ETags, preconditions and properties differ. Prints what
# the tests need as `export NAME=value` lines, everything else to stderr:
#
#     eval "$(tools/webdav-server/start.sh /tmp/dav)"
#     npm run test:webdav
#     tools/webdav-server/stop.sh /tmp/dav --wipe
#
# Where they run already the same lines are printed. Started by root they run as www-data.
# Environment: WEBDAV_LOGIN, WEBDAV_PASSWORD   default tester, testsecret
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

DIR=${1:?usage: start.sh DIR}
LOGIN=${WEBDAV_LOGIN:-tester}
PASSWORD=${WEBDAV_PASSWORD:-testsecret}
MODULES=/usr/lib/apache2/modules
EXT=/usr/lib/nginx/modules/ngx_http_dav_ext_module.so

mkdir -p "$DIR"
DIR=$(cd "$DIR" && pwd)
say() { printf '[webdav-server] %s\n' "$*" >&2; }
# die MESSAGE [LOG]
die() {
  [ -z "${2:-}" ] || tail -n 20 "$2" >&2 || true
  say "FAILED: $1"
  exit 1
}

# ---- packages: installed where that is possible, else named ------------------------------------
missing=()
command -v apache2 >/dev/null || missing+=(apache2)
command -v nginx >/dev/null || missing+=(nginx)
[ -e "$EXT" ] || missing+=(libnginx-mod-http-dav-ext)
if ((${#missing[@]})); then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "missing packages; install them and run this again: apt-get install --no-install-recommends ${missing[*]}"
    exit 2
  fi
  say "installing ${missing[*]}"
  # The packages must start no services of their own.
  policy=/usr/sbin/policy-rc.d
  made=''
  [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=$policy; }
  apt=(apt-get -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  export DEBIAN_FRONTEND=noninteractive
  "${apt[@]}" install --no-install-recommends "${missing[@]}" >"$DIR/apt.log" 2>&1 ||
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"; } >>"$DIR/apt.log" 2>&1 ||
    { rm -f "$made"; die "apt-get could not install ${missing[*]}" "$DIR/apt.log"; }
  [ -z "$made" ] || rm -f "$made"
fi

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
# free_port FROM: the first port from FROM on that nobody listens on. From 32768 on the system gives
# ports to connections, where one may be taken although nobody listens.
free_port() {
  local port=$1
  while answers "$port"; do port=$((port + 1)); done
  echo "$port"
}
# alive NAME: does the server noted as NAME run, and is it one of this DIR?
alive() {
  local pid
  pid=$(cat "$DIR/$1.pid" 2>/dev/null) && [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$DIR"
}

say_exports() {
  cat <<EXPORTS
export WL_DAV_APACHE=http://127.0.0.1:$(cat "$DIR/apache.port")/basic/
export WL_DAV_APACHE_DIGEST=http://127.0.0.1:$(cat "$DIR/apache.port")/digest/
export WL_DAV_NGINX=http://127.0.0.1:$(cat "$DIR/nginx.port")/
export WL_DAV_LOGIN=$LOGIN
export WL_DAV_PASSWORD=$PASSWORD
EXPORTS
}

mkdir -p "$DIR/apache/basic" "$DIR/apache/digest" "$DIR/nginx" "$DIR/nginx-temp" "$DIR/locks"
AS='' NGINX_USER=''
if [ "$(id -u)" = 0 ]; then
  AS=$'User www-data\nGroup www-data'
  NGINX_USER='user www-data;'
  chown -R www-data: "$DIR/apache" "$DIR/nginx" "$DIR/nginx-temp" "$DIR/locks"
  chmod 755 "$DIR"
  runuser -u www-data -- test -x "$DIR" || die "www-data may not enter $DIR: name a place whose parents all may be entered"
fi
printf '%s:%s\n' "$LOGIN" "$(openssl passwd -apr1 "$PASSWORD")" >"$DIR/basic.users"
printf '%s:wl:%s\n' "$LOGIN" "$(printf '%s:wl:%s' "$LOGIN" "$PASSWORD" | md5sum | cut -d' ' -f1)" >"$DIR/digest.users"
chmod 644 "$DIR/basic.users" "$DIR/digest.users"

if ! alive apache; then
  free_port $((20000 + RANDOM % 9000)) >"$DIR/apache.port"
  cat >"$DIR/apache.conf" <<CONF
ServerRoot $DIR
ServerName 127.0.0.1
Listen 127.0.0.1:$(cat "$DIR/apache.port")
PidFile $DIR/apache.pid
ErrorLog $DIR/apache.log
LogLevel warn
Mutex file:$DIR/locks
DefaultRuntimeDir $DIR/locks
$AS
$(for name in mpm_event authn_core authz_core authz_user authn_file auth_basic auth_digest dav dav_fs deflate filter; do
    echo "LoadModule ${name}_module $MODULES/mod_$name.so"
  done)
KeepAlive On
MaxKeepAliveRequests 0
DocumentRoot $DIR/apache
DavLockDB $DIR/locks/dav
# As many sites have it: answers to GET are packed, and their ETags end in -gzip then.
SetOutputFilter DEFLATE
<Location /basic>
  Dav On
  AuthType Basic
  AuthName wl
  AuthUserFile $DIR/basic.users
  Require valid-user
</Location>
<Location /digest>
  Dav On
  AuthType Digest
  AuthName wl
  AuthDigestProvider file
  AuthUserFile $DIR/digest.users
  Require valid-user
</Location>
CONF
  apache2 -f "$DIR/apache.conf" -k start 2>"$DIR/apache.out" || die 'Apache did not start' "$DIR/apache.out"
fi

if ! alive nginx; then
  free_port $((29000 + RANDOM % 3000)) >"$DIR/nginx.port"
  cat >"$DIR/nginx.conf" <<CONF
load_module $EXT;
$NGINX_USER
worker_processes 2;
pid $DIR/nginx.pid;
error_log $DIR/nginx.log warn;
events { worker_connections 512; }
http {
  access_log off;
  client_max_body_size 0;
  client_body_temp_path $DIR/nginx-temp/body;
  proxy_temp_path $DIR/nginx-temp/proxy;
  fastcgi_temp_path $DIR/nginx-temp/fastcgi;
  uwsgi_temp_path $DIR/nginx-temp/uwsgi;
  scgi_temp_path $DIR/nginx-temp/scgi;
  server {
    listen 127.0.0.1:$(cat "$DIR/nginx.port");
    root $DIR/nginx;
    auth_basic wl;
    auth_basic_user_file $DIR/basic.users;
    location / {
      dav_methods PUT DELETE MKCOL COPY MOVE;
      dav_ext_methods PROPFIND OPTIONS;
      dav_access user:rw group:rw;
    }
  }
}
CONF
  nginx -p "$DIR" -c "$DIR/nginx.conf" 2>"$DIR/nginx.out" || die 'nginx did not start' "$DIR/nginx.out"
fi

for name in apache nginx; do
  end=$((SECONDS + 60))
  until answers "$(cat "$DIR/$name.port")"; do
    ((SECONDS < end)) || die "$name does not answer" "$DIR/$name.log"
    sleep 0.05
  done
done
say_exports
