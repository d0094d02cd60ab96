#!/bin/bash
# R24: what an operator can get wrong. Each mistake is refused within two seconds, with exit status
# 1 and one message that names what is wrong, and nothing is left behind: neither a TUN device nor a
# pid file. D08: so is a limit of the process that is too low.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

topology_up 1

# server_refuses NAME PATTERN CONFIG [RUNNER...]: the runner is what the server is started through.
server_refuses() {
  local name=$1 pattern=$2 config=$3 status=0 begun=${EPOCHREALTIME/./} errors
  shift 3
  rm -f server.pid
  in_server timeout 10 "$@" "${server_command[@]}" \
    --config "$config" --writepid "$work/server.pid" >server.log 2>&1 </dev/null || status=$?
  local milliseconds=$(((${EPOCHREALTIME/./} - begun) / 1000))
  check "$name: exit status 1" shows server.log test "$status" = 1
  check "$name: at once" test "$milliseconds" -lt $((2000 * ${RINGWAY_SLOWNESS:-1}))
  check "$name: no TUN device is left" no_tun_device
  if is_stock_server; then return; fi
  check "$name: no pid file is left" test ! -e server.pid
  check "$name: the message says what is wrong" shows server.log grep -Eqi -e "$pattern" server.log
  errors=$(grep -Eci '\berror\b|\[error\]' server.log || true)
  check "$name: one message, not several" shows server.log test "$errors" -le 1
  check "$name: no sanitizer or assertion spoke up" server_log_is_clean
}

# shows FILE COMMAND...: the file is part of the output, for the failure.
shows() {
  local file=$1
  shift
  cat "$file"
  "$@"
}

no_tun_device() { [[ $(ip -n "$server_ns" -o link show) != *": tun"* ]]; }

# config_with NAME SED_EXPRESSION [LINE...]: a good configuration, with one thing spoilt.
config_with() {
  local name=$1 expression=$2
  shift 2
  server_config "$@" | sed -e "$expression" >"$name.conf"
  echo "$name.conf"
}

server_refuses 'missing configuration' 'nowhere\.conf' nowhere.conf
server_refuses 'missing certificate' 'nowhere\.crt' \
  "$(config_with no-cert 's|^cert .*|cert /nowhere.crt|')"
server_refuses 'missing key' 'nowhere\.key' "$(config_with no-key 's|^key .*|key /nowhere.key|')"
server_refuses 'missing CA' 'nowhere\.ca' "$(config_with no-ca 's|^ca .*|ca /nowhere.ca|')"
echo 'this is no certificate' >garbage.pem
server_refuses 'a file that is no certificate' 'garbage\.pem' \
  "$(config_with garbage-cert "s|^cert .*|cert $work/garbage.pem|")"
server_refuses 'a file that is no key' 'garbage\.pem' \
  "$(config_with garbage-key "s|^key .*|key $work/garbage.pem|")"
server_refuses 'a certificate and the key of another' 'server\.crt|client1\.key|match' \
  "$(config_with mismatch "s|^key .*|key $work/client1.key|")"
server_refuses 'a tls-crypt key that is none' 'garbage\.pem' \
  "$(config_with bad-wrap '' "tls-crypt $work/garbage.pem")"
server_refuses 'an unknown option' 'no-such-option' "$(config_with unknown '' 'no-such-option 1')"
server_refuses 'a local address that is not this host'"'"'s' '203\.0\.113\.9' \
  "$(config_with bad-local 's|^multihome||' 'local 203.0.113.9')"
if ! is_stock_server; then
  server_refuses 'a port that is none' '99999' "$(config_with bad-port 's|^port .*|port 99999|')"
  server_refuses 'the outer address within the inner network' '192\.0\.2' \
    "$(config_with overlap 's|^server .*|server 192.0.2.0 255.255.255.0|' "local $server_v4")"
  server_refuses 'a route that the host has already' 'route 192\.0\.2\.11/32: the host has one' \
    "$(config_with taken-route '' "route $(outer_v4 1) 255.255.255.255")"
  server_refuses 'an AEAD engine that is none' 'aead-engine.*frob.*openssl|frob.*aead-engine' \
    "$(config_with bad-engine '' 'aead-engine frob')"
  server_refuses 'an AEAD engine that cannot serve a cipher' \
    'aead-engine libsodium.*AES-256-GCM.*aead-engine auto' \
    "$(config_with weak-engine '' 'aead-engine libsodium')"
fi

# A revocation list past its date: who is revoked is not known, so nobody is let in. Whether the
# server starts is its choice; a client of it is not served.
server_config "crl-verify $work/crl-expired.pem" >crl-expired.conf
if ! is_stock_server; then
  server_refuses 'an expired CRL' 'crl-expired\.pem.*expired|expired.*crl-expired\.pem' \
    crl-expired.conf
fi

# What the machine lacks.
port_is_taken() { [[ -n $(in_server ss -Huln "sport = :$server_port") ]]; }
config=$(config_with good '')
start_helper "$server_ns" python3 -c "
import socket, time
taken = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
taken.bind(('::', $server_port))
time.sleep(600)"
wait_for 10 port_is_taken
server_refuses 'a port that is taken' "$server_port" "$config"
stop_helper "$helper_pid"
wait_for 10 refuse port_is_taken

# An empty directory over /dev/net, in a mount namespace of its own.
mkdir -p empty
server_refuses 'no /dev/net/tun' '/dev/net/tun' "$config" \
  unshare --mount sh -c "mount --bind $work/empty /dev/net && exec \"\$@\"" sh
if is_stock_server; then
  skip 'io_uring forbidden' 'stock does not use it'
else
  server_refuses 'io_uring forbidden' 'io_uring' "$config" "$interop_dir/without_io_uring.py"
fi
# D08: limits of the process.
if is_stock_server; then
  skip 'too few files' 'stock does not say what it needs'
else
  server_refuses 'too few files' 'at most 64 files may be open.*LimitNOFILE=' "$config" \
    prlimit --nofile=64:64
  # No set-up of a worker is reached with a limit that is far too low; there is a message still.
  server_refuses 'far too few files' 'files may be open|open files|file descriptor' "$config" \
    prlimit --nofile=12:12
  if [[ -n ${RINGWAY_SANITIZED:-} ]]; then
    skip 'too little memory' 'a sanitizer needs terabytes of addresses'
  else
    server_refuses 'too little memory' 'at most 48 MiB of memory.*LimitDATA=' "$config" \
      prlimit --data=50331648:50331648
  fi
fi
# Everything is readable to nobody here, so that the missing privilege is what it meets first.
mkdir -p readable
cp server.crt server.key ca.crt readable/
chmod 755 readable
chmod 644 readable/*
server_config | sed "s|$work/\(ca\|server\)\.|$work/readable/\1.|" >not-root.conf
server_refuses 'not root' 'root|privilege|CAP_NET_ADMIN' not-root.conf \
  setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all

# A key that everybody can read is a warning: it worked for years, and it is wrong.
cp server.key world.key
chmod 644 world.key
require 'a key that everybody can read does not stop the server' \
  start_server "$(config_with world "s|^key .*|key $work/world.key|")"
check 'but is warned about, by name' server_log_has 'world\.key'
check 'SIGTERM ends the server' stop_server
check 'with exit status 0' test "$server_status" = 0
done_testing
