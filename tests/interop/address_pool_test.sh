#!/bin/bash
# Addresses and pools that are written without `server`, a tunnel without IPv4, and the file of
# leases: what one server writes the next one reads, be it Ringway or stock OpenVPN, and everybody
# keeps his address.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

topology_up 2
for number in 1 2; do
  ((number == 1)) && family=v4 || family=v6
  client_config "$number" "$family" >"client$number.conf"
done

# by_hand [LINE...]: what `server` and `server-ipv6` would write, with other addresses.
by_hand() {
  server_config "$@" | grep -v '^server'
  cat <<EOF
mode server
tls-server
ifconfig 10.8.0.1 255.255.255.0
ifconfig-pool 10.8.0.100 10.8.0.109 255.255.255.0
ifconfig-ipv6 fd00:8::1/64 fd00:8::2
ifconfig-ipv6-pool fd00:8::a00/64
push "topology subnet"
push "route-gateway 10.8.0.1"
push tun-ipv6
EOF
}

connect() {
  start_client "$1" "client$1.conf"
  require "client $1 connects" client_connects "$1" 40
}
lines_in_file() { [[ $(grep -c '^client[12],' leases.txt) == "$1" ]]; }
end_all() {
  local number
  for number in "${!client_pids[@]}"; do stop_client "$number"; done
  check "$1 ends" stop_server
}

by_hand "ifconfig-pool-persist $work/leases.txt 1" >server.conf
require 'server starts without the line `server`' start_server server.conf
connect 1
connect 2
for number in 1 2; do
  check "client $number reaches the server over IPv4" \
    in_client "$number" ping -q -c 2 -i 0.1 -W 2 "$inner_v4"
  check "client $number reaches the server over IPv6" \
    in_client "$number" ping -q -c 2 -i 0.1 -W 2 "$inner_v6"
  before[number]=$(inner_address "$number" 4)/$(inner_address "$number" 6)
done
check 'client 1 has the first addresses of the pools' test "${before[1]}" = 10.8.0.100/fd00:8::a00
check 'client 2 has the second ones' test "${before[2]}" = 10.8.0.101/fd00:8::a01
check 'the leases are written' wait_for 10 lines_in_file 2
end_all 'the server'
check 'in the form of OpenVPN' \
  test "$(grep '^client1,' leases.txt)" = 'client1,10.8.0.100,fd00:8::a00'

# Client 2 comes first, and would get the first address of a pool that remembers nothing.
tested=("${server_command[@]}")
server_command=(openvpn)
by_hand "ifconfig-pool-persist $work/leases.txt 1" >stock.conf
require 'stock OpenVPN starts with the file' start_server stock.conf
connect 2
check 'client 2 has its addresses there' \
  test "$(inner_address 2 4)/$(inner_address 2 6)" = "${before[2]}"
connect 1
check 'client 1, too' test "$(inner_address 1 4)/$(inner_address 1 6)" = "${before[1]}"
end_all 'stock OpenVPN'
check 'stock has written the file anew' lines_in_file 2

server_command=("${tested[@]}")
require 'the server starts with the file of stock' start_server server.conf
connect 2
check 'client 2 has its addresses again' \
  test "$(inner_address 2 4)/$(inner_address 2 6)" = "${before[2]}"
kill -KILL "$server_pid"
wait "$server_pid" 2>/dev/null || true
for number in "${!client_pids[@]}"; do stop_client "$number"; done

# --- A tunnel without IPv4 --------------------------------------------------------------------

server_config | grep -v '^server ' >v6only.conf
require 'a server without IPv4 in the tunnel starts' start_server v6only.conf
connect 1
check 'its client has an IPv6 address' test "$(inner_address 1 6)" = fd00:8::1000
check 'and no IPv4 address' test -z "$(inner_address 1 4)"
check 'and reaches the server' in_client 1 ping -q -c 2 -i 0.1 -W 2 "$inner_v6"
end_all 'it'
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
