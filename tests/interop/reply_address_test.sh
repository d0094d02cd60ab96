#!/bin/bash
# R19: on a host with several addresses of both families, the answer leaves from the address that
# the client wrote to. A client behind a NAT or a firewall would not accept any other.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

topology_up 3
second_v4=198.51.100.7
second_v6=2001:db8:7::7
# The second pair is on another interface of the server; the first pair stays the preferred source.
ip -n "$server_ns" address add "$second_v4/32" dev lo
ip -n "$server_ns" address add "$second_v6/128" dev lo nodad
# watch NUMBER PORT: what the client exchanges with that port of the server is in wire<NUMBER>.log.
watch() {
  start_helper "$(client_ns "$1")" "$interop_dir/wire.py" outside "$2" >"wire$1.log"
  watchers[$1]=$helper_pid
  wait_for 10 grep -q watching "wire$1.log"
}
watchers=()
for number in 1 2 3; do
  ip -n "$(client_ns "$number")" route add "$second_v4" via "$server_v4" dev outside onlink
  ip -n "$(client_ns "$number")" route add "$second_v6" via "$server_v6" dev outside onlink
  watch "$number" "$server_port"
done

server_config "tls-crypt $work/ta.key" >server.conf
require 'server starts' start_server server.conf
client_config 1 none "tls-crypt $work/ta.key" "remote $second_v4 $server_port udp4" >client1.conf
client_config 2 none "tls-crypt $work/ta.key" "remote $second_v6 $server_port udp6" >client2.conf
start_client 1 client1.conf
start_client 2 client2.conf
require 'a client of the second IPv4 address connects' client_connects 1
require 'a client of the second IPv6 address connects' client_connects 2

# answers_came_from NUMBER ADDRESS: every datagram of the server, handshake and data.
answers_came_from() {
  cat "wire$1.log"
  [[ $(grep '^server>client SERVER_ADDRESS' "wire$1.log") == "server>client SERVER_ADDRESS $2" ]]
}
for number in 1 2; do
  check "client $number reaches the server over inner IPv4" \
    in_client "$number" ping -c 3 -i 0.1 -W 2 "$inner_v4"
  check "client $number reaches the server over inner IPv6" \
    in_client "$number" ping -c 3 -i 0.1 -W 2 "$inner_v6"
  # GSO batches are sent by another path than single datagrams: a bulk transfer down covers it.
  client_v4=$(inner_address "$number" 4)
  start_helper "$(client_ns "$number")" "$interop_dir/transfer.py" receive "$client_v4" 5001 \
    >"receive$number.log" 2>&1
  wait_for 10 grep -q listening "receive$number.log"
  check "client $number downloads" \
    in_server "$interop_dir/transfer.py" send "$client_v4" 5001 $((2 << 20))
done
check 'all answers over IPv4 came from the second address' answers_came_from 1 "$second_v4"
check 'all answers over IPv6 came from the second address' answers_came_from 2 "$second_v6"
check 'SIGTERM ends the server' stop_server
check 'no sanitizer or assertion spoke up' server_log_is_clean

# On the socket of both families an IPv4 client is v4-mapped. An IPv4 socket has another way to say
# the source (IP_PKTINFO), and so a turn of its own.
stop_client 1
server_config "tls-crypt $work/ta.key" 'proto udp4' >server4.conf
require 'server of IPv4 alone starts' start_server server4.conf
start_client 1 client1.conf
require 'a client of the second IPv4 address connects to it' client_connects 1
check 'it reaches the server' in_client 1 ping -c 3 -i 0.1 -W 2 "$inner_v4"
check 'all answers came from the second address again' answers_came_from 1 "$second_v4"
check 'SIGTERM ends the server of IPv4 alone' stop_server
check 'no sanitizer or assertion spoke up' server_log_is_clean

# Several listeners: each has a socket of its own, of both families or of one.
if is_stock_server; then
  skip 'several listeners' 'OpenVPN 2.6 has one'
  done_testing
  exit
fi
stop_client 1
stop_client 2
server_config "tls-crypt $work/ta.key" 'local [::] 1194-1195' 'local 0.0.0.0 2194' \
  'local :: 3194 udp6' >listeners.conf
require 'server of several listeners starts' start_server listeners.conf
ports=('' 1195 1195 2194)
addresses=('' "$second_v4" "$second_v6" "$second_v4")
for number in 1 2 3; do
  stop_helper "${watchers[number]}"
  watch "$number" "${ports[number]}"
  client_config "$number" none "tls-crypt $work/ta.key" \
    "remote ${addresses[number]} ${ports[number]}" \
    "proto $([[ ${addresses[number]} == *:* ]] && echo udp6 || echo udp4)" >"client$number.conf"
  start_client "$number" "client$number.conf"
done
for number in 1 2 3; do
  require "a client of ${addresses[number]}, port ${ports[number]}, connects" \
    client_connects "$number"
  check 'it reaches the server' in_client "$number" ping -c 3 -i 0.1 -W 2 "$inner_v4"
  check 'all answers came from that address and port' \
    answers_came_from "$number" "${addresses[number]}"
done
check 'SIGTERM ends the server of several listeners' stop_server
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
