#!/bin/bash
# How `ringway client` reaches a server: by which family when one of them is dead, by which server
# when there are several, again when the host's address is gone, and how it ends meanwhile. The
# table of the times is printed, with stock OpenVPN 2.6 beside it.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

if is_stock_server; then
  ringway_client=("$source_root/build/tools/ringway" client)
else
  ringway_client=("${server_command[0]}" client)
fi

name=vpn.test
# What nobody has, on the link.
nobody_v4=192.0.2.9

connect_up() {
  topology_up "$1"
  trap connect_down EXIT
  resolve 1 "$server_v6" "$server_v4"
  server_config "tls-crypt $work/ta.key" duplicate-cn >server.conf
  require "server starts ($label)" start_server server.conf
}

connect_down() {
  rm -rf "/etc/netns/$(client_ns 1)" "/etc/netns/$(client_ns 2)"
  topology_down
}

# resolve NUMBER ADDRESS...: what $name means to a client. The file is written in place, as
# `ip netns exec` binds it.
resolve() {
  local directory address
  directory=/etc/netns/$(client_ns "$1")
  shift
  mkdir -p "$directory"
  for address in "$@"; do echo "$address $name"; done >"$directory/hosts"
}

# profile [LINE...]
profile() {
  cat <<END
client
dev tun0
nobind
ca $work/ca.crt
cert $work/client1.crt
key $work/client1.key
remote-cert-tls server
tls-crypt $work/ta.key
verb 4
END
  printf '%s\n' "$@"
}

# start_ringway_client CONFIG: client number 1, in the background.
start_ringway_client() {
  : >"$work/client1.log"
  ip netns exec "$(client_ns 1)" "${ringway_client[@]}" "$1" >>"$work/client1.log" 2>&1 \
    </dev/null &
  client_pids[1]=$!
}

connected_count() { grep -c ' connected: ' "$work/client1.log" || true; }
has_connected() { (($(connected_count) >= $1)); }
connects() {
  wait_for "${2:-30}" has_connected "${1:-1}" || { tail -n 12 "$work/client1.log"; return 1; }
}

# ends_with STATUS: the client, after SIGTERM, within five seconds, and leaves nothing.
ends_well() {
  local pid=${client_pids[1]} status=timeout begun=${EPOCHREALTIME/./}
  kill -TERM "$pid"
  if wait_for 10 process_is_gone "$pid"; then
    status=0
    wait "$pid" || status=$?
  fi
  unset 'client_pids[1]'
  echo "exit status $status after $(((${EPOCHREALTIME/./} - begun) / 1000)) ms"
  [[ $status == 0 ]] && ((${EPOCHREALTIME/./} - begun < 5000000)) && nothing_is_left
}
nothing_is_left() {
  wait_for 5 test -z "$(ip -n "$(client_ns 1)" -o link show type tun)" &&
    [[ -z $(in_client 1 ss -Hulnp) ]] &&
    refuse grep -E 'Sanitizer|runtime error:|assertion|ASSERT' "$work/client1.log"
}

# dead none | v4|v6 blackhole|unreachable|refused: what the server's host does with the packets of
# one family.
dead() {
  in_server nft flush ruleset
  [[ $1 != none ]] || return 0
  local verdict=drop
  case $1-$2 in
    v4-unreachable) verdict='reject with icmp type host-unreachable' ;;
    v6-unreachable) verdict='reject with icmpv6 type addr-unreachable' ;;
    v4-refused) verdict='reject with icmp type port-unreachable' ;;
    v6-refused) verdict='reject with icmpv6 type port-unreachable' ;;
  esac
  in_server nft -f - <<END
table inet dead {
  chain input {
    type filter hook input priority 0;
    meta nfproto ip$1 udp dport $server_port $verdict
  }
}
END
}

# The deadline is generous for a loaded machine: a quarter of a second is what is meant.
deadline_ms=3000
# How long stock is waited for: it would go on for minutes.
stock_patience=10

# table_row PROTO none|v4|v6 [KIND]
table_row() {
  local proto=$1 said answered connected stock begun pid
  shift
  if [[ $1 == none ]]; then dead none; else dead "$1" "$2"; fi
  profile "proto $proto" "remote $name $server_port" >client.ovpn
  begun=${EPOCHREALTIME/./}
  start_client 2 client.ovpn
  start_ringway_client client.ovpn
  check "proto $proto connects, dead: $*" connects 1 60
  said=$(grep -oE 'answers, after [0-9]+ ms' "$work/client1.log" | grep -oE '[0-9]+' || echo 99999)
  connected=$(grep -oE ' after [0-9]+ ms$' "$work/client1.log" | tail -1 | grep -oE '[0-9]+' ||
    echo 99999)
  answered=$said
  check "within $deadline_ms ms: answered after $answered (proto $proto, dead: $*)" \
    test "$answered" -lt "$deadline_ms"
  stock=">$stock_patience s"
  while ((${EPOCHREALTIME/./} - begun < stock_patience * 1000000)); do
    if client_is_connected 2; then
      stock="$(((${EPOCHREALTIME/./} - begun) / 1000)) ms"
      break
    fi
    sleep 0.05
  done
  pid=${client_pids[2]}
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  unset 'client_pids[2]'
  check "and ends, leaving nothing (proto $proto, dead: $*)" ends_well
  printf '# | %-5s | %-14s | %6s ms | %6s ms | %9s |\n' \
    "$proto" "$*" "$answered" "$connected" "$stock" >>"$work/table"
}

table_case() {
  local family kind
  label='which family is dead'
  connect_up 2
  resolve 2 "$server_v6" "$server_v4"
  : >"$work/table"
  table_row udp none
  for family in v6 v4; do
    for kind in blackhole unreachable refused; do table_row udp "$family" "$kind"; done
  done
  table_row udp4 none
  table_row udp4 v6 blackhole
  table_row udp6 none
  table_row udp6 v4 blackhole
  echo '# | proto | dead           | answered  | connected | stock 2.6 |'
  cat "$work/table"
  stop_server || true
}

several_servers_case() {
  label='several servers'
  connect_up 1
  profile 'remote no-such-name.test' "remote $nobody_v4 1194" '<connection>' \
    "remote $name $server_port udp4" '</connection>' >client.ovpn
  start_ringway_client client.ovpn
  check 'the third of three servers is reached, where the others are not there' connects
  check 'the first was looked up' client_log_has 1 'no-such-name.test has no IPv6 address'
  check 'the second was tried' client_log_has 1 "trying $nobody_v4"
  check 'by the family of its block' client_log_has 1 "connected: .* server $server_v4:"
  check 'and the client ends' ends_well

  resolve 1 "$nobody_v4"
  profile "remote $name $server_port" 'connect-timeout 2' 'connect-retry 1 1' >client.ovpn
  start_ringway_client client.ovpn
  check 'a name is tried where it leads nowhere' wait_for 20 client_log_has 1 "trying $nobody_v4"
  resolve 1 "$server_v4"
  check 'and looked up again for the next attempt' connects
  check 'and the client ends' ends_well

  profile "remote $nobody_v4 1194" 'connect-timeout 1' 'connect-retry-max 2' >client.ovpn
  start_ringway_client client.ovpn
  check 'connect-retry-max ends it' wait_for 20 process_is_gone "${client_pids[1]}"
  check 'with exit status 1' refuse wait "${client_pids[1]}"
  unset 'client_pids[1]'
  stop_server || true
}

# SIGTERM while a name is looked up, an address is tried, the next attempt is waited for.
every_phase_ends_case() {
  label='every phase ends'
  connect_up 1
  echo "nameserver $nobody_v4" >"/etc/netns/$(client_ns 1)/resolv.conf"
  profile "remote slow.test $server_port" >client.ovpn
  start_ringway_client client.ovpn
  check 'it asks a name server that is silent' wait_for 20 asks_for_a_name
  check 'SIGTERM ends the look-up' ends_well

  dead v6 blackhole
  profile "remote $name $server_port udp6" >client.ovpn
  start_ringway_client client.ovpn
  check 'it tries an address that is silent' wait_for 20 client_log_has 1 "trying \[$server_v6"
  check 'SIGTERM ends the attempt' ends_well

  dead v6 refused
  profile "remote $name $server_port udp6" 'connect-retry 100' >client.ovpn
  start_ringway_client client.ovpn
  check 'it waits, as all is refused' wait_for 20 client_log_has 1 'next attempt in 100 seconds'
  dead none
  ip -n "$(client_ns 1)" address add 203.0.113.7/32 dev outside
  check 'a new address of the host ends the wait' connects
  ip -n "$(client_ns 1)" address del 203.0.113.7/32 dev outside
  check 'SIGTERM ends the connection' ends_well
  dead v6 refused
  start_ringway_client client.ovpn
  check 'it waits again' wait_for 20 client_log_has 1 'next attempt in 100 seconds'
  check 'SIGTERM ends the wait' ends_well
  stop_server || true
}
asks_for_a_name() { [[ -n $(in_client 1 ss -Huan dst "$nobody_v4") ]]; }

# The address to which the server answers goes, and there is another.
address_gone_case() {
  local namespace
  label='address gone'
  connect_up 1
  namespace=$(client_ns 1)
  profile "remote $name $server_port udp6" 'keepalive 10 120' >client.ovpn
  start_ringway_client client.ovpn
  require "connects ($label)" connects
  ip -n "$server_ns" route add 2001:db8::61 dev client1 src "$server_v6"
  ip -n "$namespace" address add 2001:db8::61/64 dev outside nodad
  ip -n "$namespace" address del "$(outer_v6 1)/64" dev outside
  check 'it does not wait for ping-restart' \
    wait_for 10 client_log_has 1 "our address $(outer_v6 1) is gone"
  check 'and connects from the other address' connects 2
  check 'and ends' ends_well
  stop_server || true
}

one_case() { "${1}_case"; }
cases=(table several_servers every_phase_ends address_gone)
if [[ -n ${RINGWAY_CASE:-} ]]; then cases=("$RINGWAY_CASE"); fi
in_parallel 4 one_case "${cases[@]}"
done_testing
