#!/bin/bash
# What single clients get by their files in `client-config-dir`: fixed addresses, networks behind
# them, another push list, or nothing at all.
#
#   client1  has 192.168.41.0/24 and 2001:db8:41::/64 behind it (a link of its own)
#   client2  is on another worker, and has fixed addresses of both families
#   client3  pretends to be others
#   client4  is disabled; client5 has no file
#
# The networks behind client1 are reached from the server's side and, with client-to-client, from
# client2; what has another source than its own is dropped (C01).

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

lan_v4=192.168.41.1
lan_v6=2001:db8:41::1

topology_up 5
mkdir ccd
cat >ccd/client1 <<EOF
# A branch office.
iroute 192.168.41.0 255.255.255.0
iroute-ipv6 2001:db8:41::/64
push "route 192.168.99.0 255.255.255.0"
EOF
# Of an old file. Stock takes it, and cannot speak to clients that do not expect it.
is_stock_server || echo 'comp-lzo no' >>ccd/client1
cat >ccd/client2 <<EOF
ifconfig-push 10.8.0.50 255.255.255.0
ifconfig-ipv6-push fd00:8::50/64 fd00:8::1
push-remove "route 192.168.42"
push-remove "dhcp-option DNS"
push "dhcp-option DNS 192.0.2.53"
EOF
cat >ccd/client3 <<EOF
ifconfig-push 10.8.0.2 255.255.255.0
ifconfig-ipv6-push fd00:8::33/64
push-reset
push "topology subnet"
push "route-gateway 10.8.0.1"
push "ping 7"
EOF
echo disable >ccd/client4

# What the directory says is read with the rights of the start; stock has given them up by then.
workers=(--workers 2 --user nobody --group nogroup)
is_stock_server || chmod 700 ccd
! is_stock_server || workers=()
server_config "client-config-dir $work/ccd" ccd-exclusive client-to-client \
  'route 192.168.41.0 255.255.255.0' 'route-ipv6 2001:db8:41::/64' \
  'push "route 192.168.41.0 255.255.255.0"' 'push "route-ipv6 2001:db8:41::/64"' \
  'push "route 192.168.42.0 255.255.255.0"' 'push "dhcp-option DNS 9.9.9.9"' \
  "ifconfig-pool-persist $work/leases.txt 1" "status $work/status.log 1" >server.conf
require 'server starts' start_server server.conf "${workers[@]}"
for number in 1 2 3 4 5; do
  ((number % 2)) && family=v4 || family=v6
  client_config "$number" "$family" 'connect-retry-max 1' >"client$number.conf"
done
for number in 1 2 4 5; do start_client "$number" "client$number.conf"; done
for number in 1 2; do require "client $number connects" client_connects "$number" 40; done

# --- Who is let in ----------------------------------------------------------------------------

check 'disable refuses a client' wait_for 20 client_log_has 4 'AUTH_FAILED'
check 'ccd-exclusive refuses one without a file' wait_for 20 client_log_has 5 'AUTH_FAILED'
if is_stock_server; then
  skip 'the log names the line that disables' 'stock does not'
  skip 'the log says what is passed over' 'stock takes comp-lzo'
else
  check 'the log names the line that disables' server_log_has "$work/ccd/client4:1: .disable"
  check 'the log says that there is no file' server_log_has 'ccd-exclusive: it has no file'
  check 'the log says what is passed over' server_log_has "$work/ccd/client1:5: .comp-lzo"
fi

# --- Addresses and what is pushed -------------------------------------------------------------

check 'client 2 has its fixed IPv4 address' test "$(inner_address 2 4)" = 10.8.0.50
check 'client 2 has its fixed IPv6 address' test "$(inner_address 2 6)" = fd00:8::50
pushed() { client_log_has "$1" "PUSH: Received.*[,']$2[,']"; }
check 'push adds' pushed 1 'route 192.168.99.0 255.255.255.0'
check 'push-remove takes away what begins so' refuse pushed 2 'route 192.168.42.0 255.255.255.0'
check 'and leaves the rest' pushed 2 'route 192.168.41.0 255.255.255.0'
check 'what was removed may be pushed anew' pushed 2 'dhcp-option DNS 192.0.2.53'
check 'its old value is gone' refuse pushed 2 'dhcp-option DNS 9.9.9.9'
check 'the network behind client 1 is not pushed to it' \
  refuse pushed 1 'route 192.168.41.0 255.255.255.0'
check 'nor its IPv6 network' refuse pushed 1 'route-ipv6 2001:db8:41::/64'

# --- A network behind a client ----------------------------------------------------------------

ip -n "$(client_ns 1)" link add lan type veth peer name lan-host
ip -n "$(client_ns 1)" link set lan-host up
ip -n "$(client_ns 1)" address add "$lan_v4/24" dev lan
ip -n "$(client_ns 1)" address add "$lan_v6/64" dev lan nodad
ip -n "$(client_ns 1)" link set lan up
declare -A fixed_of=(["$lan_v4"]=10.8.0.50 ["$lan_v6"]=fd00:8::50)
for target in "$lan_v4" "$lan_v6"; do
  check "the server reaches $target behind client 1" in_server ping -q -c 3 -i 0.1 -W 2 "$target"
  check "client 2 reaches $target behind client 1" in_client 2 ping -q -c 3 -i 0.1 -W 2 "$target"
  check "client 2 is reached from $target" \
    in_client 1 ping -q -c 3 -i 0.1 -W 2 -I "$target" "${fixed_of[$target]}"
done

# --- Sources that are somebody else's ---------------------------------------------------------

start_client 3 client3.conf
require 'client 3 connects' client_connects 3 40
check 'push-reset leaves nothing of the common list' \
  refuse pushed 3 'route 192.168.41.0 255.255.255.0'
check 'and what is pushed behind it arrives' pushed 3 'ping 7'
if is_stock_server; then
  skip 'client 1 makes room for the address that is fixed for client 3' 'with stock it is mute'
else
  check 'nobody of the pool has the address that is fixed for client 3' \
    test "$(inner_address 1 4)" != 10.8.0.2
fi
ip -n "$(client_ns 3)" address add 192.168.41.77/32 dev lo
ip -n "$(client_ns 3)" address add 2001:db8:41::77/128 dev lo nodad
heard() { in_server timeout 30 python3 -c "
import socket, sys
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 7007))
print('listening', flush=True)
print(s.recvfrom(100)[1][0], flush=True)" "$1"; }
# tells SOURCE TARGET TEXT: one datagram through the tunnel.
tells() {
  in_client 3 python3 -c "
import socket, sys
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
s.sendto(b'x', (sys.argv[2], 7007))" "$1" "$2"
}
# is_heard LISTENER FORGED HONEST: the listener hears the second alone, though the first was sent
# before it.
is_heard() {
  : >heard.log
  heard "$1" >heard.log 2>&1 &
  local listener=$!
  wait_for 20 grep -q listening heard.log
  tells "$2" "$1"
  tells "$3" "$1"
  wait "$listener"
  [[ $(tail -n 1 heard.log) == "$3" ]]
}
check 'a forged IPv4 source of the network behind client 1 is dropped' \
  is_heard "$inner_v4" 192.168.41.77 10.8.0.2
check 'a forged IPv6 source, too' is_heard "$inner_v6" 2001:db8:41::77 fd00:8::33
if is_stock_server; then
  skip 'both are counted' 'stock counts nothing'
else
  kill -USR2 "$server_pid"
  check 'both are counted' wait_for 10 server_log_has 'spoofed_source ([2-9]|[1-9][0-9])'
fi

# --- Files that are written while the server runs ---------------------------------------------

printf 'inactive 2 100000\n' >ccd/client5
start_client 5 client5.conf
require 'client 5 connects, as it has a file' client_connects 5 40
printf 'session-timeout 2\n' >ccd/client4
start_client 4 client4.conf
require 'client 4 connects, as it is disabled no longer' client_connects 4 40
if is_stock_server; then
  check 'who is idle goes' wait_for 20 server_log_has 'client5.*Inactivity timeout'
  check 'a session ends after its time' wait_for 20 server_log_has 'client4.*Session timeout'
  skip 'both are told' 'stock says nothing'
else
  check 'who is idle goes' wait_for 20 server_log_has 'client5.*: inactive: '
  check 'a session ends after its time' wait_for 20 server_log_has 'client4.*: session-timeout: '
  for number in 4 5; do
    check "client $number is told" \
      wait_for 10 client_log_has "$number" 'Connection reset command was pushed by server'
  done
fi

# --- The end ----------------------------------------------------------------------------------

route_is_listed() { grep -q '^192.168.41.0/24C\?,client1,\|^192.168.41.0/24,client1,' status.log; }
check 'the status file lists the network' wait_for 10 route_is_listed
for number in "${!client_pids[@]}"; do stop_client "$number"; done
check 'SIGTERM ends the server' stop_server
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
