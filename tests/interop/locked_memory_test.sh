#!/bin/bash
# Keys are kept in memory that is never swapped. Where it cannot be locked, the server says so and
# what to do, and serves all the same. What has been a key, or a text with one, is nowhere in the
# memory of the process once it is of no more use (D03): the data keys, which a stock client prints
# at verb 7, when their session has ended; passwords; the files of keys, inline ones too.

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

# --- What is left in memory -------------------------------------------------------------------

# data_keys NUMBER: of a client's last negotiation, as lines for memory_image.py. 16 of 32 bytes are
# enough to know them by, and show halves, too.
data_keys() {
  sed -nE 's/^Master (Encrypt|Decrypt) \(cipher[^)]*\): //p' "client$1.log" | tail -n 2 |
    tr -d ' ' | awk '{ print "key" NR, substr($0, 1, 32); print "half" NR, substr($0, 33, 32) }'
}
# finds SECRETS: at least one place for each; lacks SECRETS: none for any.
image() { in_server "$interop_dir/memory_image.py" "$server_pid" <"$1" | tee image.txt; }
finds() { image "$1" && ! awk '$2 == 0' image.txt | grep .; }
lacks() { image "$1" && ! awk '$2 > 0' image.txt | grep .; }
forgets() { wait_for 20 lacks "$1" || lacks "$1"; }

if [[ -n $stock ]]; then
  skip 'what has been a key is nowhere in its memory' 'stock does not promise it'
else
  {
    sed -n 3p server.key | sed 's/^/private-key text:/'
    sed -n 10p ta.key | sed 's/^/static-key-text text:/'
  } >files.txt
  server_config '<tls-crypt>' "$(cat ta.key)" '</tls-crypt>' '<key>' "$(cat server.key)" '</key>' |
    sed '/^key /d' >inline.conf
  for config in server.conf inline.conf; do
    require "server starts with $config" start_server "$config"
    check 'no text of a key file is left' forgets files.txt
    # Either cipher, and a password of either kind: within a string, and on the heap.
    case $config in
      server.conf) suite=AES-256-GCM password=Open-5esame ;;
      *) suite=CHACHA20-POLY1305 password=a-password-that-no-string-keeps-within-itself ;;
    esac
    printf '%s\n' visitor "$password" >login.txt
    echo "password text:$password" >password.txt
    client_config 1 v6 "tls-crypt $work/ta.key" 'verb 7' "data-ciphers $suite" 'reneg-sec 0' \
      "auth-user-pass $work/login.txt" 'explicit-exit-notify 1' >client1.conf
    start_client 1 client1.conf
    require "a client connects with $suite" client_connects 1
    check 'its password is left nowhere' forgets password.txt
    data_keys 1 >first.txt
    check 'the data keys of its session are there' finds first.txt
    kill -USR1 "${client_pids[1]}"
    require 'it logs in again' wait_for 20 client_is_connected 1 2
    data_keys 1 >second.txt
    check 'with other keys' refuse cmp -s first.txt second.txt
    check 'those of its first session are left nowhere' forgets first.txt
    stop_client 1
    check 'nor, when it has left, those of its second' forgets second.txt
    check 'SIGTERM ends it' stop_server
  done
fi

# D08: enough for the rings, which count as locked memory too, and too little for the keys.
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
