#!/bin/bash
# Inner packets that do not fit: whoever may not fragment gets an answer with the right MTU at the
# inner sender, of both families and in every direction; what may be fragmented arrives whole. Over
# both outer families, with the stock client and with `ringway client`, and no outer fragment. And
# traffic classes: what a router marks outside, and `passtos`.
#
#     outside, IPv4: 1500 - 20 - 8 - 24 = 1448 bytes of inner packet;   IPv6: 1428

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

# shellcheck source=tests/interop/inner_sizes.sh
. "$(dirname "$0")/inner_sizes.sh"

# outer_class NAMESPACE FILTER COMMAND...: the traffic class of the outer packet that the
# command makes the namespace send; FILTER is tcpdump's.
outer_class() {
  local namespace=$1 filter=$2
  shift 2
  : >outer.err # What the last one said is not what this one says.
  ip netns exec "$namespace" timeout 20 tcpdump -i any -c 1 -vn -Q out "$filter" \
    >outer.txt 2>outer.err &
  local tcpdump_pid=$!
  wait_for 20 grep -q listening outer.err
  "$@"
  wait "$tcpdump_pid" || true
  grep -Eo '(tos|class) 0x[0-9a-f]+' outer.txt | head -n 1 | sed 's/.* //'
}

# fragments_of NAMESPACE: what its own stack has made, of both families.
fragments_of() {
  ip netns exec "$1" nstat -asz | awk '/FragCreates/ { sum += $2 } END { print sum }'
}

start_ringway_client() {
  : >"$work/client$1.log"
  ip netns exec "$(client_ns "$1")" "${server_command[0]}" client --config "$2" \
    >>"$work/client$1.log" 2>&1 </dev/null &
  client_pids[$1]=$!
}
ringway_client_connects() { wait_for 60 grep -q ' connected: ' "$work/client$1.log"; }

# sizes_case stock|ringway v4|v6
sizes_case() {
  local client=$1 family=$2 limit=1448
  [[ $family == v4 ]] || limit=1428
  # It takes the data keys of epochs, whose packet ids are longer.
  [[ $client != ringway ]] || limit=$((limit - 4))
  label="$client client over $family"
  topology_up 2
  server_config client-to-client passtos >server.conf
  client_config 1 "$family" >client1.conf
  client_config 2 "$family" >client2.conf
  require "server starts ($label)" start_server server.conf
  if [[ $client == ringway ]]; then
    echo passtos >>client1.conf
    start_ringway_client 1 client1.conf
    require "client connects ($label)" ringway_client_connects 1
  else
    start_client 1 client1.conf
    require "client connects ($label)" client_connects 1 60
  fi
  start_client 2 client2.conf
  require "its neighbour connects ($label)" client_connects 2 60
  local one two inner fragments
  one=$(client_ns 1)
  two=$(client_ns 2)
  for inner in 4 6; do
    local server=$inner_v4 here there
    [[ $inner == 4 ]] || server=$inner_v6
    here=$(inner_address 1 $inner)
    there=$(inner_address 2 $inner)
    check_told "inner IPv$inner: the server's host" "$server_ns" "$server" "$here" "$limit"
    check_told "inner IPv$inner: a client, of another's path" "$two" "$there" "$here" "$limit"
    if [[ $client == ringway ]]; then
      check_told "inner IPv$inner: the client's host" "$one" "$here" "$server" "$limit"
    fi
    [[ $inner == 4 ]] || continue
    check_whole 'what the server sends' "$server_ns" "$server" "$one" "$here"
    check_whole 'what the client sends' "$one" "$here" "$server_ns" "$server"
    check_whole 'what a client sends to another' "$two" "$there" "$one" "$here"
  done
  if [[ $client == ringway ]]; then
    fragments=$(fragments_of "$one")
    check "the client's host fragments nothing outside ($label)" test "$fragments" == 0
  fi
  fragments=$(fragments_of "$server_ns")
  check "nor does the server's ($label)" test "$fragments" == 0

  classes "$client"
  check "SIGTERM ends the server ($label)" stop_server
  check "no sanitizer or assertion spoke up ($label)" server_log_is_clean
}

# Traffic class 0xba is DSCP EF and ECT(0). With `passtos` DSCP goes outside; ECN only towards an
# end that brings the marks back (RFC 6040 4.1).
classes() {
  local client=$1 both=0xba inner server here
  [[ $client == ringway ]] || both=0xb8
  for inner in 4 6; do
    server=$inner_v4
    [[ $inner == 4 ]] || server=$inner_v6
    here=$(inner_address 1 $inner)
    check "inner IPv$inner: the server's datagrams have class $both ($label)" \
      test "$(outer_class "$server_ns" "udp src port $server_port and $(class_filter)" \
        in_server "$tool" mark "$server" "$here" 7000 186)" == "$both"
    [[ $client == ringway ]] || continue
    check "inner IPv$inner: the client's have, too ($label)" \
      test "$(outer_class "$(client_ns 1)" "udp dst port $server_port and $(class_filter)" \
        in_client 1 "$tool" mark "$here" "$server" 7000 186)" == "$both"
  done
}
# Outer packets with a DSCP of EF, whichever family they are of.
class_filter() { echo '((ip and ip[1] & 0xfc == 0xb8) or (ip6 and ip6[0:2] & 0x0fc0 == 0x0b80))'; }

if is_stock_server; then
  skip 'inner sizes' 'stock OpenVPN answers nobody'
  done_testing
  exit
fi

cases=('stock v4' 'stock v6' 'ringway v4' 'ringway v6')
if [[ -n ${RINGWAY_CASE:-} ]]; then cases=("$RINGWAY_CASE"); fi
in_parallel 2 sizes_case "${cases[@]}"
done_testing
