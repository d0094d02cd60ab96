#!/bin/bash
# R10: the disk of the status file, the addresses and the log is full. The server goes on, says so
# once a minute, and no file becomes garbage; when there is room again, all three go on.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

if is_stock_server; then
  skip 'a full disk' 'stock promises nothing'
  done_testing
  exit
fi
topology_up 2
disk=$work/disk
mkdir "$disk"
mount -t tmpfs -o size=128k tmpfs "$disk"
remove_disk() {
  umount -l "$disk"
  topology_down
}
trap remove_disk EXIT

server_config "tls-crypt $work/ta.key" "status $disk/status.log 1" \
  "ifconfig-pool-persist $disk/addresses.txt 1" "log $disk/server.log" >server.conf
for number in 1 2; do
  client_config "$number" v4 "tls-crypt $work/ta.key" 'explicit-exit-notify 1' >"client$number.conf"
done
require 'server starts' start_server server.conf
start_client 1 client1.conf
require 'a client connects' client_connects 1
lists() { grep -q "^client$1," "$disk/$2"; }
require 'the status file has it' wait_for 10 lists 1 status.log
require 'and so has the file of addresses' wait_for 10 lists 1 addresses.txt

fill() { dd if=/dev/zero of="$disk/$1" bs=1k status=none 2>/dev/null || true; }
fill filler
cp "$disk/addresses.txt" addresses.before
lines=$(wc -l <"$disk/server.log")
head -n "$lines" "$disk/server.log" >log.before
for round in 1 2 3; do
  start_client 2 client2.conf
  check "a client connects while the disk is full, round $round" client_connects 2
  check "and reaches the server, round $round" in_client 2 ping -c 2 -i 0.1 -W 2 "$inner_v4"
  stop_client 2
  # What an earlier file gave back to make room is filled, too.
  fill "filler$round"
done
start_client 2 client2.conf
require 'the second client connects once more' client_connects 2

is_whole() {
  head -n 1 "$disk/status.log" | grep -q 'OpenVPN CLIENT LIST' &&
    tail -n 1 "$disk/status.log" | grep -qx END
}
check 'the status file is whole' is_whole
check 'the addresses are as they were' cmp "$disk/addresses.txt" addresses.before
check 'what was in the log still is' cmp <(head -n "$lines" "$disk/server.log") log.before
# The last block of the log may have room for some lines.
says_more() {
  kill -USR2 "$server_pid"
  grep -q 'cannot write the log' server.log
}
check 'that the log cannot be written is said' wait_for 20 says_more
for round in 1 2 3 4 5; do
  says_more
  in_client 1 ping -q -c 2 -i 0.1 -W 2 "$inner_v4" >/dev/null
done
check 'but once, and no more in the same minute' \
  test "$(grep -c 'cannot write the log' server.log)" = 1
check 'and nothing else' test "$(wc -l <server.log)" = 1

rm "$disk"/filler*
check 'the status file goes on when there is room' wait_for 10 lists 2 status.log
check 'so do the addresses' wait_for 10 lists 2 addresses.txt
stop_client 2
kill -USR2 "$server_pid"
check 'and the log' wait_for 10 grep -q 'SIGUSR2: status' "$disk/server.log"
check 'the first client was never disconnected' test "$(connection_count 1)" = 1
check 'SIGTERM ends the server' stop_server
check 'with exit status 0' test "$server_status" = 0
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
