#!/bin/bash
# A01, A16, A18, A19: random, truncated, damaged and replayed datagrams at a server with a connected
# client, from a stranger's address and from the client's own. The client stays connected, the
# server answers with nothing but cookies, at most one each, and does not grow.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

count=$((20000 * ${RINGWAY_VOLUME:-1}))
seed=${RINGWAY_SEED:-$RANDOM}
echo "# RINGWAY_SEED=$seed"
topology_up 3
server_config "tls-crypt $work/ta.key" >server.conf
client_config 1 v4 "tls-crypt $work/ta.key" 'reneg-sec 0' >client1.conf
require 'server starts' start_server server.conf
start_helper "$(client_ns 1)" "$interop_dir/hostile_datagrams.py" capture outside \
  "$server_port" captured.hex 600 >capture.log
capture_pid=$helper_pid
wait_for 10 grep -q watching capture.log
start_client 1 client1.conf
require 'a client connects' client_connects 1
check 'and reaches the server' in_client 1 ping -q -c 20 -i 0.02 -W 2 "$inner_v4"
stop_helper "$capture_pid"
check 'its handshake and data were captured' test "$(wc -l <captured.hex)" -gt 20
# Spoofing the client is done on the server's side of its link; what comes back goes to the client.
in_server sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.client2.rp_filter=0

# A steady ping over the whole attack: what it loses is what the attack takes from the client.
start_helper "$(client_ns 1)" ping -q -i 0.05 -w 600 "$inner_v4" >ping.log
ping_pid=$helper_pid

server_rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$server_pid/status"; }

# attack NAME KIND SERVER [ARGUMENT...]: from the stranger's namespace; checks the answers.
attack() {
  local name=$1 kind=$2 server=$3 sent answered wrong
  shift 3
  if ! in_client 2 "$interop_dir/hostile_datagrams.py" "$kind" "$server" "$server_port" "$count" \
    "$seed" "$@" >attack.log 2>&1; then
    not_ok "$name: the server goes on listening" "$(tail -n 5 attack.log)"
    return
  fi
  IFS=' ,' read -r _ sent _ answered _ wrong <<<"$(tail -n 1 attack.log)"
  echo "# $name: sent $sent, answered $answered"
  check "$name: no answer but cookies" shows_attack test "$wrong" = 0
  check "$name: at most one answer each" test "$answered" -le "$sent"
  [[ $kind != random ]] || check "$name: no answer at all" shows_attack test "$answered" = 0
  check "$name: the client still reaches the server" \
    in_client 1 ping -q -c 3 -i 0.1 -W 2 "$inner_v6"
}

shows_attack() {
  tail -n 20 attack.log
  "$@"
}

# The first round fills every pool there is; growth after it is a leak.
attack 'random over IPv4' random "$server_v4"
attack 'random over IPv6' random "$server_v6"
attack 'replayed, truncated, damaged over IPv4' mutate "$server_v4" "$work/captured.hex"
attack 'replayed, truncated, damaged over IPv6' mutate "$server_v6" "$work/captured.hex"
rss_before=$(server_rss_kib)
attack 'random again' random "$server_v6"
attack 'replayed, truncated, damaged again' mutate "$server_v4" "$work/captured.hex"
attack 'in the name of the client' spoof "$server_v4" "$work/captured.hex" outside
rss_after=$(server_rss_kib)
echo "# server: $rss_before KiB, then $rss_after KiB"
# A megabyte, as in goal R05; a sanitizer's quarantine is not the server's memory.
if [[ -n ${RINGWAY_SANITIZED:-} ]]; then
  skip 'the server does not grow' 'a sanitizer keeps freed memory; see the release build'
else
  check 'the server does not grow' test $((rss_after - rss_before)) -le 1024
fi

# What was dropped has a reason, and the reason a count that an operator can read.
if is_stock_server; then
  skip 'the log says what was dropped and why' 'stock counts nothing'
else
  kill -USR2 "$server_pid"
  for counted in 'workers: .*link_received_packets [1-9]' 'dropped by workers: .*replay [1-9]' \
    'dropped by workers: .*bad_tag [1-9]' \
    'dropped by workers: .*bad_wrap [1-9]'; do
    check "the log says: $counted" wait_for 10 server_log_has "$counted"
  done
fi

# In the client's name from elsewhere: none of it has moved the session.
check 'and where the session went: nowhere (A18)' refuse server_log_has 'peer_floats|floated to'
stop_helper "$ping_pid" INT
echo "# $(grep 'packet loss' ping.log)"
loss=$(sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p' ping.log)
check 'the client lost at most one packet in twenty' awk "BEGIN { exit !($loss <= 5) }"
check 'and was never disconnected' test "$(connection_count 1)" = 1
client_config 3 v6 "tls-crypt $work/ta.key" >client3.conf
start_client 3 client3.conf
check 'a new client is let in right after it' client_connects 3 15
check 'SIGTERM ends the server' stop_server
check 'with exit status 0' test "$server_status" = 0
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
