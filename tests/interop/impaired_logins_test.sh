#!/bin/bash
# R03 on real sockets: logins of stock clients through a relay that loses a tenth each way, and
# repeats, reorders and damages on top (impaired_relay.py). The figures of many more logins, and of
# old clients, are the simulator's (tests/sim/impairment_sim_test.cc); these are for comparison with
# stock OpenVPN's server behind the same relay.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

at_once=6
logins_each=4
loss=0.10
# All of a login: beyond this it is lost. The goal, 99 % within 30 s, takes more logins to measure.
login_deadline=120

# measure NAME: logins at $server_command, at_once at a time; adds a row.
measure() {
  local number pids=()
  server_config "tls-crypt $work/ta.key" >server.conf
  require "$1 starts" start_server server.conf
  for ((number = 1; number <= at_once; ++number)); do
    logins "$number" >"times$number" 2>"errors$number" &
    pids+=($!)
  done
  for number in "${pids[@]}"; do wait "$number" || true; done
  check "$1: all $((at_once * logins_each)) logins end well" all_logins_are_there
  rows+=("$(printf '| %-8s | %s' "$1" "$(cat times* | summary)")")
  require "$1 stops" stop_server
}

# logins NUMBER: how long each took, one line each, in seconds.
logins() {
  local number=$1 turn begun
  for ((turn = 0; turn < logins_each; ++turn)); do
    start_helper "$(client_ns "$number")" "$interop_dir/impaired_relay.py" 11194 "$server_v4" \
      "$server_port" "$loss" "$((number * 100 + turn))" >"relay$number.log" 2>&1
    wait_for 10 grep -q relaying "relay$number.log"
    begun=${EPOCHREALTIME/./}
    start_client "$number" "client$number.conf"
    if wait_for "$login_deadline" client_is_connected "$number"; then
      echo $((${EPOCHREALTIME/./} - begun))
    else
      tail -n 5 "client$number.log" >&2
    fi
    stop_client "$number"
    stop_helper "$helper_pid"
  done | awk '{ printf "%.2f\n", $1 / 1000000 }'
}

all_logins_are_there() {
  tail -n 5 errors*
  (($(cat times* | wc -l) == at_once * logins_each))
}

summary() {
  sort -n | awk '{ time[NR] = $1 } END {
    printf "%6d | %8.1f | %9.1f |", NR, time[int((NR + 1) / 2)], time[NR] }'
}

topology_up "$at_once"
for ((number = 1; number <= at_once; ++number)); do
  client_config "$number" none "tls-crypt $work/ta.key" 'remote 127.0.0.1 11194 udp4' \
    'connect-timeout 60' >"client$number.conf"
done
rows=()
under_test=("${server_command[@]}")
server_command=(openvpn)
measure OpenVPN
server_command=("${under_test[@]}")
if ! is_stock_server; then
  measure Ringway
  check 'no sanitizer or assertion spoke up' server_log_is_clean
fi
printf '%s\n' '| server   | logins | median s | slowest s |' \
  '|----------|--------|----------|-----------|' "${rows[@]}"
done_testing
