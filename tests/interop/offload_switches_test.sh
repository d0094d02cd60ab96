#!/bin/bash
# Every kernel feature that Ringway uses can be switched off, and all that Linux 6.1 lacks at once:
# a stock client gets the same service each time. All cases run at once.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

# switch_case v4|v6 LOGGED OPTION [PARAMETER]: LOGGED is what the server must say at its start.
switch_case() {
  local family=$1 logged=${2//_/ }
  shift 2
  local option="--$*" bytes=$((8 << 20))
  label="$family, $option"
  topology_up 1
  server_config "tls-crypt $work/ta.key" >server.conf
  client_config 1 "$family" "tls-crypt $work/ta.key" 'data-ciphers AES-256-GCM' >client.conf

  require "server starts ($label)" start_server server.conf "--$1" "${@:2}"
  check "the start says what is used ($label)" server_log_has "$logged"
  start_client 1 client.conf
  require "client connects ($label)" client_connects 1
  local client_v4 client_v6
  client_v4=$(inner_address 1 4)
  client_v6=$(inner_address 1 6)
  check "inner IPv4, client to server ($label)" in_client 1 ping -c 3 -i 0.1 -W 2 "$inner_v4"
  check "inner IPv6, server to client ($label)" in_server ping -c 3 -i 0.1 -W 2 "$client_v6"
  transfer 'IPv4 up' "$server_ns" "$(client_ns 1)" "$inner_v4" 5001
  transfer 'IPv4 down' "$(client_ns 1)" "$server_ns" "$client_v4" 5002
  transfer 'IPv6 up' "$server_ns" "$(client_ns 1)" "$inner_v6" 5003
  transfer 'IPv6 down' "$(client_ns 1)" "$server_ns" "$client_v6" 5004

  check "SIGTERM ends the server ($label)" stop_server
  check "no sanitizer or assertion spoke up ($label)" server_log_is_clean
  stop_client 1
}

# transfer NAME TO_NAMESPACE FROM_NAMESPACE ADDRESS PORT
transfer() {
  local name=$1 to=$2 from=$3 address=$4 port=$5
  start_helper "$to" "$interop_dir/transfer.py" receive "$address" "$port" >"receive-$port.log" 2>&1
  wait_for 10 grep -q listening "receive-$port.log"
  check "TCP over inner $name, hashes agree ($label)" \
    ip netns exec "$from" "$interop_dir/transfer.py" send "$address" "$port" "$bytes"
}

if is_stock_server; then
  skip 'offload switches' 'stock OpenVPN has none'
  done_testing
  exit
fi

cases=(
  'v4 USO_off_\(kernel-profile_6\.1\) kernel-profile 6.1'
  'v6 USO_off_\(kernel-profile_6\.1\) kernel-profile 6.1'
  'v4 UDP_GSO_off_\(no-gso\) no-gso'
  'v6 GRO_off_\(no-gro\) no-gro'
  'v4 TSO_off_\(no-tso\) no-tso'
  'v6 USO_off_\(no-uso\) no-uso'
)
if [[ -n ${RINGWAY_CASE:-} ]]; then cases=("$RINGWAY_CASE"); fi
in_parallel 6 switch_case "${cases[@]}"
done_testing
