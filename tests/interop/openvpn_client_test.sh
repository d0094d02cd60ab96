#!/bin/bash
# Stock OpenVPN 2.6 clients that transfer while either side renegotiates: over both outer families,
# under both static wrappings of the control channel, with two ciphers in turn. All cases run at
# once. (Every combination of what a client can be is in client_matrix_test.sh.)

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"
# shellcheck source=tests/interop/traffic.sh
. "$(dirname "$0")/traffic.sh"

# client_case v4|v6 tls-auth|tls-crypt CIPHER server|client
client_case() {
  local family=$1 wrap=$2 cipher=$3 renegotiator=$4
  label="$family, $wrap, $cipher, $renegotiator renegotiates"
  topology_up 1
  local server_wrap="$wrap $work/ta.key" client_wrap="$wrap $work/ta.key"
  if [[ $wrap == tls-auth ]]; then
    server_wrap+=' 0'
    client_wrap+=' 1'
  fi
  local server_seconds=0 client_seconds=0
  [[ $renegotiator == server ]] && server_seconds=5 || client_seconds=5
  server_config "$server_wrap" "reneg-sec $server_seconds" "writepid $work/server.pid" >server.conf
  client_config 1 "$family" "$client_wrap" "data-ciphers $cipher" "reneg-sec $client_seconds" \
    >client.conf

  start_helper "$(client_ns 1)" "$interop_dir/wire.py" outside "$server_port" >wire.log
  wait_for 10 grep -q watching wire.log
  require "server starts ($label)" start_server server.conf
  start_client 1 client.conf
  require "client connects ($label)" client_connects 1
  check "the cipher is the one asked for ($label)" \
    client_log_has 1 "Data Channel: cipher '$cipher'"
  pings
  transfers_across_renegotiations
  leaves_cleanly
}

# Traffic flows until three renegotiations have been seen on the wire and data has moved to each of
# the new keys.
transfers_across_renegotiations() {
  transfers_during $((4 << 20)) $((256 << 10)) \
    "three renegotiations on the wire, data follows in both directions ($label)" \
    watch_for_three_renegotiations
  check "the client logged in once ($label)" test "$(connection_count 1)" = 1
}

watch_for_three_renegotiations() {
  wait_for 60 three_renegotiations_seen || {
    cat wire.log
    return 1
  }
}

three_renegotiations_seen() {
  local direction
  for direction in 'client>server' 'server>client'; do
    (($(grep -c "^$direction SOFT_RESET" wire.log) >= 3)) || return 1
    # Four keys: the first one and those of three renegotiations.
    (($(grep -c "^$direction DATA" wire.log) >= 4)) || return 1
  done
}

leaves_cleanly() {
  check "SIGTERM ends the server ($label)" stop_server
  check "with exit status 0 ($label)" test "$server_status" = 0
  check "its TUN device is gone ($label)" no_tun_device
  check "its sockets are gone ($label)" test -z "$(in_server ss -Hulnp)"
  check "no sanitizer or assertion spoke up ($label)" server_log_is_clean
  is_stock_server || check "its pid file is gone ($label)" test ! -e server.pid
  stop_client 1
}

no_tun_device() { [[ $(ip -n "$server_ns" -o link show) != *": tun"* ]]; }

ciphers=(AES-256-GCM CHACHA20-POLY1305)
cases=()
for family in v4 v6; do
  for wrap in tls-auth tls-crypt; do
    for renegotiator in server client; do
      number=${#cases[@]}
      cipher=${ciphers[(number ^ number / 2 ^ number / 4) & 1]}
      cases+=("$family $wrap $cipher $renegotiator")
    done
  done
done
if [[ -n ${RINGWAY_CASE:-} ]]; then cases=("$RINGWAY_CASE"); fi
in_parallel 8 client_case "${cases[@]}"
done_testing
