#!/bin/bash
# R08, R15: a thousand half-open TCP connections, some of which send a byte now and then, keep no
# client out and take little memory; what no client sends ends its connection; a client that is cut
# off in the middle of a transfer is gone; where no file descriptor is left, those who are connected
# go on.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

if is_stock_server; then
  skip 'hostile connections' 'OpenVPN takes a client for each of them'
  done_testing
  exit
fi
seed=${RINGWAY_SEED:-$RANDOM}
echo "# RINGWAY_SEED=$seed"
topology_up 3
ulimit -n 8192
server_config 'proto tcp' "tls-crypt $work/ta.key" 'workers 2' 'cd /' >server.conf
require 'server starts' start_server server.conf
for number in 1 2; do
  family=$([[ $number == 1 ]] && echo 4 || echo 6)
  server=$([[ $number == 1 ]] && echo "$server_v4" || echo "$server_v6")
  client_config "$number" none "remote $server $server_port tcp$family-client" \
    "tls-crypt $work/ta.key" >"client$number.conf"
done
start_client 1 client1.conf
require 'a client connects' client_connects 1
server_rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$server_pid/status"; }
server_fds() { find "/proc/$server_pid/fd" -mindepth 1 | wc -l; }

# As many files as before, but for the client that comes and goes.
test_fds() { (($(server_fds) <= fds_before + 2)); }

# The first connections fill what is filled once.
check 'what no client sends ends its connection, over IPv4' \
  in_client 3 "$interop_dir/hostile_streams.py" junk "$server_v4" "$server_port" 70 "$seed"
rss_before=$(server_rss_kib)
fds_before=$(server_fds)
start_helper "$(client_ns 3)" "$interop_dir/hostile_streams.py" hold "$server_v4" "$server_port" \
  1000 >hold.log 2>&1
hold_pid=$helper_pid
check 'somebody opens a thousand connections' wait_for 60 grep -q holding hold.log
rss_held=$(server_rss_kib)
echo "# RSS: $rss_before KiB, $rss_held KiB with 1,000 half-open connections; $(server_fds) files"
check 'which take less than 32 KiB each' test $((rss_held - rss_before)) -lt 32768
start_client 2 client2.conf
check 'a client connects all the same' client_connects 2
check 'and reaches the server' in_client 2 ping -c 3 -i 0.1 -W 2 "$inner_v6"
check 'as does the one that was there' in_client 1 ping -c 3 -i 0.1 -W 2 "$inner_v4"
check 'what no client sends ends its connection, over IPv6' \
  in_client 3 "$interop_dir/hostile_streams.py" junk "$server_v6" "$server_port" 210 "$seed"

# A connection that ends without a word in the middle of a transfer.
client_v4=$(inner_address 2 4)
start_helper "$(client_ns 2)" "$interop_dir/transfer.py" receive "$client_v4" 5001 >receive.log 2>&1
wait_for 10 grep -q listening receive.log
start_helper "$server_ns" "$interop_dir/transfer.py" send "$client_v4" 5001 $((1 << 30)) \
  >send.log 2>&1
transfer_pid=$helper_pid
check 'a transfer begins' wait_for 10 in_client 2 ping -c 1 -W 1 "$inner_v4"
in_client 2 ss -Kt "dport = $server_port" >ss.log 2>&1 || kill -KILL "${client_pids[2]}"
check 'a client that is cut off in a transfer is gone' \
  wait_for 20 server_log_has 'client2/.*TCP connection has ended'
stop_helper "$transfer_pid" KILL
stop_helper "$hold_pid" KILL
check 'nothing is left of the connections' \
  wait_for 30 test_fds
check 'the client that was there never noticed' test "$(connection_count 1)" = 1
check 'and reaches the server still' in_client 1 ping -c 3 -i 0.1 -W 2 "$inner_v6"

check 'SIGTERM ends the server' stop_server
check 'no sanitizer or assertion spoke up' server_log_is_clean

# R15: a server with no more file descriptors than it must have, all of which are taken.
stop_client 2
unlimited=("${server_command[@]}")
limit_files() { server_command=(prlimit "--nofile=$1:$1" "${unlimited[@]}"); }
limit_files "$fds_before"
check 'a server with too few file descriptors does not start' refuse start_server server.conf
files=$(grep -Eo 'with 1 listener need [0-9]+' server.log | grep -Eo '[0-9]+$' || true)
check 'and says how many it needs' test "${files:-0}" -gt "$fds_before"
limit_files "${files:-64}"
require 'with as many it starts' start_server server.conf
check 'and says what it means for its clients' wait_for 5 server_log_has 'too few for .max-clients'
check 'the client connects anew' wait_for 60 client_is_connected 1 2
start_helper "$(client_ns 3)" "$interop_dir/hostile_streams.py" hold "$server_v4" "$server_port" \
  100 once >hold2.log 2>&1
hold_pid=$helper_pid
check 'a hundred connections are opened' wait_for 30 grep -q holding hold2.log
check 'without a file descriptor, who is connected goes on' \
  in_client 1 ping -q -c 10 -i 0.1 -W 2 "$inner_v4"
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$server_pid/stat"; }
ticks=$(cpu_ticks)
in_client 1 ping -q -c 20 -i 0.1 -W 2 "$inner_v4" >/dev/null || true
echo "# $(($(cpu_ticks) - ticks)) ticks of CPU in two seconds without a file descriptor"
check 'and the server does not spin' test $(($(cpu_ticks) - ticks)) -lt 60
stop_helper "$hold_pid" KILL
start_client 2 client2.conf
check 'it takes clients again' client_connects 2 60
check 'SIGTERM ends the server' stop_server
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
