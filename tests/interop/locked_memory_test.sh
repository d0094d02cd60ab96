#!/bin/bash
# Keys are kept in memory that is never swapped. Where it cannot be locked, the server says so and
# what to do, and serves all the same.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

topology_up 1
server_config "tls-crypt $work/ta.key" >server.conf
client_config 1 v6 "tls-crypt $work/ta.key" >client1.conf
stock=''
! is_stock_server || stock=yes
locked_kib() { awk '/^VmLck:/ { print $2 }' "/proc/$server_pid/status"; }

require 'server starts' start_server server.conf
if [[ -n $stock ]]; then
  skip 'its keys are locked into memory' 'stock locks only with mlock'
else
  check 'its keys are locked into memory' test "$(locked_kib)" -gt 0
fi
check 'and it has nothing to say about that' refuse server_log_has 'swapped'
require 'SIGTERM ends it' stop_server

# Enough for the rings, which count as locked memory too, and too little for the keys.
server_command=(setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock
  prlimit --memlock=2097152:2097152 "${server_command[@]}")
require 'server starts where they cannot be locked' start_server server.conf
if [[ -n $stock ]]; then
  skip 'it says so, and what to do' 'stock does not lock'
else
  check 'it says so, and what to do' \
    server_log_has 'keys may be swapped out: cannot lock [0-9]+ KiB .*LimitMEMLOCK='
  check 'and means it' test "$(locked_kib)" -eq 0
fi
start_client 1 client1.conf
check 'a client connects all the same' client_connects 1
check 'and reaches it' in_client 1 ping -q -c 2 -i 0.1 -W 2 "$inner_v6"
check 'SIGTERM ends it' stop_server
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
