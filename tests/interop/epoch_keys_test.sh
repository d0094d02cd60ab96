#!/bin/bash
# The epoch format of OpenVPN 2.7: `ringway client`, and OpenVPN 2.7 where $RINGWAY_CLIENTS has one
# (a directory with 2.7.6/openvpn in it, and so on), each with the server beside a client of 2.6,
# which stays with the short format; across renegotiations, with every cipher and both families.
# OpenVPN 2.7 also serves `ringway client`. One that was built with a small limit for the use of a
# key ($RINGWAY_CLIENTS/limited/2.7.6/openvpn: 20,000 blocks in place of 2^36 or so) goes from epoch
# to epoch within seconds, and the server with it.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"
# shellcheck source=tests/interop/traffic.sh
. "$(dirname "$0")/traffic.sh"

if is_stock_server; then
  skip 'epochs' 'OpenVPN 2.6 has none'
  done_testing
  exit
fi
ringway_client=("${server_command[0]}" client)

# openvpn_27: the program, if there is one.
openvpn_27() { first_program "${RINGWAY_CLIENTS:-/nowhere}"/2.7*/openvpn; }
limited_openvpn() { first_program "${RINGWAY_CLIENTS:-/nowhere}"/limited/2.7*/openvpn; }
first_program() {
  local program
  for program in "$@"; do
    [[ -x $program ]] || continue
    echo "$program"
    return
  done
  return 1
}

# start_program NUMBER WORDS...: a client in the background.
start_program() {
  local number=$1
  shift
  : >"$work/client$number.log"
  ip netns exec "$(client_ns "$number")" "$@" >>"$work/client$number.log" 2>&1 </dev/null &
  client_pids[$number]=$!
}

watch_wire() { # NUMBER
  start_helper "$(client_ns "$1")" "$interop_dir/wire.py" outside "$server_port" epochs \
    >"wire$1.log"
  wait_for 10 grep -q watching "wire$1.log"
}

# epochs_seen NUMBER EPOCH: under the first key and one more, both ways, that and nothing else.
epochs_seen() {
  local direction
  for direction in 'client>server' 'server>client'; do
    grep -q "^$direction EPOCH 0 $2\$" "wire$1.log" || return 1
    grep -q "^$direction EPOCH 1 $2\$" "wire$1.log" || return 1
  done
  ! grep ' EPOCH ' "wire$1.log" | grep -qv " $2\$"
}

# is_up NUMBER: whichever client it is.
is_up() { client_log_has "$1" ' connected: |Initialization Sequence Completed'; }

# epoch_case ringway|2.7 v4|v6|tcp4 CIPHER
epoch_case() {
  local client=$1 family=$2 cipher=$3 server_words=()
  label="$client, $family, $cipher"
  topology_up 2
  [[ $family != tcp4 ]] || server_words=('proto tcp')
  # In seconds, so that the new key is used both ways soon: half of it is how long the old one is.
  server_config "tls-crypt $work/ta.key" 'reneg-sec 6 6' 'verb 4' "${server_words[@]}" \
    "data-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305" >server.conf
  client_config 1 "${family/tcp4/none}" "tls-crypt $work/ta.key" "data-ciphers $cipher" \
    'reneg-sec 0' >client1.conf
  [[ $family != tcp4 ]] || echo "remote $server_v4 $server_port tcp4-client" >>client1.conf
  [[ $family == tcp4 ]] || watch_wire 1
  require "server starts ($label)" start_server server.conf
  case $client in
    ringway) start_program 1 "${ringway_client[@]}" --config client1.conf ;;
    2.7) start_program 1 "$(openvpn_27)" --config client1.conf ;;
  esac
  require "client connects ($label)" wait_for 30 is_up 1
  check "the server says so ($label)" server_log_has "connected as peer .*$cipher in epochs"
  pings
  # 1448 or 1428 bytes in the short format; four fewer here, and one more does not fit.
  [[ $family != v4 ]] || check "outer packets of 1,500 bytes carry 1,444 ($label)" \
    wait_for 10 in_client 1 ping -c 1 -W 1 -M 'do' -s $((1444 - 28)) "$inner_v4"
  transfers_during $((2 << 20)) $((512 << 10)) "keys are replaced while data flows ($label)" \
    wait_for 40 grep -Eq 'renegotiated key 2' server.log
  [[ $family == tcp4 ]] || check "each key begins at epoch 1, both ways ($label)" \
    wait_for 20 epochs_seen 1 1
  [[ $client != ringway || $family != v4 ]] || stays_with_the_short_format
  check "SIGTERM ends the server ($label)" stop_server
  check "no sanitizer or assertion spoke up ($label)" server_log_is_clean
}

stays_with_the_short_format() {
  client_config 2 v6 "tls-crypt $work/ta.key" 'reneg-sec 0' >client2.conf
  watch_wire 2
  start_client 2 client2.conf
  check "OpenVPN 2.6 connects beside it ($label)" client_connects 2
  check "and is served ($label)" in_client 2 ping -c 3 -i 0.1 -W 2 "$inner_v4"
  check "in the short format ($label)" grep -q ' EPOCH 0 0$' wire2.log
}

# stock_server_case v4|v6: OpenVPN 2.7 serves Ringway's client.
stock_server_case() {
  local family=$1
  label="2.7 serves ringway client, $family"
  topology_up 1
  server_config "tls-crypt $work/ta.key" 'reneg-sec 6 6' | sed 's/^proto udp$/proto udp6/' \
    >server.conf
  echo multihome >>server.conf
  server_command=("$(openvpn_27)")
  client_config 1 "$family" "tls-crypt $work/ta.key" 'reneg-sec 0' >client1.conf
  watch_wire 1
  require "server starts ($label)" start_server server.conf
  start_program 1 "${ringway_client[@]}" --config client1.conf
  require "client connects ($label)" wait_for 30 is_up 1
  pings
  transfers_during $((2 << 20)) $((512 << 10)) "keys are replaced while data flows ($label)" \
    wait_for 40 client_log_has 1 'renegotiated: new keys, key id 2'
  check "each key begins at epoch 1, both ways ($label)" wait_for 20 epochs_seen 1 1
}

# limited_case v4|v6 CIPHER: no renegotiation gives other keys here.
limited_case() {
  local family=$1 cipher=$2
  label="2.7 with a small limit, $family, $cipher"
  topology_up 1
  server_config "tls-crypt $work/ta.key" 'reneg-sec 0' "data-ciphers $cipher" >server.conf
  client_config 1 "$family" "tls-crypt $work/ta.key" 'reneg-sec 0' >client1.conf
  watch_wire 1
  require "server starts ($label)" start_server server.conf
  start_program 1 "$(limited_openvpn)" --config client1.conf
  require "client connects ($label)" wait_for 30 is_up 1
  # An epoch a second, both ways: a server makes four to come, and not again within a second (A21).
  check "pings of 77 blocks, 250 a second, are all answered ($label)" \
    in_client 1 ping -q -i 0.004 -s 1200 -c 2500 -w 30 "$inner_v4"
  check "epochs have changed meanwhile, both ways ($label)" wait_for 10 epochs_reach 5
  check "all under the first key ($label)" only_the_first_key
  echo "# $label: epoch $(last_epoch 'client>server') up, $(last_epoch 'server>client') down"
  check "it did not log in again ($label)" test "$(grep -c 'connected as peer' server.log)" = 1
  check "SIGTERM ends the server ($label)" stop_server
  check "no sanitizer or assertion spoke up ($label)" server_log_is_clean
}
last_epoch() { sed -n "s/^$1 EPOCH 0 //p" wire1.log | sort -n | tail -n 1; }
epochs_reach() {
  (($(last_epoch 'client>server') >= $1)) && (($(last_epoch 'server>client') >= $1))
}
only_the_first_key() { ! grep ' EPOCH ' wire1.log | grep -qv ' EPOCH 0 '; }

run_case() {
  case $1 in
    stock-server) stock_server_case "$2" ;;
    limited) limited_case "$2" "$3" ;;
    *) epoch_case "$@" ;;
  esac
}

cases=('ringway v4 AES-256-GCM' 'ringway v6 CHACHA20-POLY1305' 'ringway tcp4 AES-128-GCM')
if openvpn_27 >/dev/null; then
  cases+=('2.7 v4 AES-256-GCM' '2.7 v6 AES-128-GCM' '2.7 v4 CHACHA20-POLY1305'
    '2.7 tcp4 AES-256-GCM' 'stock-server v4' 'stock-server v6')
else
  skip 'OpenVPN 2.7 as a client and as a server' 'RINGWAY_CLIENTS has none'
fi
if limited_openvpn >/dev/null; then
  cases+=('limited v4 AES-256-GCM' 'limited v6 CHACHA20-POLY1305')
else
  skip 'epochs that a stock client changes' 'RINGWAY_CLIENTS/limited has no OpenVPN 2.7'
fi
if [[ -n ${RINGWAY_CASE:-} ]]; then cases=("$RINGWAY_CASE"); fi
in_parallel 4 run_case "${cases[@]}"
done_testing
