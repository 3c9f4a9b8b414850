# nginx for the tests, with what lies in FOLDER: sh -c SCRIPT sh FOLDER
#
# Says an empty line once it listens, or what went wrong. When its input closes it takes nginx down.

PATH="$PATH:/usr/sbin"
cd "$1" || exit 1
nginx -p . -c nginx.conf -e error.log </dev/null >output.log 2>&1 &
nginx=$!
# The file comes after the listening.
until [ -s nginx.pid ]; do
  kill -0 "$nginx" 2>/dev/null && sleep 0.02 || {
    cat output.log error.log | tr '\n' ' '
    echo
    exit 1
  }
done
echo
read -r _
kill "$nginx"
wait "$nginx"
