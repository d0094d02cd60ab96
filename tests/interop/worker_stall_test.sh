#!/bin/bash
# R07: a worker that stands still takes its own clients along and nobody else's. It is noticed, and
# when it goes on, so do they; when it does not, the process ends, for a supervisor to start again.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

if is_stock_server; then
  skip 'a worker stands still' 'OpenVPN has one thread'
  done_testing
  exit
fi
topology_up 2
server_config "tls-crypt $work/ta.key" 'workers 2' >server.conf
require 'server with two workers starts' start_server server.conf
for number in 1 2; do
  client_config "$number" v4 "tls-crypt $work/ta.key" 'reneg-sec 0' >"client$number.conf"
  start_client "$number" "client$number.conf"
  require "client $number connects" client_connects "$number"
done

# The workers get sessions in turn: peer ids are given by the number of sessions they have.
owner_of() { sed -nE 's/.*peer-id ([0-9]+).*/\1/p' "client$1.log" | tail -n 1; }
first=$(($(owner_of 1) % 2))
check 'the clients are on either worker' test "$first" != $(($(owner_of 2) % 2))

# stalls SECONDS: the worker of client 1.
stalls() {
  start_helper "$server_ns" "$interop_dir/stall_thread.py" "$server_pid" "worker-$first" "$1" \
    >stall.log 2>&1
  stall_pid=$helper_pid
  wait_for 10 grep -q stalled stall.log || { cat stall.log && return 1; }
}
# milliseconds, of the longest gap between two answers, of a ping at 50 ms with timestamps.
longest_gap() {
  awk '/bytes from/ { sub(/^\[/, ""); time = $1 + 0
      if (last && time - last > gap) gap = time - last
      last = time } END { printf "%d\n", gap * 1000 }' "$1"
}
for number in 1 2; do
  start_helper "$(client_ns "$number")" ping -D -i 0.05 -w 30 "$inner_v4" >"ping$number.log"
  pings[number]=$helper_pid
done
wait_for 5 grep -q 'bytes from' ping1.log
require 'the worker of client 1 stands still for two seconds' stalls 2
wait_for 10 grep -q released stall.log
reaches() { in_client "$1" ping -c 1 -W 1 "$inner_v4"; }
check 'its client goes on afterwards' wait_for 5 reaches 1
for number in 1 2; do stop_helper "${pings[number]}" INT; done
own=$(longest_gap ping1.log) other=$(longest_gap ping2.log)
echo "# the longest gap of its client: $own ms, of the other worker's client: $other ms"
slow=${RINGWAY_SLOWNESS:-1}
check 'the client of the other worker noticed nothing' test "$other" -lt $((500 * slow))
check 'its own client waited no longer than the worker stood' test "$own" -lt $((2100 + 400 * slow))
check 'nobody logged in again' test "$(connection_count 1)$(connection_count 2)" = 11
check 'it is noticed' server_log_has "worker $first has stood still for 1\.[5-9] s"
check 'and so is its end' wait_for 5 server_log_has "worker $first goes on after"

kill -STOP "$server_pid"
sleep 4
kill -CONT "$server_pid"
check 'a server that stood still as a whole blames no worker' wait_for 10 reaches 2
check 'says nothing' test "$(grep -c 'has stood still' server.log)" = 1

check 'no sanitizer or assertion spoke up' server_log_is_clean
require 'the worker stands still for good' stalls 30
ends_by_itself() { wait_for 20 process_is_gone "$server_pid"; }
check 'the process ends after ten seconds' ends_by_itself
server_status=0
wait "$server_pid" || server_status=$?
check 'by SIGABRT' test "$server_status" = $((128 + 6))
check 'and says why' server_log_has "worker $first has stood still for 10\.[0-9] s: the server ends"
stop_helper "$stall_pid"
require 'a new process starts' start_server server.conf
are_back() { client_is_connected 1 2 && client_is_connected 2 2; }
check 'and serves the clients again' wait_for 90 are_back
check 'SIGTERM ends it' stop_server
done_testing
