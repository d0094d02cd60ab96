#!/bin/bash
# tools/demo proves itself and leaves nothing behind, twice in a row; and once more after a demo
# that was killed with SIGKILL. It works on the host's own network, so it takes a port that is free.

# shellcheck source=tests/interop/checks.sh
. "$(dirname "$0")/checks.sh"
cd "$(dirname "$0")/../.." || exit
output=$(mktemp)
demo_pid=''
trap '[[ -z $demo_pid ]] || kill -TERM "$demo_pid" 2>/dev/null; rm -f "$output"' EXIT

# The demo itself asks which server to show; here it is the release that it builds.
if [[ ${RINGWAY_SERVER_COMMAND:-} != openvpn ]]; then unset RINGWAY_SERVER_COMMAND; fi

free_port() {
  local port=1194
  while [[ -n $(ss -Huln "sport = :$port") ]]; do port=$((port + 1)); done
  echo "$port"
}
port=$(free_port)

nothing_is_left() {
  local left
  left=$(
    ip netns list | grep -w ringway-demo
    ip -o link show | grep -E 'ringway-demo|tun-demo'
    ss -Huln "sport = :$port"
    ls -d build-demo/demo 2>/dev/null
  ) || true
  echo "$left"
  [[ -z $left ]]
}

demo_once() { tools/demo --once --port "$port"; }
serves() { grep -q 'Serving until Ctrl-C' "$output"; }

check 'the demo proves itself' demo_once
check 'and leaves nothing behind' nothing_is_left
check 'the demo proves itself a second time' demo_once
check 'and leaves nothing behind the second time' nothing_is_left

tools/demo --port "$port" >"$output" 2>&1 </dev/null &
demo_pid=$!
check 'without --once it goes on serving' wait_for 300 serves
check 'it names a profile that exists' test -s build-demo/demo/client.ovpn
check 'a second demo beside it is refused' refuse demo_once
kill -KILL "$demo_pid"
wait "$demo_pid" 2>/dev/null || true
check 'after a SIGKILL the next one cleans up and proves itself' demo_once
check 'and leaves nothing behind after that either' nothing_is_left

# Emptied here: what the killed one wrote must not be taken for the next one's word.
: >"$output"
tools/demo --port "$port" >>"$output" 2>&1 </dev/null &
demo_pid=$!
check 'it serves again' wait_for 300 serves
kill -TERM "$demo_pid"
wait "$demo_pid" 2>/dev/null || true
demo_pid=''
check 'SIGTERM leaves nothing behind' nothing_is_left
done_testing
