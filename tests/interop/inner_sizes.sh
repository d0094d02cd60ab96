#!/bin/bash
# Inner packets that do not fit: what their senders are told, and what arrives. Sourced behind
# topology.sh; inner_sizes.py sends and receives.

tool=$interop_dir/inner_sizes.py
port=6000

# told_mtu NAMESPACE SOURCE DESTINATION EXPECTED [SIZE]: a path may have to be measured first.
told_mtu() { [[ $(ip netns exec "$1" "$tool" told "$2" "$3" "${5:-1500}") == "$4" ]]; }
check_told() {
  local name=$1
  shift
  check "$name is told $4 ($label)" wait_for 60 told_mtu "$@"
}

# check_whole NAME FROM_NAMESPACE SOURCE TO_NAMESPACE DESTINATION [SIZE]
check_whole() {
  local name=$1 from=$2 source=$3 to=$4 destination=$5 size=${6:-1500} helper sent
  port=$((port + 1))
  start_helper "$to" "$tool" receive "$destination" "$port" >"receive-$port.log" 2>&1
  helper=$helper_pid
  wait_for 20 grep -q listening "receive-$port.log"
  sent=$(ip netns exec "$from" "$tool" send "$source" "$destination" "$port" "$size")
  check "$name, $size bytes that may be fragmented, arrives whole ($label)" \
    wait_for 20 grep -q "$sent" "receive-$port.log"
  stop_helper "$helper"
}
