#!/bin/bash
# OpenVPN over TCP: stock clients over tcp4 and tcp6 with each protection of the control channel, in
# one process with clients over UDP; transfers that survive renegotiations, clients that reach each
# other over either protocol, a client that does not read, connections that are cut off and servers
# that come back.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"
# shellcheck source=tests/interop/traffic.sh
. "$interop_dir/traffic.sh"

if is_stock_server; then
  skip 'TCP beside UDP' 'OpenVPN 2.6 serves one protocol'
  done_testing
  exit
fi
topology_up 4

both_protocols=("local * $server_port udp" "local * $server_port tcp" client-to-client)
tcp_client() { # NUMBER v4|v6 [LINE...]
  local number=$1 family=$2
  shift 2
  local server=$server_v4
  [[ $family == v4 ]] || server=$server_v6
  client_config "$number" none "remote $server $server_port tcp${family#v}-client" "$@"
}

# --- Each protection, both families -----------------------------------------------------------
for wrap in none tls-auth tls-crypt; do
  server_lines=() client_lines=()
  case $wrap in
    tls-auth) server_lines=("tls-auth $work/ta.key 0") client_lines=("tls-auth $work/ta.key 1") ;;
    tls-crypt) server_lines=("tls-crypt $work/ta.key") client_lines=("tls-crypt $work/ta.key") ;;
  esac
  server_config "${both_protocols[@]}" "${server_lines[@]}" >server.conf
  require "server starts ($wrap)" start_server server.conf
  tcp_client 1 v4 "${client_lines[@]}" >client1.conf
  tcp_client 2 v6 "${client_lines[@]}" >client2.conf
  client_config 3 v4 "${client_lines[@]}" >client3.conf
  for number in 1 2 3; do start_client "$number" "client$number.conf"; done
  for number in 1 2 3; do require "client $number connects ($wrap)" client_connects "$number"; done
  for number in 1 2; do
    check "client $number reaches the server ($wrap)" \
      in_client "$number" ping -c 3 -i 0.1 -W 2 "$inner_v6"
  done
  check "a client over TCP reaches one over UDP ($wrap)" \
    in_client 1 ping -c 3 -i 0.1 -W 2 "$(inner_address 3 4)"
  check "a client over UDP reaches one over TCP ($wrap)" \
    in_client 3 ping -c 3 -i 0.1 -W 2 "$(inner_address 2 6)"
  check "clients over TCP reach each other ($wrap)" \
    in_client 2 ping -c 3 -i 0.1 -W 2 "$(inner_address 1 6)"
  for number in 1 2 3; do stop_client "$number"; done
  for number in 1 2; do
    check "client $number is gone with its connection ($wrap)" \
      wait_for 10 server_log_has "client$number/.*(left|TCP connection has ended)"
  done
  check "SIGTERM ends the server ($wrap)" stop_server
  check "no sanitizer or assertion spoke up ($wrap)" server_log_is_clean
done

# --- Transfers across renegotiations ----------------------------------------------------------
label=tcp4
server_config "${both_protocols[@]}" 'reneg-sec 10 10' >server.conf
require 'server starts' start_server server.conf
check 'its log says that TCP is served, too' \
  wait_for 5 server_log_has 'tcp: serving IPv4 on 0.0.0.0:1194 and IPv6'
tcp_client 1 v4 >client1.conf
start_client 1 client1.conf
require 'client 1 connects' client_connects 1
pings
check 'the client finds no fault with our options' \
  refuse client_log_has 1 'WARNING: .(link-mtu|proto|tun-mtu).'
keys_changed() { (($(grep -c 'Control Channel: TLSv1' "$work/client1.log") >= $1)); }
transfers_during $((8 << 20)) $((1 << 20)) 'two renegotiations while both go on' \
  wait_for 90 keys_changed 3
check 'the client stayed connected' test "$(connection_count 1)" = 1

# --- A client that does not read ---------------------------------------------------------------
tcp_client 2 v4 >client2.conf
start_client 2 client2.conf
require 'client 2 connects' client_connects 2
slow_v4=$(inner_address 2 4)
server_rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$server_pid/status"; }
rss_before=$(server_rss_kib)
kill -STOP "${client_pids[2]}"
start_helper "$server_ns" python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    s.sendto(bytes(1200), ('$slow_v4', 9))
" >flood.log 2>&1
flood_pid=$helper_pid
check 'beside a client that does not read, another is served' \
  in_client 1 ping -q -c 20 -i 0.1 -W 2 "$inner_v4"
stop_helper "$flood_pid" KILL
rss_after=$(server_rss_kib)
echo "# RSS: $rss_before KiB, $rss_after KiB with a client that does not read"
check 'and the server does not grow' test $((rss_after - rss_before)) -lt 16384
kill -CONT "${client_pids[2]}"
check 'which goes on when it reads again' \
  wait_for 20 in_client 2 ping -c 1 -W 1 "$inner_v4"

# --- Cut off, and a server that comes back ------------------------------------------------------
kill -KILL "${client_pids[2]}"
check 'a client that was killed is gone at once' \
  wait_for 5 server_log_has 'client2/.*TCP connection has ended'
check 'SIGTERM ends the server' stop_server
check 'no sanitizer or assertion spoke up' server_log_is_clean
require 'the server starts again' start_server server.conf
check 'the client notices and connects anew' wait_for 40 client_is_connected 1 2
check 'and reaches the server' wait_for 10 in_client 1 ping -c 1 -W 2 "$inner_v4"
check 'SIGTERM ends the server again' stop_server
check 'no sanitizer or assertion spoke up at last' server_log_is_clean
done_testing
