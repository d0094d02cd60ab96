#!/bin/bash
# Twenty stock clients, ten over each outer family, on a server with two workers. With
# client-to-client each reaches the server and its neighbours in a ring, over both inner families:
# the ring crosses from one worker to the other, and from one outer family to the other.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

clients=20
topology_up "$clients"
workers=(--workers 2)
! is_stock_server || workers=()
server_config "tls-crypt $work/ta.key" 'client-to-client' "status $work/status.log 1" >server.conf
require 'server starts with two workers' start_server server.conf "${workers[@]}"

for ((number = 1; number <= clients; ++number)); do
  ((number % 2)) && family=v4 || family=v6
  client_config "$number" "$family" "tls-crypt $work/ta.key" >"client$number.conf"
  start_client "$number" "client$number.conf"
done
for ((number = 1; number <= clients; ++number)); do
  ((number % 2)) && family=v4 || family=v6
  require "client $number connects over $family" client_connects "$number" 60
done

# Each client's pings run at the same time; one line a client says what did not answer.
# pings_of NUMBER TARGET...
pings_of() {
  local number=$1 target status=0
  shift
  for target in "$@"; do
    in_client "$number" ping -q -c 2 -i 0.1 -W 3 "$target" || {
      echo "client $number got no answer from $target"
      status=1
    }
  done >"$work/pings$number.log" 2>&1
  return "$status"
}

# ping_all NAME TARGETS_FUNCTION: the function prints the targets of client $1.
ping_all() {
  local name=$1 targets_of=$2 number targets pids=()
  for ((number = 1; number <= clients; ++number)); do
    read -ra targets <<<"$("$targets_of" "$number")"
    pings_of "$number" "${targets[@]}" &
    pids[number]=$!
  done
  for ((number = 1; number <= clients; ++number)); do
    if wait "${pids[number]}"; then
      ok "client $number $name"
    else
      not_ok "client $number $name" "$(grep 'got no answer' "$work/pings$number.log")"
    fi
  done
}

server_addresses() { echo "$inner_v4 $inner_v6"; }
neighbour_addresses() {
  local next=$(($1 % clients + 1)) opposite=$((($1 + clients / 2 - 1) % clients + 1))
  echo "${addresses_v4[next]} ${addresses_v6[next]}" \
    "${addresses_v4[opposite]} ${addresses_v6[opposite]}"
}

for ((number = 1; number <= clients; ++number)); do
  addresses_v4[number]=$(inner_address "$number" 4)
  addresses_v6[number]=$(inner_address "$number" 6)
done
check 'twenty different inner IPv4 addresses' \
  test "$(printf '%s\n' "${addresses_v4[@]}" | sort -u | grep -c .)" = "$clients"
check 'twenty different inner IPv6 addresses' \
  test "$(printf '%s\n' "${addresses_v6[@]}" | sort -u | grep -c .)" = "$clients"
ping_all 'reaches the server, both families' server_addresses
ping_all 'reaches its neighbour and its opposite, both families' neighbour_addresses

status_lists_everybody() {
  local number
  for ((number = 1; number <= clients; ++number)); do
    grep -q "client$number," "$work/status.log" || return 1
  done
}
check 'the status file lists all twenty' wait_for 10 status_lists_everybody
for ((number = 1; number <= clients; ++number)); do stop_client "$number"; done
check 'SIGTERM ends the server' stop_server
check 'with exit status 0' test "$server_status" = 0
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
