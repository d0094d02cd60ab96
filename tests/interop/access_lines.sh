#!/bin/bash
# Access lines of homes, between a client and the server. Sourced behind topology.sh.
#
#   <run>-client1          <run>-home              <run>-carrier                 <run>-server
#   +-------------+  LAN   +---------------+ line4 +-----------------+ Internet  +--------------+
#   | outside     |  1500  | lan     line4 |=======| line4     world |   1500    | world        |
#   | 10.0.0.2    |========| 10.0.0.1      | line6 |                 |===========| 192.0.2.1    |
#   | 2001:db8:a::2        | ..:a::1 line6 |=======| line6           |           | 2001:db8::1  |
#   +-------------+        +---------------+       +-----------------+           +--------------+
#
# A line is two links, one a family, because most lines treat the families differently:
#
#   line          IPv4 MTU  IPv6 MTU  IPv4 at the carrier
#   dual-stack    1500      1500      routed
#   ds-lite       1460      1500      NAT44 of the AFTR: forgets UDP after 30 s, random ports
#   pppoe         1492      1492      routed
#   ds-lite-pppoe 1452      1492      NAT44, as above
#   ipv6-1280     none      1280      none: IPv6 through somebody's tunnel
#
# `ds-lite` is a line of RFC 6333: IPv4 travels in IPv6, which takes 40 of the 1500 bytes. There is
# no such tunnel here, only its MTU; 192.0.0.0/29 are the addresses that the RFC gives to its ends.
# With `blocked`, neither router says that a packet was too big, nor passes that on: what a
# "stealth" firewall does. All links carry single packets as a wire would: the offloads, by which
# veth would hand over super-packets whole, are off, so that every MTU bites.
#
# The routers count fragments before anything puts them together again (conntrack does).

line_lan_v4=10.0.0
line_lan_v6=2001:db8:a:

# line_up LINE open|blocked: the network above, in place of topology_up.
line_up() {
  local line=$1 icmp=$2
  topology_up 0
  make_certificate "$work" ca client1 client
  home_ns=$run_name-home
  carrier_ns=$run_name-carrier
  line_mtus "$line"
  add_namespace "$(client_ns 1)"
  add_namespace "$home_ns"
  add_namespace "$carrier_ns"
  add_link "$(client_ns 1)" outside "$home_ns" lan 1500
  add_link "$home_ns" line4 "$carrier_ns" line4 "${line_mtu_v4:-1500}"
  add_link "$home_ns" line6 "$carrier_ns" line6 "$line_mtu_v6"
  add_link "$carrier_ns" world "$server_ns" world 1500
  forward_everything
  if [[ -n $line_mtu_v4 ]]; then route_v4; fi
  route_v6
  count_fragments "$home_ns"
  count_fragments "$carrier_ns"
  if [[ $line == ds-lite* ]]; then translate_v4 30; fi
  if [[ $icmp == blocked ]]; then
    block_too_big "$home_ns"
    block_too_big "$carrier_ns"
  fi
}

# line_mtus LINE: sets line_mtu_v4, empty where the line has no IPv4, and line_mtu_v6.
line_mtus() {
  case $1 in
    dual-stack) line_mtu_v4=1500 line_mtu_v6=1500 ;;
    ds-lite) line_mtu_v4=1460 line_mtu_v6=1500 ;;
    pppoe) line_mtu_v4=1492 line_mtu_v6=1492 ;;
    ds-lite-pppoe) line_mtu_v4=1452 line_mtu_v6=1492 ;;
    ipv6-1280) line_mtu_v4='' line_mtu_v6=1280 ;;
    *) return 1 ;;
  esac
}

# line_families LINE: the families that lead to the server.
line_families() { [[ $1 == ipv6-1280 ]] && echo v6 || echo v4 v6; }

# line_mtu v4|v6
line_mtu() { [[ $1 == v4 ]] && echo "$line_mtu_v4" || echo "$line_mtu_v6"; }

in_home() { ip netns exec "$home_ns" "$@"; }
in_carrier() { ip netns exec "$carrier_ns" "$@"; }

# add_link NAMESPACE NAME NAMESPACE NAME MTU
add_link() {
  ip -n "$1" link add "$2" mtu "$5" type veth peer name "$4" mtu "$5" netns "$3"
  end_of_link_up "$1" "$2"
  end_of_link_up "$3" "$4"
}

end_of_link_up() {
  ip netns exec "$1" ethtool -K "$2" tso off gso off gro off tx-udp-segmentation off \
    rx-udp-gro-forwarding off rx-gro-list off
  ip -n "$1" link set "$2" up
}

forward_everything() {
  local namespace
  for namespace in "$home_ns" "$carrier_ns"; do
    ip netns exec "$namespace" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  done
}

route_v4() {
  ip -n "$(client_ns 1)" address add "$line_lan_v4.2/24" dev outside
  ip -n "$home_ns" address add "$line_lan_v4.1/24" dev lan
  ip -n "$home_ns" address add 192.0.0.2/29 dev line4
  ip -n "$carrier_ns" address add 192.0.0.1/29 dev line4
  ip -n "$carrier_ns" address add 192.0.2.254/24 dev world
  ip -n "$server_ns" address add "$server_v4/24" dev world
  ip -n "$(client_ns 1)" route add default via "$line_lan_v4.1"
  ip -n "$home_ns" route add default via 192.0.0.1
  ip -n "$carrier_ns" route add "$line_lan_v4.0/24" via 192.0.0.2
  ip -n "$server_ns" route add default via 192.0.2.254
}

route_v6() {
  ip -n "$(client_ns 1)" address add "$line_lan_v6:2/64" dev outside nodad
  ip -n "$home_ns" address add "$line_lan_v6:1/64" dev lan nodad
  ip -n "$home_ns" address add 2001:db8:1::2/64 dev line6 nodad
  ip -n "$carrier_ns" address add 2001:db8:1::1/64 dev line6 nodad
  ip -n "$carrier_ns" address add 2001:db8::fe/64 dev world nodad
  ip -n "$server_ns" address add "$server_v6/64" dev world nodad
  ip -n "$(client_ns 1)" route add default via "$line_lan_v6:1"
  ip -n "$home_ns" route add default via 2001:db8:1::1
  ip -n "$carrier_ns" route add "$line_lan_v6:/64" via 2001:db8:1::2
  ip -n "$server_ns" route add default via 2001:db8::fe
}

# translate_v4 SECONDS: the carrier's NAT44, which forgets a UDP flow that is silent for so long.
translate_v4() {
  in_carrier nft -f - <<'EOF'
table ip nat44 {
  chain leaving {
    type nat hook postrouting priority srcnat; policy accept
    oifname "world" masquerade fully-random
  }
}
EOF
  in_carrier sysctl -qw net.netfilter.nf_conntrack_udp_timeout="$1" \
    net.netfilter.nf_conntrack_udp_timeout_stream="$1"
}

# forget_flows: as if the NAT44 had been silent for too long or had been restarted.
forget_flows() { in_carrier conntrack -F >>"$work/conntrack.log" 2>&1; }

# block_too_big NAMESPACE
block_too_big() {
  ip netns exec "$1" nft -f - <<'EOF'
table inet stealth {
  chain said {
    type filter hook output priority filter; policy accept
    icmp type destination-unreachable drop
    icmpv6 type { destination-unreachable, packet-too-big } drop
  }
  chain passed {
    type filter hook forward priority filter; policy accept
    icmp type destination-unreachable drop
    icmpv6 type { destination-unreachable, packet-too-big } drop
  }
}
EOF
}

count_fragments() {
  ip netns exec "$1" nft -f - <<'EOF'
table inet watch {
  counter fragments_v4 { }
  counter fragments_v6 { }
  chain arriving {
    type filter hook prerouting priority -450; policy accept
    ip frag-off & 0x3fff != 0 counter name fragments_v4
    exthdr frag exists counter name fragments_v6
  }
}
EOF
}

# fragments_in NAMESPACE: how many have arrived there since fragments_forget, of all flows.
fragments_in() {
  {
    ip netns exec "$1" nft list counter inet watch fragments_v4
    ip netns exec "$1" nft list counter inet watch fragments_v6
  } | awk '$1 == "packets" { sum += $2 } END { print sum + 0 }'
}
# fragments: those that the two routers have been sent.
fragments() { echo $(($(fragments_in "$home_ns") + $(fragments_in "$carrier_ns"))); }
fragments_forget() {
  in_home nft reset counters >/dev/null
  in_carrier nft reset counters >/dev/null
}

# path_is MTU: the server, asked by SIGUSR2, says that this is proven, and nothing else.
path_is() {
  local before
  before=$(path_reports)
  kill -USR2 "$server_pid"
  wait_for 5 more_path_reports_than "$before" || return 1
  grep -o 'path MTU .*' server.log | tail -n "+$((before + 1))" | tee path.log
  ! grep -vqx "path MTU $1 (proven)" path.log
}
path_reports() { grep -c 'path MTU' server.log || true; }
more_path_reports_than() { (($(path_reports) > $1)); }

# --- Either client ----------------------------------------------------------------------------

read -ra ringway_client <<<"${RINGWAY_CLIENT_COMMAND:-${server_command[0]} client}"

# start_a_client stock|ringway CONFIG: client number 1, in the background.
start_a_client() {
  local command=(openvpn --suppress-timestamps)
  [[ $1 == stock ]] || command=("${ringway_client[@]}")
  : >"$work/client1.log"
  ip netns exec "$(client_ns 1)" "${command[@]}" --config "$2" >>"$work/client1.log" 2>&1 \
    </dev/null &
  client_pids[1]=$!
}
client_connections() {
  grep -cE 'Initialization Sequence Completed| connected: ' "$work/client1.log" || true
}
client_has_connected() { (($(client_connections) >= 1)); }
