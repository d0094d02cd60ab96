#!/bin/bash
# Traffic through the tunnel of client 1, all four directions. Sourced by tests of clients, behind
# topology.sh. Both functions name their checks by the test's $label.

pings() {
  local client_v4 client_v6
  client_v4=$(inner_address 1 4)
  client_v6=$(inner_address 1 6)
  check "inner IPv4, client to server ($label)" in_client 1 ping -c 3 -i 0.1 -W 2 "$inner_v4"
  check "inner IPv6, client to server ($label)" in_client 1 ping -c 3 -i 0.1 -W 2 "$inner_v6"
  check "inner IPv4, server to client ($label)" in_server ping -c 3 -i 0.1 -W 2 "$client_v4"
  check "inner IPv6, server to client ($label)" in_server ping -c 3 -i 0.1 -W 2 "$client_v6"
  # 1400 bytes from the inner IP header on, not to be fragmented.
  check "1400-byte IPv4 packets with DF, both ways ($label)" \
    in_client 1 ping -c 3 -i 0.1 -W 2 -M 'do' -s $((1400 - 28)) "$inner_v4"
  check "1400-byte IPv6 packets, both ways ($label)" \
    in_client 1 ping -c 3 -i 0.1 -W 2 -M 'do' -s $((1400 - 48)) "$inner_v6"
}

# transfers_during AT_LEAST RATE NAME COMMAND...: two TCP connections, one up over inner IPv4 and
# one down over inner IPv6, of at least so many bytes and at most so many a second, which run until
# the check NAME, that is COMMAND, is done.
transfers_during() {
  local at_least=$1 rate=$2 client_v6 up_pid down_pid
  shift 2
  client_v6=$(inner_address 1 6)
  start_helper "$server_ns" "$interop_dir/transfer.py" receive "$inner_v4" 5001 \
    >up-receive.log 2>&1
  start_helper "$(client_ns 1)" "$interop_dir/transfer.py" receive "$client_v6" 5002 \
    >down-receive.log 2>&1
  wait_for 10 grep -q listening up-receive.log
  wait_for 10 grep -q listening down-receive.log
  start_helper "$(client_ns 1)" "$interop_dir/transfer.py" send "$inner_v4" 5001 "$at_least" \
    "$work/enough" "$rate" >up.log 2>&1
  up_pid=$helper_pid
  start_helper "$server_ns" "$interop_dir/transfer.py" send "$client_v6" 5002 "$at_least" \
    "$work/enough" "$rate" >down.log 2>&1
  down_pid=$helper_pid
  check "$@"
  touch enough
  check "TCP up, hashes agree ($label)" transfer_succeeds "$up_pid" up.log
  check "TCP down, hashes agree ($label)" transfer_succeeds "$down_pid" down.log
}

transfer_succeeds() {
  local status=0
  wait "$1" || status=$?
  cat "$2"
  return "$status"
}
