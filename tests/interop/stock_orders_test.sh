#!/bin/bash
# What an operator of a stock OpenVPN server tells a client through the management interface
# (`client-kill CID MESSAGE`): RESTART makes `ringway client` come back, HALT ends it, and it says
# why. A stock client in the same test does the same.
#
#   client1  ringway client     client2  OpenVPN 2.6     server  OpenVPN 2.6

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

if is_stock_server; then
  ringway_client=("$source_root/build/tools/ringway" client)
else
  ringway_client=("${server_command[0]}" client)
fi
server_command=(openvpn)

topology_up 2
server_config "management $work/management unix" "status $work/status.log 1" 'status-version 2' \
  >server.conf
require 'the stock server starts' start_server server.conf

: >client1.log
client_config 1 v6 >client1.conf
ip netns exec "$(client_ns 1)" "${ringway_client[@]}" client1.conf >>client1.log 2>&1 </dev/null &
client_pids[1]=$!
client_config 2 v4 >client2.conf
start_client 2 client2.conf
ringway_connections() { grep -c ' connected: ' client1.log || true; }
ringway_has_connected() { (($(ringway_connections) >= $1)); }
require 'ringway client connects' wait_for 30 ringway_has_connected 1
require 'the stock client connects' client_connects 2

# The 11th column of a line of status version 2: whom client-kill means.
client_number() {
  awk -F, -v name="client$1" '$1 == "CLIENT_LIST" && $2 == name { number = $11 }
    END { print number }' status.log
}
# order CLIENT MESSAGE: until the management interface says SUCCESS, as the status is a second old.
order() { wait_for 15 order_once "$@"; }
order_once() {
  [[ -n $(client_number "$1") ]] || return 1
  python3 - "$work/management" "client-kill $(client_number "$1") \"$2\"" <<'PYTHON'
import socket
import sys

with socket.socket(socket.AF_UNIX) as management:
    management.settimeout(10)
    management.connect(sys.argv[1])
    lines = management.makefile("rw", newline="\r\n")
    lines.write(sys.argv[2] + "\n")
    lines.flush()
    for line in lines:
        if line.startswith(("SUCCESS", "ERROR")):
            print(line.strip())
            sys.exit(0 if line.startswith("SUCCESS") else 1)
sys.exit(1)
PYTHON
}

check 'the server tells ringway client to reconnect' order 1 'RESTART,maintenance'
check 'and it is back' wait_for 30 ringway_has_connected 2
check 'it says what the server said' client_log_has 1 'RESTART,maintenance|maintenance'
check 'and still reaches the server' in_client 1 ping -q -c 2 -i 0.2 -W 2 "$inner_v6"
check 'the server tells the stock client the same' order 2 'RESTART,maintenance'
check 'and it is back, too' wait_for 30 client_is_connected 2 2

check 'the server tells ringway client to stop' order 1 'HALT,your contract has ended'
check 'it ends' wait_for 20 process_is_gone "${client_pids[1]}"
status=0
wait "${client_pids[1]}" || status=$?
check 'with exit status 1' test "$status" = 1
check 'and says why' client_log_has 1 'your contract has ended'
check 'it did not come back' test "$(ringway_connections)" = 2
check 'nothing of its network is left' refuse ip -n "$(client_ns 1)" link show tun0
check 'no sanitizer or assertion spoke up' \
  refuse grep -Eq 'Sanitizer|runtime error|assertion' client1.log
check 'the server tells the stock client the same' order 2 'HALT,your contract has ended'
check 'and it ends, too' wait_for 20 process_is_gone "${client_pids[2]}"
check 'SIGTERM ends the server' stop_server
done_testing
