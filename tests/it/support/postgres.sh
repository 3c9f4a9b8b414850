# A PostgreSQL cluster in a folder of its own, for the tests: sh -c SCRIPT sh BIN SCRIPT
#
# Says where the folder is once it is made. Then it obeys "start PORT", "stop" and "create NAME", one a line,
# and answers each with an empty line or with what went wrong. When its input closes it takes all down.

bin=$1
# PostgreSQL refuses to run as root.
if [ "$(id -u)" = 0 ]; then
  exec setpriv --reuid=65534 --regid=65534 --clear-groups sh -c "$2" "$0" "$@"
fi

folder=$(mktemp -d) && cd "$folder" || exit 1
# Nobody but the tests reads it, and a power cut may take it.
"$bin/initdb" -D data -U portal -A trust -E UTF8 --locale=C --no-sync >initdb.log 2>&1 </dev/null || {
  cat initdb.log >&2
  exit 1
}
echo "$folder"

# quietly COMMAND...: answers with what it said, on one line, if it fails
quietly() {
  if "$@" >order.log 2>&1 </dev/null; then echo; else
    { echo "$1 failed:"; cat order.log; } | tr '\n' ' '
    echo
  fi
}
control() { "$bin/pg_ctl" -D data -s -w "$@"; }
start() {
  port=$1
  : >server.log
  control -l server.log -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c fsync=off -c max_connections=300 -c track_commit_timestamp=on" start || { cat server.log; return 1; }
}

while read -r order argument; do
  case $order in
    start) quietly start "$argument" ;;
    stop) quietly control -m immediate stop ;;
    create) quietly "$bin/createdb" -h 127.0.0.1 -p "$port" -U portal "$argument" ;;
  esac
done
control -m immediate stop >/dev/null 2>&1 </dev/null
cd / && rm -rf "$folder"
