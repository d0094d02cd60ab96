#!/bin/bash
# explicit-exit-notify, both ways: a client that leaves is forgotten at once and not when its
# keepalive runs out; a server that stops tells its clients, and they come back when it does.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

topology_up 2
server_config "tls-crypt $work/ta.key" 'explicit-exit-notify 1' "status $work/status.log 1" \
  'keepalive 10 120' >server.conf
client_config 1 v4 "tls-crypt $work/ta.key" 'explicit-exit-notify 1' >client1.conf
client_config 2 v6 "tls-crypt $work/ta.key" >client2.conf
require 'server starts' start_server server.conf
start_client 1 client1.conf
start_client 2 client2.conf
require 'the client that will leave connects' client_connects 1
require 'the client that will stay connects' client_connects 2

status_lists() { grep -q "client$1," status.log; }
check 'the status file lists both' wait_for 10 eval 'status_lists 1 && status_lists 2'
stop_client 1
check 'a client that says goodbye is forgotten long before its keepalive runs out' \
  wait_for 10 refuse status_lists 1
check 'the other one is not' status_lists 2
check 'and still reaches the server' in_client 2 ping -c 2 -i 0.1 -W 2 "$inner_v4"

check 'SIGTERM ends the server' stop_server
check 'with exit status 0' test "$server_status" = 0
check 'the client heard of it' wait_for 5 client_log_has 2 \
  'Connection reset command was pushed by server|server-pushed-connection-reset|server-restart'
check 'no sanitizer or assertion spoke up' server_log_is_clean
require 'the server starts again' start_server server.conf
check 'the client is back within ten seconds' wait_for 10 client_is_connected 2 2
check 'and reaches the server' in_client 2 ping -c 2 -i 0.1 -W 2 "$inner_v6"
check 'SIGINT ends the server as well' stop_server INT
check 'with exit status 0' test "$server_status" = 0
done_testing
