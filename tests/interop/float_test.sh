#!/bin/bash
# A15, A18, R04, R18: sessions that follow their clients. A relay in the client's namespace is the
# NAT: it changes the port and the family that the server sees (tests/interop/relay.py).
#
#   client  ==  127.0.0.1:11940  relay  == port a, IPv4 ==
#                                       == port b, IPv6 ==  server
#                                       == port c, IPv4 ==
#
# Cases: a transfer and pings while it goes from IPv4 to IPv6 and back; a new port every other
# second, with renegotiations; a NAT that forgets; a thousand forgeries; resets at a connected
# client's endpoint; and, without a relay, a link that goes down and an address that changes. Each
# with stock OpenVPN's client, and where the client has a part in it with `ringway client` as well.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"
# shellcheck source=tests/interop/traffic.sh
. "$(dirname "$0")/traffic.sh"

relay_port=11940
slowness=${RINGWAY_SLOWNESS:-1}

# start_any_client stock|ringway CONFIG: client number 1.
start_any_client() {
  if [[ $1 == stock ]]; then
    start_client 1 "$2"
    return
  fi
  : >"$work/client1.log"
  ip netns exec "$(client_ns 1)" "${ringway_client[@]}" "$2" >>"$work/client1.log" 2>&1 \
    </dev/null &
  client_pids[1]=$!
}
if is_stock_server; then
  ringway_client=("$source_root/build/tools/ringway" client)
else
  ringway_client=("${server_command[0]}" client)
fi
logins() { grep -cE 'Initialization Sequence Completed| connected: ' "$work/client1.log" || true; }
has_logged_in() { (($(logins) >= 1)); }
stayed_logged_in() {
  tail -n 5 "$work/client1.log"
  (($(logins) == 1)) && client_is_alive
}
client_is_alive() { kill -0 "${client_pids[1]}"; }

# tell COMMAND...: one command of the relay. relay_said PATTERN: it has answered.
tell() { echo "$*" >"$work/relay.fifo"; }
relay_said() { grep -q "^$1" "$work/relay.log"; }
# relayed WHAT NAME: a number of the relay's last answer that begins with WHAT.
relayed() { sed -n "s/^$1: .*\b$2 \([0-9]*\).*/\1/p" "$work/relay.log" | tail -n 1; }

# begin stock|ringway [FORGET [SERVER_LINE...]]: topology, server, relay, and a client behind it.
begin() {
  local client=$1 forget=${2:-}
  shift $(($# < 2 ? $# : 2))
  topology_up 1
  server_config "$@" >server.conf
  require "server starts ($label)" start_server server.conf
  mkfifo relay.fifo
  # shellcheck disable=SC2086  # Nothing at all where it does not forget.
  start_helper "$(client_ns 1)" "$interop_dir/relay.py" "$relay_port" "$server_v4" "$server_v6" \
    "$server_port" "$work/relay.fifo" $forget >relay.log 2>&1
  wait_for 10 relay_said relaying
  client_config 1 none "remote 127.0.0.1 $relay_port udp4" >client1.conf
  start_any_client "$client" client1.conf
  require "the client connects through the relay ($label)" wait_for 30 has_logged_in
  check "and reaches the server ($label)" wait_for 10 in_client 1 ping -q -c 1 -W 2 "$inner_v4"
}

end() {
  check "SIGTERM ends the server ($label)" stop_server
  check "no sanitizer or assertion spoke up ($label)" server_log_is_clean
}

# pings_lost LOG: packets without an answer.
pings_lost() { awk '/packets transmitted/ { print $1 - $4 }' "$1"; }
at_most() {
  echo "$1, and $2 are allowed"
  (($1 <= $2))
}

# Only Ringway counts and shows it.
server_shows() { is_stock_server || server_log_has "$1"; }

family_case() {
  label="v4 to v6 and back, $1 client"
  begin "$1"
  start_helper "$(client_ns 1)" ping -q -i 0.05 -w 600 "$inner_v4" >ping.log
  local ping_pid=$helper_pid
  transfers_during $((2 << 20)) $((1 << 20)) "the relay moves it twice ($label)" move_both_ways
  check "it has moved to IPv6 and back ($label)" test "$(relayed 'moved to v4' moves)" = 2
  stop_helper "$ping_pid" INT
  tell move v4
  wait_for 10 relay_said 'moved to v4: moves 3'
  local late lost
  late=$(relayed 'moved to v4' late)
  lost=$(pings_lost ping.log)
  echo "# $label: $late datagrams were in flight to the old endpoints, $lost pings unanswered"
  check "no ping is lost but what was in flight ($label)" at_most "$lost" $((late + 1))
  check "what was in flight is little ($label)" at_most "$late" $((400 * slowness))
  check "the log says where it went ($label)" server_shows 'floated to \[2001:db8::11\]:'
  check "it did not log in again ($label)" stayed_logged_in
  end
}
move_both_ways() {
  wait_for 20 ping_goes_on 20
  tell move v6
  wait_for 10 relay_said 'moved to v6'
  wait_for 20 answers_flow
  tell move v4
  wait_for 10 relay_said 'moved to v4'
  wait_for 20 answers_flow
}
ping_goes_on() { in_client 1 ping -q -c 3 -i 0.1 -W 1 "$inner_v4"; }
# So long that a second move is not within a second of the first.
answers_flow() { in_client 1 ping -q -c 24 -i 0.05 -W 1 "$inner_v6"; }

ports_case() {
  local moves=15
  label="a port every other second, $1 client"
  begin "$1" '' 'reneg-sec 8'
  start_helper "$(client_ns 1)" ping -q -i 0.05 -w 600 "$inner_v4" >ping.log
  tell every 2 "$moves"
  check "the relay moves it $moves times ($label)" wait_for 60 relay_said 'moved in time'
  check "it is reached after the last ($label)" wait_for 10 answers_flow
  stop_helper "$helper_pid" INT
  local lost
  lost=$(pings_lost ping.log)
  echo "# $label: $moves moves, $lost packets lost of $(awk '/transmitted/ { print $1 }' ping.log)"
  check "at most two packets are lost a move (R18, $label)" at_most "$lost" $((2 * moves))
  check "it has renegotiated on the way ($label)" has_renegotiated 3
  check "it did not log in again ($label)" stayed_logged_in
  end
}
# The stock client names the server's certificate at every negotiation.
has_renegotiated() {
  local count
  count=$(grep -cE 'VERIFY OK: depth=0|renegotiated: new keys' "$work/client1.log")
  echo "$count times"
  ((count >= $1))
}

# The NAT's 30 s, and all that is measured by them, by a tenth. The client's pings open it again for
# three seconds of four, so that what TCP says again, later each time, meets it open before long:
# with a ping every ten seconds it would miss seven times of ten, in a row when it is unlucky.
forgetting_case() {
  label='a NAT that forgets after 3 s'
  begin stock 3 'keepalive 4 24'
  start_helper "$server_ns" "$interop_dir/idle_tcp.py" serve "$inner_v4" 5003 >serve.log 2>&1
  wait_for 10 grep -q listening serve.log
  check "a TCP connection with pauses of 5 s lives on ($label)" \
    in_client 1 "$interop_dir/idle_tcp.py" talk "$inner_v4" 5003 5 4
  tell move v4
  wait_for 10 relay_said 'moved to v4'
  echo "# $label: $(($(relayed 'moved to v4' moves) - 1)) new ports"
  check "the NAT has forgotten it several times ($label)" \
    test "$(relayed 'moved to v4' moves)" -ge 3
  check "it did not log in again ($label)" stayed_logged_in
  end
}

forgery_case() {
  local count=$((1000 * ${RINGWAY_VOLUME:-1}))
  label="$count forgeries"
  begin stock
  start_helper "$(client_ns 1)" ping -q -i 0.02 -w 600 "$inner_v4" >ping.log
  local ping_pid=$helper_pid
  check "pings are on their way ($label)" wait_for 20 ping_goes_on
  wait_for 20 answers_flow
  tell forge "$count"
  check "the relay has sent them ($label)" wait_for 60 relay_said "forged $count"
  check "none was answered (A18, $label)" test "$(relayed "forged $count" answered)" -le 1
  check "the client is still reached ($label)" in_client 1 ping -q -c 3 -i 0.1 -W 2 "$inner_v6"
  stop_helper "$ping_pid" INT
  check "and lost nothing ($label)" at_most "$(pings_lost ping.log)" 1
  check "it did not log in again ($label)" stayed_logged_in
  if is_stock_server; then
    skip "the session was never moved (A18, $label)" 'stock counts nothing'
  else
    kill -USR2 "$server_pid"
    check "the counters say what was dropped ($label)" wait_for 10 server_log_has \
      'dropped by workers: .*bad_tag [1-9][0-9]*, replay [1-9]'
    check "the session was never moved (A18, $label)" refuse server_log_has 'peer_floats|floated to'
    echo "# $label: $(grep 'dropped by workers' "$work/server.log" | tail -n 1)"
  fi
  end
}

reset_case() {
  local count=1000
  label="$count resets at a live endpoint, $1 client"
  begin "$1"
  start_helper "$(client_ns 1)" ping -q -i 0.05 -w 600 "$inner_v4" >ping.log
  local ping_pid=$helper_pid before since
  tell move v6
  wait_for 10 relay_said 'moved to v6'
  wait_for 20 answers_flow
  before=$(relayed 'moved to v6' answered)
  since=${EPOCHREALTIME/./}
  tell reset "$count"
  check "the relay has sent them ($label)" wait_for 60 relay_said "reset $count"
  check "the client is still reached ($label)" wait_for 10 answers_flow
  tell move v6
  wait_for 10 relay_said 'moved to v6: moves 2'
  stop_helper "$ping_pid" INT
  local answered allowed
  # The first, one for each second, and those of the client's own log-ins.
  allowed=$(((${EPOCHREALTIME/./} - since) / 1000000 + 2 + $(logins)))
  answered=$(($(relayed 'moved to v6' answered) - before))
  echo "# $label: $answered answered, $(pings_lost ping.log) pings lost, $(logins) log-in"
  check "at most one a second is answered (A15, $label)" at_most "$answered" "$allowed"
  # Stock OpenVPN's client takes an answer to somebody else's reset for a server that was restarted,
  # and logs in again; its session must last until then.
  if [[ $1 == stock ]]; then
    skip "nothing of the client's is lost (A15, $label)" 'stock logs in again'
  else
    check "nothing of the client's is lost but around the moves (A15, $label)" \
      at_most "$(pings_lost ping.log)" 4
    check "it did not log in again (A15, $label)" stayed_logged_in
  fi
  check "no session has gone but for a new one (A15, $label)" refuse removed_without_successor
  end
}
removed_without_successor() {
  grep ' removed: ' "$work/server.log" |
    grep -v 'replaced by \[2001:db8::11\]\|replaced by a newer handshake'
}

# first_answer LOG SINCE: seconds until the first answer after then, of `ping -D`.
first_answer() {
  awk -v since="$2" '/bytes from/ { at = substr($1, 2) + 0
    if (at > since) { printf "%.2f\n", at - since; exit } }' "$1"
}
# has_lost FILE COUNT: `ping -O` says it of each packet when it sends the next.
has_lost() { (($(grep -c 'no answer yet' "$1") >= $2)); }
answer_came() { [[ -n $(first_answer "$1" "$2") ]]; }
within() {
  echo "$1 s, and $2 s are allowed"
  awk "BEGIN { exit !($1 <= $2) }"
}

link_case() {
  label="link and address, $1 client"
  topology_up 1
  local namespace new_v4=192.0.2.211 since
  namespace=$(client_ns 1)
  ip -n "$server_ns" route add "$new_v4" dev client1 src "$server_v4"
  server_config >server.conf
  require "server starts ($label)" start_server server.conf
  client_config 1 v4 >client1.conf
  start_any_client "$1" client1.conf
  require "the client connects ($label)" wait_for 30 has_logged_in
  start_helper "$namespace" ping -D -O -i 0.1 -w 600 "$inner_v4" >ping.log
  local ping_pid=$helper_pid
  check "and reaches the server ($label)" wait_for 10 answer_came ping.log 0

  ip -n "$namespace" link set outside down
  check "the link is down for as long as thirty packets take to be lost ($label)" \
    wait_for 30 has_lost ping.log 30
  ip -n "$namespace" link set outside up
  since=$EPOCHREALTIME
  check "answers come again after a link flap ($label)" wait_for 30 answer_came ping.log "$since"
  echo "# $label: answers $(first_answer ping.log "$since") s after the link came up"
  check "within a second (R04, $label)" within "$(first_answer ping.log "$since")" "$slowness"

  ip -n "$namespace" address delete "$(outer_v4 1)/24" dev outside
  ip -n "$namespace" address add "$new_v4/24" dev outside
  since=$EPOCHREALTIME
  check "answers come again after a change of address ($label)" \
    wait_for 30 answer_came ping.log "$since"
  echo "# $label: answers $(first_answer ping.log "$since") s after the address changed"
  check "within a second (R04, $label)" within "$(first_answer ping.log "$since")" "$slowness"
  check "the log says where it went ($label)" server_shows "floated to $new_v4:"
  if ! is_stock_server; then
    kill -USR2 "$server_pid"
    check "the status says where it is ($label)" \
      wait_for 10 server_log_has "^client1,$new_v4:"
    check "the counters have counted it ($label)" server_log_has 'workers: .*peer_floats 1'
  fi
  stop_helper "$ping_pid" INT
  check "it did not log in again ($label)" stayed_logged_in
  end
}

# A session over UDP whose packets come over a connection, too: whoever has it may do that.
connection_case() {
  label='over a connection'
  if is_stock_server; then
    skip "the session stays where it is (A18, $label)" 'stock has one transport'
    return
  fi
  begin stock '' "local * $server_port udp" "local * $server_port tcp"
  tell connect
  wait_for 10 relay_said connected
  check "nothing comes through there (A18, $label)" \
    refuse in_client 1 ping -q -c 10 -i 0.1 -W 1 "$inner_v4"
  tell disconnect
  wait_for 10 relay_said disconnected
  check "packets went there ($label)" test "$(relayed disconnected over_tcp)" -ge 10
  check "and over UDP they come through as before ($label)" \
    in_client 1 ping -q -c 3 -i 0.1 -W 2 "$inner_v4"
  check "the session was never moved (A18, $label)" refuse server_log_has 'peer_floats|floated to'
  check "it did not log in again ($label)" stayed_logged_in
  end
}

run_case() { "$1_case" "${@:2}"; }
cases=('family stock' 'family ringway' 'ports stock' 'ports ringway' forgetting forgery
  connection 'reset stock' 'reset ringway' 'link stock' 'link ringway')
[[ -z ${RINGWAY_CASE:-} ]] || cases=("$RINGWAY_CASE")
in_parallel 2 run_case "${cases[@]}"
done_testing
