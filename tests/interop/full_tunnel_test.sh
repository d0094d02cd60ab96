#!/bin/bash
# `ringway client` as the way of all traffic: `redirect-gateway` of both families through a router,
# routes beside the tunnel, name servers, `block-ipv6`, and that the host's routes are what they
# were, byte for byte: when the client ends, and when it was killed and its successor has ended.
#
#   namespace <run>-client1         namespace <run>-router          namespace <run>-server
#   +------------------------+      +----------------------+        +------------------------+
#   | outside  192.168.7.2   |      | home    192.168.7.1  |        | net  192.0.2.1         |
#   |          fd07::2       |======|         fd07::1      |        |      2001:db8::1       |
#   | default via the router |      |         fe80::1      |        | lo   203.0.113.80      |
#   | (IPv6: via fe80::1)    |      | net     192.0.2.2    |========|      2001:db8:80::80   |
#   | tun0     10.8.0.x      |      |         2001:db8::2  |        | tun0 10.8.0.1, fd00:8::1 |
#   +------------------------+      +----------------------+        +------------------------+
#
# 203.0.113.80 stands for the Internet: it answers with the address that it was called from, which
# is the client's inner one when the call came through the tunnel, and 192.168.7.2 or fd07::2
# beside it.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

far_v4=203.0.113.80
far_v6=2001:db8:80::80
far_port=8080

if is_stock_server; then
  ringway_client=("$source_root/build/tools/ringway" client)
else
  ringway_client=("${server_command[0]}" client)
fi

# --- The network ------------------------------------------------------------------------------

network_up() {
  topology_up 0
  make_certificate "$work" ca client1 client
  router_ns=$run_name-router
  add_namespace "$router_ns"
  add_namespace "$(client_ns 1)"
  link_up "$(client_ns 1)" outside "$router_ns" home
  link_up "$server_ns" net "$router_ns" net
  ip netns exec "$router_ns" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  add_address "$router_ns" home 192.168.7.1/24 fd07::1/64
  ip -n "$router_ns" address add fe80::1/64 dev home
  add_address "$router_ns" net 192.0.2.2/24 2001:db8::2/64
  add_address "$(client_ns 1)" outside 192.168.7.2/24 fd07::2/64
  ip -n "$(client_ns 1)" route add default via 192.168.7.1 dev outside proto dhcp metric 100
  ip -n "$(client_ns 1)" -6 route add default via fe80::1 dev outside proto ra metric 1024
  add_address "$server_ns" net "$server_v4/24" "$server_v6/64"
  # A second address of the server, to move to.
  add_address "$server_ns" net 192.0.2.7/24 2001:db8::7/64
  add_address "$server_ns" lo "$far_v4/32" "$far_v6/128"
  ip -n "$server_ns" route add default via 192.0.2.2
  ip -n "$server_ns" -6 route add default via 2001:db8::2
  ip -n "$router_ns" route add 203.0.113.0/24 via "$server_v4"
  ip -n "$router_ns" -6 route add 2001:db8:80::/64 via "$server_v6"
  start_helper "$server_ns" "$interop_dir/who_called.py" "$far_port" >far.log 2>&1
  require 'the Internet is there' wait_for 20 grep -q listening far.log
  fake_programs
}

link_up() {
  ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
  ip -n "$1" link set "$2" up
  ip -n "$3" link set "$4" up
}

add_address() {
  ip -n "$1" address add "$3" dev "$2"
  ip -n "$1" address add "$4" dev "$2" nodad
}

# resolvectl and resolvconf that write down how they were called.
fake_programs() {
  mkdir -p "$work/with-resolvectl" "$work/with-resolvconf"
  cat >"$work/with-resolvectl/resolvectl" <<END
#!/bin/sh
echo "resolvectl \$*" >>"$work/calls"
END
  cat >"$work/with-resolvconf/resolvconf" <<END
#!/bin/sh
{ echo "resolvconf \$*"; [ "\$1" != -a ] || sed 's/^/  /'; } >>"$work/calls"
END
  chmod +x "$work"/with-*/*
  : >"$work/calls"
}

# --- The client -------------------------------------------------------------------------------

# profile REMOTE [LINE...]
profile() {
  local remote=$1
  shift
  printf '%s\n' client 'dev tun0' nobind 'remote-cert-tls server' 'connect-retry 1 2' 'verb 4' \
    "remote $remote $server_port" "ca $work/ca.crt" "cert $work/client1.crt" \
    "key $work/client1.key" "undo-directory $work/undo" "$@"
}

# What starts the client, if it is to find something of this machine otherwise.
client_wrapper=()

# start_ringway_client [PATH-FOLDER]: with client.ovpn.
start_ringway_client() {
  : >"$work/client1.log"
  PATH="$work/${1:-with-nothing}:$PATH" ip netns exec "$(client_ns 1)" "${client_wrapper[@]}" \
    "${ringway_client[@]}" client.ovpn >>"$work/client1.log" 2>&1 </dev/null &
  client_pids[1]=$!
}

has_connected() { (($(grep -c ' connected: ' "$work/client1.log") >= $1)); }
connects() {
  wait_for 40 has_connected "${1:-1}" || {
    tail -n 20 "$work/client1.log" "$work/server.log"
    return 1
  }
}

ends() {
  local pid=${client_pids[1]} status=timeout
  kill -TERM "$pid"
  if wait_for 20 process_is_gone "$pid"; then
    status=0
    wait "$pid" || status=$?
  fi
  unset 'client_pids[1]'
  [[ $status == 0 ]] || { tail -n 20 "$work/client1.log"; return 1; }
}

is_killed() {
  kill -KILL "${client_pids[1]}"
  wait "${client_pids[1]}" 2>/dev/null || true
  unset 'client_pids[1]'
  wait_for 10 tun_is_gone
}
tun_is_gone() { [[ $(ip -n "$(client_ns 1)" -o link show) != *": tun"* ]]; }

# The whole of it, as `ip` prints it. Counters of time are no part of it.
tables() {
  ip -n "$(client_ns 1)" route show table all
  ip -n "$(client_ns 1)" -6 route show table all | sed 's/ expires [0-9]*sec//'
  ip -n "$(client_ns 1)" rule
  ip -n "$(client_ns 1)" -6 rule
}
remember_tables() { tables >"$work/tables.before"; }
tables_are_as_before() {
  tables >"$work/tables.after"
  cmp -s "$work/tables.before" "$work/tables.after" || {
    diff "$work/tables.before" "$work/tables.after"
    return 1
  }
}
nothing_is_left() {
  check "the host's routes and rules are as before, byte for byte ($label)" \
    wait_for 10 tables_are_as_before
  check "the journal says nothing any more ($label)" test -z "$(find "$work/undo" -type f -size +0)"
  check "no sanitizer or assertion spoke up ($label)" logs_are_clean
}
logs_are_clean() {
  server_log_is_clean && ! grep -E 'Sanitizer|runtime error:|assertion|ASSERT' "$work/client1.log"
}

# far_sees 4|6 PREFIX: a call to the Internet comes from an address that begins so.
far_sees() {
  local host=$far_v4 seen
  [[ $1 == 4 ]] || host="[$far_v6]"
  seen=$(in_client 1 curl -s -m 10 "http://$host:$far_port/") || {
    echo "no answer"
    return 1
  }
  echo "called from $seen"
  [[ $seen == "$2"* ]]
}

# outer_packets_go_beside 4|6: through the router, and nothing else does.
outer_packets_go_beside() {
  local host=$far_v4
  [[ $1 == 4 ]] || host=$far_v6
  : >seen.err
  ip netns exec "$router_ns" tcpdump -nn -i home -l >seen.log 2>seen.err &
  helper_pids+=($!)
  local dump=$!
  wait_for 10 grep -q listening seen.err || return 1
  in_client 1 ping "-$1" -c 3 -i 0.2 -W 3 "$host" || return 1
  wait_for 5 grep -q "\\.$server_port" seen.log
  kill "$dump" 2>/dev/null || true
  cat seen.log
  grep -q "\\.$server_port" seen.log && ! grep -Fq "$host" seen.log
}

push_lines() { printf 'push "%s"\n' "$@"; }

start_pushing_server() {
  server_config "$(push_lines "$@")" >server.conf
  require "server starts ($label)" start_server server.conf
}

# --- The cases --------------------------------------------------------------------------------

# full_tunnel_case ringway|stock OUTER: all traffic, pushed; then killed; then again.
full_tunnel_case() {
  local server=$1 outer=$2 remote=$server_v4
  label="$server server, outer IPv$outer"
  [[ $server == ringway ]] || server_command=(openvpn)
  [[ $outer == 4 ]] || remote=$server_v6
  network_up
  start_pushing_server 'redirect-gateway def1 ipv6 bypass-dhcp' 'dhcp-option DNS 10.8.0.1' \
    'dhcp-option DNS6 fd00:8::1' 'dhcp-option DOMAIN example.com' \
    'dhcp-option DOMAIN-SEARCH lab.example.com' 'route 198.51.100.0 255.255.255.0 net_gateway'
  profile "$remote" >client.ovpn
  remember_tables
  check "before, calls go beside ($label)" far_sees 4 192.168.7.2
  start_ringway_client with-resolvectl
  require "the client connects ($label)" connects
  carries_everything "$outer"
  check "systemd-resolved is told ($label)" wait_for 20 calls_are \
    'resolvectl status' 'resolvectl dns tun0 10.8.0.1 fd00:8::1' \
    'resolvectl default-route tun0 yes' \
    'resolvectl domain tun0 example.com lab.example.com ~.'
  check "SIGTERM ends it ($label)" ends
  check "systemd-resolved is told again ($label)" grep -qx 'resolvectl revert tun0' "$work/calls"
  nothing_is_left
  check "calls go beside again ($label)" far_sees 6 fd07::2
  survives_kills "$outer"
  stop_server || true
}

carries_everything() {
  check "inner IPv4 goes through the tunnel ($label)" far_sees 4 10.8.0.
  check "inner IPv6 goes through the tunnel ($label)" far_sees 6 fd00:8:
  check "what seals IPv4 goes beside ($label)" outer_packets_go_beside 4
  check "what seals IPv6 goes beside ($label)" outer_packets_go_beside 6
  check "the server has a route of its own ($label)" \
    grep -q 'dev outside' <(ip -n "$(client_ns 1)" "-$1" route show proto 82)
  check "net_gateway is the host's ($label)" \
    grep -q 'via 192.168.7.1 dev outside' <(ip -n "$(client_ns 1)" route get 198.51.100.9)
}

calls_are() {
  printf '%s\n' "$@" >"$work/calls.wanted"
  diff "$work/calls.wanted" "$work/calls"
}

# Killed when it stands, while it is being set up, and by resolvconf's record.
survives_kills() {
  local moment
  for moment in 'route beside the tunnel' 'connected: '; do
    start_ringway_client with-resolvconf
    require "it starts ($label, to be killed at '$moment')" \
      wait_for 40 client_log_has 1 "$moment"
    check "it is killed ($label, at '$moment')" is_killed
  done
  start_ringway_client with-resolvconf
  require "its successor connects ($label)" connects
  check "and says what it undid ($label)" client_log_has 1 'undone, as a client that was killed'
  carries_everything "$1"
  check "resolvconf is told ($label)" wait_for 20 grep -q 'nameserver 10.8.0.1' "$work/calls"
  check "its successor ends ($label)" ends
  check "resolvconf has no record left ($label)" resolvconf_is_balanced
  nothing_is_left
  start_ringway_client with-resolvconf
  require "it connects once more ($label)" connects
  check "it is killed once more ($label)" is_killed
  profile 192.0.2.99 'connect-retry-max 1' 'connect-timeout 2' >client.ovpn
  start_ringway_client with-resolvconf
  check "a successor that cannot connect undoes as well ($label)" wait_for 30 tables_are_as_before
  wait "${client_pids[1]}" || true
  unset 'client_pids[1]'
  nothing_is_left
}
# Each record that was made was deleted, and the last call is a deletion.
resolvconf_is_balanced() {
  [[ $(grep resolvconf "$work/calls" | tail -1) == 'resolvconf -d tun0.ringway' ]]
}

# persistent_case: a kept device does not swallow what goes to another address of the server.
persistent_case() {
  label='persist-tun, the server moves'
  network_up
  start_pushing_server 'redirect-gateway def1 ipv6' 'dhcp-option DNS 10.8.0.1'
  etc=/etc/netns/$(client_ns 1)
  trap 'status=$?; rm -rf "$etc"; (exit "$status"); topology_down' EXIT
  mkdir -p "$etc"
  printf '%s\n' '192.0.2.1 vpn.test' '10.99.0.7 files.test' >"$etc/hosts"
  profile vpn.test 'persist-tun' 'route files.test' 'route nobody.test' >client.ovpn
  remember_tables
  start_ringway_client with-resolvconf
  require "the client connects ($label)" connects
  check "resolvconf is told ($label)" wait_for 20 grep -q 'resolvconf -a' "$work/calls"
  check "a route leads to the host that was named ($label)" \
    grep -q '^10.99.0.7 ' <(ip -n "$(client_ns 1)" route show dev tun0)
  check "a name without an address is left aside ($label)" \
    client_log_has 1 'nobody.test. is left aside'
  # The mount namespace of the client sees this very file.
  printf '%s\n' '192.0.2.7 vpn.test' '10.99.0.7 files.test' >"$etc/hosts"
  kill -USR1 "${client_pids[1]}"
  check "it connects to the new address ($label)" connects 2
  check "meanwhile the host's own name servers are asked ($label)" wait_for 20 calls_were \
    'resolvconf -a tun0.ringway' 'resolvconf -d tun0.ringway' 'resolvconf -a tun0.ringway'
  check "the new address has a route of its own ($label)" \
    grep -q '^192.0.2.7 ' <(ip -n "$(client_ns 1)" route show proto 82)
  check "the old one has none any more ($label)" \
    refuse grep -q '^192.0.2.1 ' <(ip -n "$(client_ns 1)" route show proto 82)
  check "inner IPv4 goes through the tunnel ($label)" far_sees 4 10.8.0.
  check "it ends ($label)" ends
  nothing_is_left
  stop_server || true
}

calls_were() {
  printf '%s\n' "$@" >"$work/calls.wanted"
  diff "$work/calls.wanted" <(grep resolvconf "$work/calls")
}

# profile_case: the profile's own lines, IPv6 blocked, and no program for name servers.
profile_case() {
  label="the profile's own lines"
  network_up
  start_pushing_server 'dhcp-option DNS 10.8.0.1'
  profile "$server_v6" 'redirect-gateway def1' 'block-ipv6' 'redirect-private block-local' \
    'route 198.51.100.0 255.255.255.0 192.168.7.9' 'route remote_host 255.255.255.255 net_gateway' \
    >client.ovpn
  remember_tables
  start_ringway_client
  require "the client connects ($label)" connects
  check "IPv4 goes through the tunnel ($label)" far_sees 4 10.8.0.
  check "IPv6 is unreachable at once ($label)" ipv6_is_refused
  check "but not the server ($label)" \
    grep -q 'via fe80::1 dev outside' <(ip -n "$(client_ns 1)" -6 route get "$server_v6")
  check "the LAN goes into the tunnel ($label)" \
    grep -q 'dev tun0' <(ip -n "$(client_ns 1)" route get 192.168.7.77)
  check "but not its gateway ($label)" \
    grep -q 'dev outside' <(ip -n "$(client_ns 1)" route get 192.168.7.1)
  check "a neighbour is a gateway ($label)" \
    grep -q 'via 192.168.7.9 dev outside' <(ip -n "$(client_ns 1)" route get 198.51.100.9)
  check "it says that nothing sets name servers ($label)" \
    client_log_has 1 'name servers are not set .10.8.0.1.*neither systemd-resolved nor resolvconf'
  check "it is killed ($label)" is_killed
  start_ringway_client
  require "its successor connects over IPv6 ($label)" connects
  check "it ends ($label)" ends
  nothing_is_left
  stop_server || true
}

ipv6_is_refused() {
  local status=0
  in_client 1 curl -s -m 10 "http://[$far_v6]:$far_port/" || status=$?
  # 7 is "cannot connect", 28 would be a timeout.
  echo "curl: $status"
  ((status == 7))
}

# on_link_case: the server is on the LAN, and pushed networks cover it.
on_link_case() {
  label='a server on the link'
  network_up
  link_up "$(client_ns 1)" lan "$server_ns" lan
  add_address "$server_ns" lan 192.168.9.1/24 fd09::1/64
  add_address "$(client_ns 1)" lan 192.168.9.2/24 fd09::2/64
  start_pushing_server 'route 192.168.9.0 255.255.255.128' 'route-ipv6 fd09::/80'
  local remote
  for remote in 192.168.9.1 fd09::1; do
    profile "$remote" >client.ovpn
    remember_tables
    start_ringway_client
    require "the client connects to $remote ($label)" connects
    check "inner IPv4 to $remote ($label)" in_client 1 ping -c 2 -i 0.2 -W 3 "$inner_v4"
    check "the server $remote stays on the link ($label)" \
      grep -q 'dev lan' <(ip -n "$(client_ns 1)" route get "$remote")
    check "its neighbours do not ($label)" \
      grep -q 'dev tun0' <(ip -n "$(client_ns 1)" route get 192.168.9.9)
    check "it ends ($label)" ends
    nothing_is_left
  done
  stop_server || true
}

# scripts_case: OpenVPN's scripts, by a user without privileges.
scripts_case() {
  label='scripts and `user`'
  network_up
  # As udev makes it; in a container it may be root's alone.
  mknod -m 666 "$work/tun" c 10 200
  client_wrapper=(sh -c "mount --bind '$work/tun' /dev/net/tun && exec \"\$@\"" sh)
  start_pushing_server 'redirect-gateway def1' 'dhcp-option DNS 10.8.0.1'
  cat >script <<END
#!/bin/sh
echo "\$script_type \$(id -un) \$dev \$ifconfig_local \$foreign_option_1 \$*" >>"$work/scripts"
END
  chmod 755 script
  : >scripts
  chmod 666 scripts
  profile "$server_v4" 'user nobody' 'group nogroup' 'script-security 2' "up $work/script" \
    "down $work/script" "route-up '$work/script its word'" 'dns-updown disable' >client.ovpn
  remember_tables
  start_ringway_client
  require "the client connects ($label)" connects
  check "it has become nobody ($label)" client_is_nobody
  check "inner IPv4 goes through the tunnel ($label)" far_sees 4 10.8.0.
  check "up and route-up are run ($label)" wait_for 20 grep -q \
    'route-up nobody tun0 10.8.0.[0-9]* dhcp-option DNS 10.8.0.1 its word' scripts
  check "up was the first ($label)" \
    grep -Eq '^up nobody tun0 10.8.0.[0-9]+ .* tun0 1500 0 10.8.0.[0-9]+ 255.255.255.0 init$' \
    <(head -1 scripts)
  kill -USR1 "${client_pids[1]}"
  check "it connects anew without privileges ($label)" connects 2
  check "it ends ($label)" ends
  check "down is run ($label)" grep -Eq '^down nobody tun0 ' <(tail -1 scripts)
  nothing_is_left

  printf '%s\n' '#!/bin/sh' 'exit 3' >script
  start_ringway_client
  check "a client whose up fails ends by itself ($label)" \
    wait_for 40 process_is_gone "${client_pids[1]}"
  check "and says so ($label)" client_log_has 1 '`up` failed .status 3'
  unset 'client_pids[1]'
  nothing_is_left
  stop_server || true
}
# ip(8) has become the client.
client_is_nobody() { [[ $(ps -o user= -p "${client_pids[1]}") == nobody ]]; }

one_case() {
  case $1 in
    persistent) persistent_case ;;
    profile) profile_case ;;
    on-link) on_link_case ;;
    scripts) scripts_case ;;
    *) full_tunnel_case "$@" ;;
  esac
}

cases=('ringway 4' 'ringway 6' 'stock 4' 'stock 6' persistent profile on-link scripts)
if is_stock_server; then mapfile -t cases < <(printf '%s\n' "${cases[@]}" | grep -v '^ringway'); fi
if [[ -n ${RINGWAY_CASE:-} ]]; then cases=("$RINGWAY_CASE"); fi
in_parallel 4 one_case "${cases[@]}"
done_testing
