#!/bin/bash
# Whoever calls while the server starts is answered: a handshake that begins between the opening of
# the sockets and the first turn of the workers waits in the kernel, and is not dropped for want of
# a key for cookies, which would cost its client two seconds.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

if is_stock_server; then
  skip 'packets before the first turn' 'OpenVPN has no counters to say so'
  done_testing
  exit
fi
topology_up 1
server_config 'workers 2' >server.conf

# Resets of OpenVPN 2.4, each with a session id and from a port of its own, without a pause.
cat >call.py <<'PYTHON'
import itertools
import select
import socket
import struct
import sys

sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(64)]
print("calling", flush=True)
answered = 0
for number in itertools.count():
    one = sockets[number % len(sockets)]
    reset = b"\x38" + struct.pack(">QBI", number + 1, 0, 0)
    one.sendto(reset, (sys.argv[1], int(sys.argv[2])))
    for ready in select.select(sockets, [], [], 0)[0]:
        ready.recv(2048)
        answered += 1
    if answered > 2000:
        break
print(f"answered {answered} of {number}", flush=True)
PYTHON
for start in first second third; do
  start_helper "$(client_ns 1)" python3 call.py "$server_v4" "$server_port" >call.log 2>&1
  caller=$helper_pid
  wait_for 10 grep -q calling call.log
  check "the $start server starts" start_server server.conf
  check 'it answers' wait_for 20 grep -q answered call.log
  stop_helper "$caller" KILL
  kill -USR2 "$server_pid"
  check 'it says what it has dropped' wait_for 10 server_log_has 'workers: '
  check 'nothing for want of a key' refuse server_log_has 'no_key'
  check 'SIGTERM ends it' stop_server
done
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
