#!/bin/bash
# A path that is narrower in the middle than either end can see, and where no ICMP message gets
# through: server and client find out by themselves what it carries.
#
#   <run>-server        <run>-router1            <run>-router2        <run>-client1
#   client1 =========== toserver
#   192.0.2.1   1500    192.0.2.2
#   2001:db8::1         2001:db8::2   1400
#                       inner ================== outer    1500
#                                                toclient =========== outside
#                                                                     198.51.100.11
#                                                                     2001:db8:1::11
#
# For each outer family, with stock `openvpn` and with `ringway client`: large TCP transfers both
# ways come to their end, and of all the packets outside not one was a fragment.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"
# shellcheck source=tests/interop/traffic.sh
. "$(dirname "$0")/traffic.sh"

hop_mtu=1400
transfer_size=$((8 << 20))

if is_stock_server; then
  echo 'skip - everything (stock OpenVPN does not look for the MTU of the path)'
  done_testing
  exit
fi
ringway_client=("${server_command[0]}" client)

router_ns() { echo "$run_name-router$1"; }
in_router() {
  local number=$1
  shift
  ip netns exec "$(router_ns "$number")" "$@"
}

# narrow_path: the link that topology_up made becomes one over two routers.
narrow_path() {
  local client router1 router2
  client=$(client_ns 1)
  router1=$(router_ns 1)
  router2=$(router_ns 2)
  ip -n "$client" link delete outside
  add_namespace "$router1"
  add_namespace "$router2"
  ip -n "$server_ns" link add client1 type veth peer name toserver netns "$router1"
  ip -n "$router1" link add inner type veth peer name outer netns "$router2"
  ip -n "$client" link add outside type veth peer name toclient netns "$router2"
  give "$server_ns" client1 192.0.2.1/24 2001:db8::1/64
  give "$router1" toserver 192.0.2.2/24 2001:db8::2/64
  give "$router1" inner 203.0.113.1/24 2001:db8:2::1/64
  give "$router2" outer 203.0.113.2/24 2001:db8:2::2/64
  give "$router2" toclient 198.51.100.1/24 2001:db8:1::1/64
  give "$client" outside 198.51.100.11/24 2001:db8:1::11/64
  ip -n "$router1" link set inner mtu "$hop_mtu"
  ip -n "$router2" link set outer mtu "$hop_mtu"
  default_route "$server_ns" 192.0.2.2 2001:db8::2
  default_route "$client" 198.51.100.1 2001:db8:1::1
  default_route "$router1" 203.0.113.2 2001:db8:2::2
  default_route "$router2" 203.0.113.1 2001:db8:2::1
  local router
  for router in 1 2; do
    in_router "$router" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    in_router "$router" nft -f - <<'RULES'
table inet silent {
  chain output {
    type filter hook output priority 0;
    icmp type destination-unreachable counter drop
    icmpv6 type { destination-unreachable, packet-too-big } counter drop
  }
}
RULES
  done
}

# give NAMESPACE DEVICE V4 V6. Without offloads a device carries what a wire does, and no trains.
give() {
  ip -n "$1" address add "$3" dev "$2"
  ip -n "$1" address add "$4" dev "$2" nodad
  ip netns exec "$1" ethtool -K "$2" tso off gso off gro off tx-udp-segmentation off >/dev/null
  ip -n "$1" link set "$2" up
}

default_route() {
  ip -n "$1" route add default via "$2"
  ip -n "$1" -6 route add default via "$3"
}

# What of the outside is a fragment, at both ends of the narrow link.
watch_fragments() {
  start_helper "$(router_ns 1)" tcpdump -lnni any -w "$work/fragments.pcap" \
    '(ip and (ip[6:2] & 0x3fff) != 0) or (ip6 and ip6[6] == 44)' 2>"$work/tcpdump.log"
  wait_for 10 grep -q 'listening on' "$work/tcpdump.log"
}
fragment_count() { tcpdump -nnr "$work/fragments.pcap" 2>/dev/null | wc -l; }

# profile v4|v6: for either client.
profile() {
  client_config 1 "$1" | grep -v '^verb'
  echo 'verb 4'
}

start_either_client() {
  if [[ $1 == stock ]]; then
    start_client 1 client.conf
  else
    : >"$work/client1.log"
    ip netns exec "$(client_ns 1)" "${ringway_client[@]}" client.conf >>"$work/client1.log" 2>&1 \
      </dev/null &
    client_pids[1]=$!
  fi
}
is_connected() { grep -q 'Initialization Sequence Completed\| connected: ' "$work/client1.log"; }

# path_is FILE PID MTU: the status that the process writes says so, or the next one will.
path_is() {
  kill -USR2 "$2"
  grep -q "path MTU $3 (proven)" "$work/$1"
}

# transfer SENDER-NAMESPACE RECEIVER-NAMESPACE ADDRESS PORT
transfer() {
  local receiver
  : >"$work/receiver.log"
  ip netns exec "$2" "$interop_dir/transfer.py" receive "$3" "$4" >"$work/receiver.log" 2>&1 &
  receiver=$!
  wait_for 20 grep -q listening "$work/receiver.log" || return 1
  ip netns exec "$1" timeout 120 "$interop_dir/transfer.py" send "$3" "$4" "$transfer_size" || {
    kill "$receiver"
    return 1
  }
  wait "$receiver"
}

# path_case stock|ringway v4|v6
path_case() {
  local client=$1 family=$2
  label="$client client over $family"
  topology_up 1
  narrow_path
  server_config >server.conf
  profile "$family" >client.conf
  require "server starts ($label)" start_server server.conf
  require "fragments are watched for ($label)" watch_fragments
  start_either_client "$client"
  require "client connects ($label)" wait_for 60 is_connected
  check "the server proves $hop_mtu ($label)" \
    wait_for 30 path_is server.log "$server_pid" "$hop_mtu"
  [[ $client == stock ]] || check "the client proves $hop_mtu ($label)" \
    wait_for 30 path_is client1.log "${client_pids[1]}" "$hop_mtu"
  local inner_client_v4 inner_client_v6
  inner_client_v4=$(inner_address 1 4)
  inner_client_v6=$(inner_address 1 6)
  check "IPv4 download ($label)" \
    transfer "$server_ns" "$(client_ns 1)" "$inner_client_v4" 5001
  check "IPv4 upload ($label)" transfer "$(client_ns 1)" "$server_ns" "$inner_v4" 5002
  check "IPv6 download ($label)" \
    transfer "$server_ns" "$(client_ns 1)" "$inner_client_v6" 5003
  check "IPv6 upload ($label)" transfer "$(client_ns 1)" "$server_ns" "$inner_v6" 5004
  stop_helper "$helper_pid" INT
  check "no packet outside was a fragment ($label)" test "$(fragment_count)" = 0
  check "the server's log is clean ($label)" server_log_is_clean
}

in_parallel 2 path_case 'stock v4' 'stock v6' 'ringway v4' 'ringway v6'
done_testing
