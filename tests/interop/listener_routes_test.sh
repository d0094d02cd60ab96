#!/bin/bash
# Which way a listener's packets come and go: `local` with a name, with both families behind it, and
# with a link-local address; `bind-dev` with an interface and with a VRF; `mark`, by a policy rule
# without which the answers would be lost. What cannot be served is refused with the line to change.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

if is_stock_server; then
  skip 'routes of a listener' 'OpenVPN 2.6 takes the first address of a name'
  done_testing
  exit
fi
topology_up 2
# `ip netns exec` shows the namespace this file as /etc/hosts.
mkdir -p "/etc/netns/$server_ns"
trap 'status=$?; rm -rf "/etc/netns/$server_ns"; (exit $status); topology_down' EXIT
cat >"/etc/netns/$server_ns/hosts" <<HOSTS
127.0.0.1 localhost
$server_v4 vpn.test four.test
$server_v6 vpn.test
198.51.100.77 elsewhere.test
HOSTS

says() { wait_for 5 grep -qF "$1" server.log; }
connects_by() { # connects_by NUMBER LINE...: a client of these lines, which stays.
  local number=$1
  shift
  client_config "$number" none "$@" >"client$number.conf"
  start_client "$number" "client$number.conf"
  client_connects "$number" && in_client "$number" ping -c 2 -i 0.2 -W 2 "$inner_v4"
}
stays_out() { # stays_out NUMBER LINE...: one attempt, which fails.
  local number=$1
  shift
  client_config "$number" none 'connect-timeout 6' 'connect-retry-max 1' "$@" |
    sed '/^connect-timeout 20/d' >"client$number.conf"
  start_client "$number" "client$number.conf"
  wait_for 60 process_is_gone "${client_pids[$number]}" && ! client_is_connected "$number"
}

# --- A name ---------------------------------------------------------------------------------------

server_config 'local vpn.test' >server.conf
require 'a server with a name for an address starts' start_server server.conf
check 'the log says that the name is served over IPv4' \
  says "udp: serving IPv4 on $server_v4:1194, no IPv6 (local vpn.test)"
check 'the log says that the name is served over IPv6' \
  says "udp: serving IPv6 on [$server_v6]:1194, no IPv4 (IPV6_V6ONLY=1) (local vpn.test)"
check 'a client comes in by the IPv4 address of the name' \
  connects_by 1 "remote $server_v4 1194 udp4"
check 'a client comes in by the IPv6 address of the name' \
  connects_by 2 "remote $server_v6 1194 udp6"
stop_client 1
stop_client 2
check 'SIGTERM ends it' stop_server

check 'a name without an address is refused' \
  refuses '`local nowhere.invalid`: ' 'local nowhere.invalid'
check 'a name of another machine is refused' \
  refuses '`local elsewhere.test` is 198.51.100.77, and this machine does not have the address' \
  'local elsewhere.test'
check 'a name without an address of the wanted family is refused with what to write' \
  refuses 'write `local four.test 1194 udp`' 'local four.test 1194 udp6'

# --- A link-local address -------------------------------------------------------------------------

ip -n "$server_ns" address add fe80::1/64 dev client1 nodad
server_config 'local fe80::1%client1' >server.conf
require 'a server with a link-local address starts' start_server server.conf
check 'a client comes in by it' connects_by 1 'remote fe80::1%outside 1194 udp6'
stop_client 1
check 'SIGTERM ends it, too' stop_server
check 'a link-local address without its interface is refused' \
  refuses 'does not say on which interface' 'local fe80::1'
check 'an interface that is not there is refused' \
  refuses 'this machine has no such interface' 'local fe80::1%nowhere0'

# --- An address that goes and returns ---------------------------

server_config "local $server_v4" "local $server_v6" 'keepalive 1 60' >server.conf
require 'a server with two literal addresses starts' start_server server.conf
check 'a client comes in by the IPv6 address' connects_by 2 "remote $server_v6 1194 udp6"
ip -n "$server_ns" address delete "$server_v6/128" dev client1
ip -n "$server_ns" address delete "$server_v6/128" dev client2
check 'the log says that the address is gone' \
  says "local $server_v6 is gone from client1: clients that use it cannot be answered"
check 'clients of the other address are served meanwhile' \
  connects_by 1 "remote $server_v4 1194 udp4"
ip -n "$server_ns" address add "$server_v6/128" dev client2 nodad
ip -n "$server_ns" route replace "$(outer_v6 2)" dev client2 src "$server_v6"
check 'the log says that it is back' \
  says "local $server_v6 is back, on client2: clients are served by it again"
check 'the connected client goes on' \
  wait_for 30 in_client 2 ping -c 1 -W 1 "$inner_v4"
check 'it did not have to connect again' bash -c "[[ $(connection_count 2) == 1 ]]"
stop_client 2
check 'a new client comes in by it' connects_by 2 "remote $server_v6 1194 udp6"
stop_client 1
stop_client 2
check 'SIGTERM ends it with its addresses' stop_server

# --- bind-dev -------------------------------------------------------------------------------------

server_config 'bind-dev client1' >server.conf
require 'a server of one interface starts' start_server server.conf
check 'a client comes in by the interface' connects_by 1 "remote $server_v4 1194 udp4"
check 'a client of another interface stays out' stays_out 2 "remote $server_v6 1194 udp6"
stop_client 1
stop_client 2
check 'SIGTERM ends it once more' stop_server
check 'an interface to bind to that is not there is refused' \
  refuses 'bind-dev nowhere0: this machine has no such interface' 'bind-dev nowhere0'

if ip -n "$server_ns" link add red type vrf table 10 2>/dev/null; then
  ip -n "$server_ns" link set red up
  ip -n "$server_ns" link set client2 master red
  ip -n "$server_ns" address replace "$server_v6/128" dev client2 nodad
  ip -n "$server_ns" route replace "$(outer_v6 2)" dev client2 table 10
  server_config 'bind-dev red' >server.conf
  require 'a server in a VRF starts' start_server server.conf
  check 'a client comes in by the VRF' connects_by 2 "remote $server_v6 1194 udp6"
  stop_client 2
  check 'SIGTERM ends it in a VRF' stop_server
  ip -n "$server_ns" link delete red
else
  skip 'a server in a VRF' 'this kernel has no VRFs'
fi

# --- mark -----------------------------------------------------------------------------------------

# Answers to client 1 find their way by table 42 alone.
ip -n "$server_ns" route add blackhole "$(outer_v4 1)" metric 0 2>/dev/null || true
ip -n "$server_ns" rule add to "$(outer_v4 1)" priority 100 blackhole
ip -n "$server_ns" rule add fwmark 0x2a priority 50 table 42
ip -n "$server_ns" route add "$(outer_v4 1)" dev client1 src "$server_v4" table 42
server_config 'mark 0x2a' >server.conf
require 'a server with a mark starts' start_server server.conf
check 'its answers follow the rule for the mark' connects_by 1 "remote $server_v4 1194 udp4"
stop_client 1
check 'SIGTERM ends it with a mark' stop_server
server_config >server.conf
require 'a server without a mark starts' start_server server.conf
check 'without the mark its answers are lost' stays_out 1 "remote $server_v4 1194 udp4"
stop_client 1
check 'SIGTERM ends it without a mark' stop_server
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
