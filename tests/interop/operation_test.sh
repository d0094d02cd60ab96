#!/bin/bash
# A server in an operator's hands: it gives up its privileges, takes a new revocation list while it
# runs (B11), survives a broken one, keeps addresses across a restart, and is back after a SIGKILL
# (R02) without anybody's help. What only root may read or write is read and written all the same.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

topology_up 3
server_config "tls-crypt $work/ta.key" "crl-verify $work/lists/crl.pem" 'user nobody' \
  'group nogroup' "ifconfig-pool-persist $work/state/leases.txt 1" \
  "status $work/state/status.log 1" "writepid $work/server.pid" 'reneg-sec 5' 'keepalive 1 4' \
  persist-key >server.conf
# As beside an authority's key: the server can read it no more when it is nobody.
mkdir -m 700 lists
install -m 600 crl.pem lists/crl.pem
mkdir state
chown nobody:nogroup state
require 'server starts' start_server server.conf
for number in 1 2; do
  ((number == 1)) && family=v4 || family=v6
  client_config "$number" "$family" "tls-crypt $work/ta.key" 'reneg-sec 0' >"client$number.conf"
  start_client "$number" "client$number.conf"
  require "client $number connects over $family" client_connects "$number"
done

# Every thread, the io_uring workers of the kernel included.
all_threads_are_nobody() {
  local uids
  uids=$(awk '/^Uid:/ { print $2, $3, $4 }' "/proc/$server_pid/task"/*/status | sort -u)
  echo "$uids"
  [[ $uids == '65534 65534 65534' ]]
}
check 'every thread of it is nobody' all_threads_are_nobody
check 'the pid file names it' test "$(cat server.pid)" = "$server_pid"
for number in 1 2; do
  check "client $number reaches it" in_client "$number" ping -q -c 2 -i 0.1 -W 2 "$inner_v6"
done
if is_stock_server; then
  skip 'no packet has changed workers' 'stock has none'
else
  kill -USR2 "$server_pid"
  check 'no packet has changed workers' \
    wait_for 10 server_log_has '^workers: .*handed_over_packets 0'
fi
start_helper "$(client_ns 1)" "$interop_dir/wire.py" outside "$server_port" >wire.log
renegotiated() { grep -q '^server>client SOFT_RESET' wire.log; }
check 'it renegotiates as nobody, too' wait_for 20 renegotiated
check 'and the client still reaches it' in_client 1 ping -q -c 2 -i 0.1 -W 2 "$inner_v4"

# A list that is being written, or was cut short, must not open the door, nor close it.
if is_stock_server; then
  skip 'a broken CRL changes nothing' 'stock forgets the one before'
else
  head -c 200 crl.pem >broken.pem
  mv broken.pem lists/crl.pem
fi
revoke "$work" ca client2
make_crl "$work" ca crl-next.pem
client_config 3 v4 "tls-crypt $work/ta.key" >client3.conf
start_client 3 client3.conf
check 'under a broken CRL the one before holds: a client is let in' client_connects 3
check 'and nobody was thrown out' test "$(connection_count 1) $(connection_count 2)" = '1 1'
stop_client 3

client2_is_out() {
  ! grep -q 'client2,' state/status.log || client_log_has 2 'AUTH_FAILED|Connection reset|restart'
}
cp crl-next.pem incoming.pem
chmod 600 incoming.pem
mv incoming.pem lists/crl.pem
if is_stock_server; then
  skip 'a revoked client that is connected is thrown out' 'stock asks at the next handshake'
else
  check 'a revoked client that is connected is thrown out' wait_for 15 client2_is_out
fi
check 'the other one stays' test "$(connection_count 1)" = 1
check 'and reaches the server' in_client 1 ping -q -c 2 -i 0.1 -W 2 "$inner_v4"
stop_client 2

leases_are_written() { grep -q '^client1,' state/leases.txt; }
check 'leases are written' wait_for 10 leases_are_written
address_before=$(inner_address 1 4)/$(inner_address 1 6)
check 'a SIGKILL ends it' stop_server KILL
begun=$SECONDS
require 'it starts again, whatever was left behind' start_server server.conf
check 'within two seconds' test $((SECONDS - begun)) -le $((2 * ${RINGWAY_SLOWNESS:-1}))
check 'the client finds its way back by itself' wait_for 30 client_is_connected 1 2
check 'to its old addresses' test "$(inner_address 1 4)/$(inner_address 1 6)" = "$address_before"
check 'and reaches the server' in_client 1 ping -q -c 2 -i 0.1 -W 2 "$inner_v4"
check 'SIGTERM ends it' stop_server
check 'with exit status 0' test "$server_status" = 0
check 'no sanitizer or assertion spoke up' server_log_is_clean

# --- Directories that are root's alone --------------------------------------------------------

mkdir -m 700 roots roots/revoked
server_config "tls-crypt $work/ta.key" "crl-verify $work/roots/revoked dir" 'user nobody' \
  'group nogroup' "ifconfig-pool-persist $work/roots/leases.txt 1" \
  "status $work/roots/status.log 1" 'keepalive 1 4' >roots.conf
require 'a server whose files are in them starts' start_server roots.conf
start_client 3 client3.conf
require 'a client connects' client_connects 3 40
check 'the status file is written' wait_for 10 grep -qs 'client3,' roots/status.log
check 'leases are written' wait_for 10 grep -qs '^client3,' roots/leases.txt
serial=$(openssl x509 -in client3.crt -noout -serial)
touch "roots/revoked/$(python3 -c 'import sys; print(int(sys.argv[1], 16))' "${serial#*=}")"
client3_is_out() {
  ! grep -q 'client3,' roots/status.log || client_log_has 3 'AUTH_FAILED|Connection reset|restart'
}
if is_stock_server; then
  skip 'a client whose serial number is put there is thrown out' 'stock asks at the next handshake'
else
  check 'a client whose serial number is put there is thrown out' wait_for 15 client3_is_out
fi
stop_client 3
check 'SIGTERM ends it, too' stop_server
check 'what it has written stays' grep -q '^client3,' roots/leases.txt
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
