#!/bin/bash
# R18: sessions behind the NAT44 of a DS-Lite line (access_lines.sh), which forgets a flow and gives
# it another port when the client sends again. TCP connections in the tunnel notice nothing, whether
# that happens in the midst of a transfer or in a silence longer than the NAT's memory; and a client
# that moves from such a line's IPv4 to its IPv6, and back, goes on transferring.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"
# shellcheck source=tests/interop/access_lines.sh
. "$(dirname "$0")/access_lines.sh"
# shellcheck source=tests/interop/traffic.sh
. "$(dirname "$0")/traffic.sh"

# As a carrier's NAT would lose its flows in a bad night.
flushes=5

# begin stock|ringway [SERVER_LINE...]: over IPv4.
begin() {
  local client=$1
  shift
  line_up ds-lite open
  server_config "tls-crypt $work/ta.key" "$@" >server.conf
  client_config 1 v4 "tls-crypt $work/ta.key" >client.conf
  require "server starts ($label)" start_server server.conf
  # The host shall not look for routers on the tunnel device while the client is to be silent.
  in_client 1 sysctl -qw net.ipv6.conf.default.router_solicitations=0
  start_a_client "$client" client.conf
  require "client connects ($label)" wait_for 30 client_has_connected
  seen_ports=$(nat_port)
}
end() {
  check "the client logged in once ($label)" has_connected_once
  check "SIGTERM ends the server ($label)" stop_server
  check "no sanitizer or assertion spoke up ($label)" server_log_is_clean
}
has_connected_once() {
  tail -n 5 client1.log
  (($(client_connections) == 1)) && kill -0 "${client_pids[1]}"
}

# The port from which the NAT44 sends what comes from the client.
nat_port() {
  in_carrier conntrack -L -p udp --dport "$server_port" 2>>"$work/conntrack.log" |
    sed -n 's/.*dport=\([0-9]*\) .*/\1/p'
}
has_another_port() { [[ -n $(nat_port) && $(nat_port) != "$1" ]]; }

# The NAT forgets in the midst of two transfers.
rebinding_case() {
  label="rebinding, $1 client"
  begin "$1"
  transfers_during $((16 << 20)) $((2 << 20)) \
    "$flushes times the NAT forgets, and has another port for the client ($label)" rebind
  echo "# $label: $(sed -n 's/, sha256.*//p' up-receive.log down-receive.log | paste -sd ';')"
  check "the server says where the client is now ($label)" wait_for 15 server_knows_the_port
  end
}
rebind() {
  local number before
  wait_for 20 transfers_have_begun || return 1
  for ((number = 0; number < flushes; ++number)); do
    before=$(nat_port)
    forget_flows
    wait_for 20 has_another_port "$before" || return 1
    wait_for 20 server_knows_the_port || return 1
  done
}
transfers_have_begun() {
  [[ -n $(in_server ss -Htn state established 'sport = :5001') &&
    -n $(in_server ss -Htn state established 'dport = :5002') ]]
}
# Asked by SIGUSR2, it names the endpoint.
server_knows_the_port() {
  local port
  port=$(nat_port)
  kill -USR2 "$server_pid"
  wait_for 2 grep -q "192\.0\.2\.254:$port\b" server.log
}

# Nothing is sent for longer than the NAT remembers, not even a ping, and then a connection that is
# open goes on: 64 KB, 16 s of silence, 64 KB. The NAT forgets after 5 s here, to spare the waiting
# for 30; a client that is looking for its path's MTU in the first ten is not silent.
silence_case() {
  label="silence, $1 client"
  begin "$1" 'keepalive 25 120'
  in_carrier sysctl -qw net.netfilter.nf_conntrack_udp_timeout=5 \
    net.netfilter.nf_conntrack_udp_timeout_stream=5
  local before
  before=$(nat_port)
  start_helper "$server_ns" "$interop_dir/transfer.py" receive "$inner_v4" 5001 >receive.log 2>&1
  wait_for 10 grep -q listening receive.log
  check "a connection goes on after 16 s of silence ($label)" in_client 1 \
    "$interop_dir/transfer.py" send "$inner_v4" 5001 $((128 << 10)) "$work/receive.log" 4096
  check "the NAT had forgotten ($label)" has_another_port "$before"
  end
}

# From IPv4 to IPv6 and back, under load: a relay at the client's side has the client's datagrams
# take the other way (relay.py). What the path carries is found out anew after each move.
families_case() {
  label="families, $1 client"
  line_up ds-lite blocked
  server_config "tls-crypt $work/ta.key" >server.conf
  client_config 1 none "tls-crypt $work/ta.key" 'remote 127.0.0.1 11940 udp4' >client.conf
  require "server starts ($label)" start_server server.conf
  mkfifo relay.fifo
  start_helper "$(client_ns 1)" "$interop_dir/relay.py" 11940 "$server_v4" "$server_v6" \
    "$server_port" "$work/relay.fifo" >relay.log 2>&1
  wait_for 10 grep -q '^relaying' relay.log
  start_a_client "$1" client.conf
  require "client connects over IPv4 ($label)" wait_for 30 client_has_connected
  check "the path carries 1460 ($label)" wait_for 60 path_is 1460
  fragments_forget
  transfers_during $((32 << 20)) $((4 << 20)) \
    "it goes to IPv6, 1500, and back to IPv4, 1460, while data flows ($label)" move_families
  echo "# $label: $(sed -n 's/, sha256.*//p' up-receive.log down-receive.log | paste -sd ';')"
  check "no fragments outside ($label)" test "$(fragments)" = 0
  end
}
move_families() {
  wait_for 20 transfers_have_begun || return 1
  echo 'move v6' >relay.fifo
  wait_for 60 path_is 1500 || return 1
  echo 'move v4' >relay.fifo
  wait_for 60 path_is 1460
}

one_case() { "${1}_case" "$2"; }
cases=('rebinding stock' 'rebinding ringway' 'silence stock' 'silence ringway' 'families stock'
  'families ringway')
if [[ -n ${RINGWAY_CASE:-} ]]; then cases=("$RINGWAY_CASE"); fi
in_parallel 4 one_case "${cases[@]}"
done_testing
