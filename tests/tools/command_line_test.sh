#!/bin/sh
# The command line of the finished program: exit status 0 or 1, one message on standard error, and
# mimalloc as the allocator unless a sanitizer is built in. $1 is the program.
set -u
ringway=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# expect STATUS OUTPUT_PATTERN ERROR_PATTERN ARGUMENT...: patterns are those of grep.
expect() {
  expected=$1 output=$2 errors=$3
  shift 3
  "$ringway" "$@" >"$work/out" 2>"$work/err"
  status=$?
  [ "$status" -eq "$expected" ] || fail "ringway $*: exit status $status, not $expected"
  [ -z "$output" ] || grep -q -e "$output" "$work/out" || fail "ringway $*: no '$output' on stdout"
  if [ -n "$errors" ]; then
    grep -q -e "$errors" "$work/err" ||
      fail "ringway $*: no '$errors' on stderr: $(cat "$work/err")"
    [ "$(wc -l <"$work/err")" -eq 1 ] || fail "ringway $*: more than one line on stderr"
  else
    [ ! -s "$work/err" ] || fail "ringway $*: says $(cat "$work/err")"
  fi
}

for name in '' other-; do
  (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=server -keyout "$work/${name}key" -out "$work/${name}cert" 2>"$work/err") ||
    fail "openssl: $(cat "$work/err")"
done
cp "$work/cert" "$work/ca"
cat >"$work/server.conf" <<EOF
cd $work
dev tun
ca ca
cert cert
key key
server 10.8.0.0 255.255.255.0
EOF

expect 0 '^ringway [0-9]' '' --version
expect 0 'AEADs by .*openssl, libsodium' '' --version
expect 0 'server' '' --help
expect 0 '^  --server-ipv6 NETWORK/BITS' '' server --help
expect 0 '^  --remote HOST ' '' client --help
expect 1 '' 'write `ringway client PROFILE.ovpn' client
expect 1 '' 'no-such.ovpn' client "$work/no-such.ovpn"
echo 'remote 192.0.2.1' >"$work/client.ovpn"
expect 1 '' '`dev` is missing' client "$work/client.ovpn"
expect 1 '' 'unknown option `frob`' client "$work/client.ovpn" --frob 1
expect 0 '^local \* 1194 udp$' '' server "$work/server.conf" --print-config
expect 0 '^local \* 1195 udp4$' '' server --config "$work/server.conf" --proto udp4 \
  --print-config --port 1195
expect 0 '^push "route 10.1.0.0 255.255.0.0"$' '' server "$work/server.conf" \
  --push 'route 10.1.0.0 255.255.0.0' --print-config
# The name of a command may be a parameter.
expect 0 '^dev tun' '' server "$work/server.conf" --print-config --mode server
expect 1 '' 'no configuration is named' server
expect 1 '' 'cannot open .*missing.conf: No such file' server "$work/missing.conf"
expect 1 '' '^ringway: --port: `port` cannot be `0`' server "$work/server.conf" --port 0
expect 1 '' '^ringway: .*--ca: `ca`: cannot open missing' server "$work/server.conf" \
  --print-config --ca missing --cd / --ignore-unknown-option x
# It is a test of the files, too.
expect 1 '' '^ringway: .*other-key' server "$work/server.conf" --print-config --key other-key
expect 1 '' 'cannot enter the directory' server "$work/server.conf" --cd "$work/missing"

expect 1 '' '^ringway: .*no command is given — write `ringway server CONFIG`'
expect 1 '' '`frobnicate` is no command — .*`ringway client PROFILE.ovpn`' frobnicate
expect 1 '' '`--frob` is no command' --frob server

# A disk that is full, or a reader that is gone, is no reason to crash.
"$ringway" client "$work/no-such.ovpn" 2>/dev/full
[ $? -eq 1 ] || fail 'standard error is full: exit status is not 1'
"$ringway" server "$work/server.conf" --print-config >/dev/full 2>"$work/err"
[ $? -eq 1 ] || fail 'standard output is full: exit status is not 1'
grep -q 'standard output: cannot write' "$work/err" || fail 'standard output is full: unsaid'

# mimalloc is the allocator only if its library comes before the C library's.
if "$ringway" --version | grep -q mimalloc; then
  MIMALLOC_SHOW_STATS=1 "$ringway" --version 2>&1 | grep -q '^ *heap stats' ||
    fail 'mimalloc is linked and does not serve malloc'
fi

[ "$failures" -eq 0 ] && echo 'all as expected'
exit "$failures"
