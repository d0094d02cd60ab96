#!/bin/bash
# A server that is killed and started again under stock clients with `keepalive 10 60` (R02):
# all are back within 75 seconds, 60 of which pass before they notice, with the addresses that they
# had; after a graceful stop, which tells them, within 5 seconds.
#
#   RINGWAY_CLIENT_COUNT=200 tests/interop/restart_test.sh      as many as that; 20 by default

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

clients=${RINGWAY_CLIENT_COUNT:-20}
slowness=${RINGWAY_SLOWNESS:-1}
topology_up "$clients"
mkdir state
server_config "tls-crypt $work/ta.key" 'explicit-exit-notify 1' \
  "ifconfig-pool-persist $work/state/leases.txt 1" "max-clients $((clients + 10))" >server.conf
require 'server starts' start_server server.conf

for ((number = 1; number <= clients; ++number)); do
  ((number % 2)) && family=v4 || family=v6
  client_config "$number" "$family" "tls-crypt $work/ta.key" >"client$number.conf"
  start_client "$number" "client$number.conf"
done

# everybody_is_connected TIMES
everybody_is_connected() {
  local number
  for ((number = 1; number <= clients; ++number)); do
    client_is_connected "$number" "$1" || return 1
  done
}
all_addresses() {
  local number
  for ((number = 1; number <= clients; ++number)); do
    echo "$number $(inner_address "$number" 4) $(inner_address "$number" 6)"
  done
}
leases_are_written() { (($(grep -c '^client' state/leases.txt) == clients)); }
a_few_reach_the_server() {
  local number
  for number in 1 2 $((clients - 1)) "$clients"; do
    in_client "$number" ping -q -c 2 -i 0.1 -W 2 "$inner_v4" || return 1
  done
}
# seconds_until SECONDS COMMAND...: prints how long it took, for the report.
seconds_until() {
  local begun=${EPOCHREALTIME/./}
  wait_for "$@" || return 1
  took=$(((${EPOCHREALTIME/./} - begun) / 1000))
}

require "all $clients connect" wait_for $((60 * slowness + clients)) everybody_is_connected 1
check 'their leases are written' wait_for 20 leases_are_written
addresses=$(all_addresses)
is_as_before() { [[ $(all_addresses) == "$addresses" ]]; }

check 'a SIGKILL ends it' stop_server KILL
require 'it starts again' start_server server.conf
took=0
check 'within 75 seconds all are back' seconds_until $((75 * slowness)) everybody_is_connected 2
echo "# $clients clients were back $took ms after the start that followed a SIGKILL"
check 'with the addresses that they had' is_as_before
check 'and reach it' a_few_reach_the_server

check 'a SIGTERM ends it' stop_server
check 'with exit status 0' test "$server_status" = 0
check 'no sanitizer or assertion spoke up' server_log_is_clean
require 'it starts again' start_server server.conf
check 'within 5 seconds all are back' seconds_until $((5 * slowness)) everybody_is_connected 3
echo "# $clients clients were back $took ms after the start that followed a graceful stop"
check 'with the addresses that they had' is_as_before
check 'and reach it' a_few_reach_the_server
check 'SIGTERM ends it' stop_server
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
