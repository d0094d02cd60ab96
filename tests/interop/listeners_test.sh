#!/bin/bash
# Several listeners in one process: a literal IPv4 address with a range of ports, an IPv6 wildcard
# in brackets with another range, one of both families. Clients of every listener pass traffic at
# the same time, and what is for one never leaves by the socket of another (B03). What each listener
# serves is said at the start. What cannot be listened on is refused with the line to change.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

if is_stock_server; then
  skip 'several listeners' 'OpenVPN 2.6 has one'
  done_testing
  exit
fi
topology_up 4

server_config "local $server_v4 1194-1196" 'local [::] 2194-2195 udp6' 'local *' 'port 3194' \
  >server.conf
require 'server starts' start_server server.conf
says() { wait_for 5 grep -qF "$1" server.log; }
for port in 1194 1195 1196; do
  check "the log says what port $port serves" \
    says "udp: serving IPv4 on $server_v4:$port, no IPv6"
done
for port in 2194 2195; do
  check "the log says what port $port serves" \
    says "udp6: serving IPv4 on 0.0.0.0:$port and IPv6 on [::]:$port"
done
check 'the log says what port 3194 serves' \
  says 'udp: serving IPv4 on 0.0.0.0:3194 and IPv6 on [::]:3194'

client_config 1 none "remote $server_v4 1196 udp4" >client1.conf
client_config 2 none "remote $server_v6 2195 udp6" >client2.conf
client_config 3 none "remote $server_v4 2194 udp4" >client3.conf
client_config 4 none "remote $server_v6 3194 udp6" >client4.conf
for number in 1 2 3 4; do start_client "$number" "client$number.conf"; done
for number in 1 2 3 4; do
  require "client $number connects to its listener" client_connects "$number"
done
for number in 1 2 3 4; do
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
check 'SIGTERM ends the server' stop_server
check 'no sanitizer or assertion spoke up' server_log_is_clean

check 'an address twice is refused' \
  refuses 'line listens on' "local $server_v4" "local $server_v4 1194-1195"
check 'an address beside all addresses is refused' \
  refuses 'line listens on' "local $server_v4" 'local *'
check 'too many listeners are refused' \
  refuses 'one listener too many: 16 are allowed' 'port 1-65535'
check 'an address of another host is refused' \
  refuses 'this machine does not have the address' 'local 198.51.100.77'
done_testing
