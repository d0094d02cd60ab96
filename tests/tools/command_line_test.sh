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
expect 1 '' '`frobnicate`' frobnicate
for kind in tls-auth tls-crypt secret tls-crypt-v2-server auth-token; do
  expect 0 '' '' genkey "$kind" "$work/$kind.new"
  [ "$(stat -c %a "$work/$kind.new")" = 600 ] || fail "genkey $kind: others can read the key"
  expect 1 '' 'exists, and may be in use' genkey "$kind" "$work/$kind.new"
done
expect 0 '^-----END OpenVPN Static key V1-----$' '' genkey tls-crypt
expect 0 '^-----BEGIN OpenVPN tls-crypt-v2 client key-----$' '' genkey tls-crypt-v2-client \
  --server-key "$work/tls-crypt-v2-server.new"
expect 1 '' 'no base64' genkey tls-crypt-v2-client --server-key "$work/tls-crypt-v2-server.new" \
  --metadata '?' "$work/client.new"
expect 1 '' 'tls-crypt-v2 server key' genkey tls-crypt-v2-client --server-key "$work/tls-auth.new"
[ ! -e "$work/client.new" ] || fail 'genkey: left a file behind'
# An authority, from its beginning to its list.
expect 0 "^cert $work/pki/issued/vpn.example.com.crt$" '' pki init --dir "$work/pki" \
  --server vpn.example.com
[ "$(stat -c %a "$work/pki/private/ca.key")" = 600 ] || fail 'pki: others can read the key'
expect 1 '' 'is not empty' pki init --dir "$work/pki"
expect 1 '' 'cannot be the name of a certificate' pki client ../alice --dir "$work/pki"
expect 0 'issued/alice.crt$' '' pki client alice --dir "$work/pki" --days 20
expect 1 '' '`ringway pki renew alice` prolongs it' pki client alice --dir "$work/pki"
expect 2 '^expires soon  *client .* alice$' '' pki report --dir "$work/pki"
expect 0 '^valid .* client .* alice$' '' pki report --dir "$work/pki" --within 10
expect 0 '"name": "alice"' '' pki report --dir "$work/pki" --within 10 --json
expect 0 'good for 825 days' '' pki renew alice --dir "$work/pki"
expect 0 '^2 certificates of alice are revoked' '' pki revoke alice --dir "$work/pki"
expect 1 '' 'no certificate in force' pki revoke bob --dir "$work/pki"
expect 0 'good for 90 days' '' pki crl --dir "$work/pki" --crl-days 90
expect 1 '' 'ringway pki init' pki report --dir "$work/no-pki"
echo 'open sesame' >"$work/words"
echo 'sesame' >"$work/wrong"
expect 0 '' '' pki init --dir "$work/locked" --passphrase-file "$work/words"
grep -q 'BEGIN ENCRYPTED PRIVATE KEY' "$work/locked/private/ca.key" || fail 'pki: the key is bare'
expect 0 '' '' pki client alice --dir "$work/locked" --passphrase-file "$work/words"
expect 1 '' 'does not open with this passphrase' pki client bob --dir "$work/locked" \
  --passphrase-file "$work/wrong"
: >"$work/empty"
expect 1 '' "first line is empty" pki client bob --dir "$work/locked" \
  --passphrase-file "$work/empty"

sed -i "s|^ca .*|ca $work/pki/ca.crt|; s|^cert .*|cert $work/pki/issued/vpn.example.com.crt|
  s|^key .*|key $work/pki/private/vpn.example.com.key|" "$work/server.conf"
expect 0 '^remote vpn.example.com 1194 udp6$' '' profile "$work/server.conf" carol
expect 0 '^remote 192.0.2.1 1194 udp4$' '' profile "$work/server.conf" carol --remote 192.0.2.1
expect 0 '' '' profile "$work/server.conf" carol --output "$work/carol.ovpn"
[ "$(stat -c %a "$work/carol.ovpn")" = 600 ] || fail 'profile: others can read it'
expect 1 '' 'exists, and may be in use' profile "$work/server.conf" carol \
  --output "$work/carol.ovpn"
expect 1 '' 'cannot open .*missing.conf' profile "$work/missing.conf" carol
sed -i 's|^ca .*|ca ca|; s|^cert .*|cert cert|; s|^key .*|key key|' "$work/server.conf"
expect 1 '' 'write `--remote vpn.example.com`' profile "$work/server.conf" carol

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

expect 0 'Exit status: 0 nothing worse' '' check --help
expect 3 '' 'no configuration is named' check
expect 3 '' 'cannot open .*missing.conf' check "$work/missing.conf"
expect 2 ' \[no-tls-wrap\] ' '' check "$work/server.conf" --no-host
expect 1 ' \[key-mismatch\] ' '' check "$work/server.conf" --no-host --key other-key
expect 1 '"id": "refused-option"' '' check "$work/server.conf" --json --no-host --fragment 1300
expect 1 "a client's configuration" '' check "$work/server.conf" --no-host --client

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
