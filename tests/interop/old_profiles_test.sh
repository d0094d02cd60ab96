#!/bin/bash
# Profiles as they lie about: without control-channel protection, with TLS 1.2 only, with comp-lzo
# in them (ended by a pushed stub-v2), over either family; and a directory of revoked serials that
# the server, by then nobody, may no longer enter.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

topology_up 2
mkdir -m 700 revoked
server_config "crl-verify $work/revoked dir" 'user nobody' 'group nogroup' \
  'data-ciphers AES-128-GCM:AES-256-GCM' 'compress migrate' >server.conf
# One worker is a server, too.
one_worker=(--workers 1)
! is_stock_server || one_worker=()
require 'server starts' start_server server.conf "${one_worker[@]}"

threads_gain_no_privileges() {
  local flags
  flags=$(awk '/^NoNewPrivs:/ { print $2 }' "/proc/$server_pid/task"/*/status | sort -u)
  echo "$flags"
  [[ $flags == 1 ]]
}
is_stock_server || check 'no thread can gain privileges' threads_gain_no_privileges

client_config 1 v4 'tls-version-max 1.2' 'comp-lzo no' >client1.conf
client_config 2 v6 'data-ciphers AES-128-GCM' >client2.conf
start_client 1 client1.conf
start_client 2 client2.conf
require 'TLS 1.2 without wrapping over v4' client_connects 1
require 'AES-128-GCM without wrapping over v6' client_connects 2
for number in 1 2; do
  for address in "$inner_v4" "$inner_v6"; do
    check "client $number reaches $address" in_client "$number" ping -q -c 3 -i 0.1 -W 2 "$address"
  done
  check "1,400 bytes with DF from client $number" \
    in_client "$number" ping -q -c 3 -i 0.1 -W 2 -M 'do' -s 1372 "$inner_v4"
done
check 'it was TLS 1.2' client_log_has 1 'Control Channel: TLSv1\.2'
check 'and TLS 1.3' client_log_has 2 'Control Channel: TLSv1\.3'
check 'and AES-128-GCM' client_log_has 2 "Data Channel: cipher 'AES-128-GCM'"

# The name of the file is the serial number in decimal.
serial=$(openssl x509 -in client2.crt -noout -serial | cut -d= -f2)
touch "revoked/$(python3 -c "print(int('$serial', 16))")"
if is_stock_server; then
  skip 'a serial in the directory keeps its client out' 'stock may not read the directory as nobody'
else
  check 'a serial in the directory throws its client out' \
    wait_for 15 server_log_has 'client2/.*the certificate is revoked'
  stop_client 2
  start_client 2 client2.conf
  refused_twice() { (($(grep -c 'client2/.*the certificate is revoked' "$work/server.log") >= 2)); }
  check 'and keeps it out' wait_for 15 refused_twice
  check 'so that it never gets in' test "$(connection_count 2)" = 0
fi
check 'the other one stays' in_client 1 ping -q -c 2 -i 0.1 -W 2 "$inner_v6"
check 'SIGTERM ends it' stop_server
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
