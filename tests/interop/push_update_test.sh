#!/bin/bash
# PUSH_UPDATE: what is pushed changes while clients are connected. The configuration's `push` lines
# are edited and SIGHUP says so; `ringway client`, and OpenVPN 2.7 where $RINGWAY_CLIENTS has one,
# follow at once, OpenVPN 2.6 at its next login. Nobody is disconnected, and where anything else of
# the configuration has changed, too, nothing is taken.
#
#   client1  ringway client     client2  OpenVPN 2.6     client3  OpenVPN 2.7

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"
# shellcheck source=tests/interop/client_versions.sh
. "$interop_dir/client_versions.sh"

if is_stock_server; then
  skip 'PUSH_UPDATE' 'OpenVPN 2.6 has none'
  done_testing
  exit
fi
ringway_client=("${server_command[0]}" client)

topology_up 3
write_config() {
  server_config 'push "route 192.168.50.0 255.255.255.0"' "$@" >server.conf
}
write_config 'push "route-ipv6 2001:db8:50::/64"'
require 'server starts' start_server server.conf --workers 2

: >client1.log
client_config 1 v6 >client1.conf
ip netns exec "$(client_ns 1)" "${ringway_client[@]}" client1.conf >>client1.log 2>&1 </dev/null &
client_pids[1]=$!
client_config 2 v4 'connect-retry 1 1' >client2.conf
start_client 2 client2.conf
require 'ringway client connects' wait_for 30 client_log_has 1 ' connected: '
require 'OpenVPN 2.6 connects' client_connects 2
followers=(1)
if client_program 2.7 >/dev/null; then
  client_config 3 v4 >client3.conf
  start_version 2.7 "$(client_ns 3)" client3.conf "$work/client3.log"
  client_pids[3]=$client_pid
  require 'OpenVPN 2.7 connects' client_connects 3
  followers+=(3)
else
  skip 'OpenVPN 2.7' 'RINGWAY_CLIENTS has none'
fi

# has_route NUMBER NETWORK: into the tunnel.
has_route() {
  local family=-4
  [[ $2 != *:* ]] || family=-6
  ip -n "$(client_ns "$1")" "$family" route show "$2" | grep -q 'dev tun0'
}
lacks_route() { ! has_route "$@"; }
reaches_server() { in_client "$1" ping -q -c 2 -i 0.2 -W 2 "$inner_v4"; }
for number in "${followers[@]}" 2; do
  check "client $number has the routes of its login" has_route "$number" 192.168.50.0/24
  check "client $number has the IPv6 one, too" has_route "$number" 2001:db8:50::/64
done

reload() { kill -HUP "$server_pid"; }
write_config 'push "route 192.168.51.0 255.255.255.0"'
reload
for number in "${followers[@]}"; do
  check "client $number gets a new route" wait_for 10 has_route "$number" 192.168.51.0/24
  check "client $number loses the other" wait_for 10 lacks_route "$number" 2001:db8:50::/64
  check "client $number keeps what was not changed" has_route "$number" 192.168.50.0/24
  check "client $number still reaches the server" reaches_server "$number"
done
check 'the log counts both' wait_for 10 server_log_has \
  "what is pushed has changed: ${#followers[@]} of the connected clients have been told, 1 take"
check 'OpenVPN 2.6 has what it had' has_route 2 2001:db8:50::/64
check 'and still reaches the server' reaches_server 2
# By the server's log: OpenVPN 2.7 says that its initialization is complete after an update, too.
logins_of() { grep -c "client$1/.*: connected as peer" "$work/server.log"; }
for number in "${followers[@]}" 2; do
  check "client $number did not log in again" test "$(logins_of "$number")" = 1
done
kill -USR1 "${client_pids[2]}"
check 'OpenVPN 2.6 logs in again' wait_for 20 client_is_connected 2 2
check 'and has the new route' wait_for 10 has_route 2 192.168.51.0/24

write_config 'push "route 192.168.52.0 255.255.255.0"' 'max-clients 7'
reload
check 'more than that needs a restart, says the log' wait_for 10 server_log_has \
  'what is pushed stays as it is: .*max-clients 7. is new'
write_config 'push "route 192.168.52.0 255.255.255.0"' 'max-clients many'
reload
check 'a mistake is named with its line' wait_for 10 server_log_has \
  'what is pushed stays as it is: .*server\.conf:[0-9]+.*max-clients'
mapfile -t many < <(printf 'push "dhcp-option DOMAIN %0200d.example"\n' {1..300})
write_config "${many[@]}"
reload
check 'more than fits into the messages of a push is refused' wait_for 10 server_log_has \
  'what is pushed stays as it is: .*what is pushed fills [0-9]+ messages'
for number in "${followers[@]}"; do
  check "client $number was told nothing" lacks_route "$number" 192.168.52.0/24
done

write_config 'push "redirect-gateway def1"' 'push "route 192.168.51.0 255.255.255.0"'
reload
check 'all traffic can be led into the tunnel' wait_for 10 has_route 1 0.0.0.0/1
check 'and the server is still reached' reaches_server 1
write_config
reload
check 'and back' wait_for 10 lacks_route 1 0.0.0.0/1
check 'with the last route that was pushed' wait_for 10 lacks_route 1 192.168.51.0/24
check 'the client is still connected' reaches_server 1

kill -TERM "${client_pids[1]}"
wait "${client_pids[1]}" || true
check 'no route is left behind' lacks_route 1 192.168.50.0/24
check 'SIGTERM ends the server' stop_server
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
