#!/bin/bash
# R23: SIGTERM with a thousand clients. Each is told, and the server ends within two seconds, with
# exit status 0; also when none of the clients answers any more.
#
#   RINGWAY_CROWD=200 tests/interop/shutdown_test.sh    fewer

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

if is_stock_server; then
  skip 'the end of a server with a thousand clients' 'stock promises nothing'
  done_testing
  exit
fi
crowd=$source_root/build-test/tests/interop/crowd
[[ -x $crowd ]] || { echo "Cannot run: there is no $crowd: build it first" && exit 1; }
count=${RINGWAY_CROWD:-1000}
topology_up 1
server_config "tls-crypt $work/ta.key" 'server 10.8.0.0 255.255.240.0' 'duplicate-cn' \
  'max-clients 2000' 'explicit-exit-notify 1' 'connect-freq-source 0 1' 'verb 1' |
  sed '0,/^server 10/{/^server 10/d}' >server.conf

# crowd_connects: all clients, by a generator that takes orders on descriptor 9.
crowd_connects() {
  rm -f orders
  mkfifo orders
  start_helper "$(client_ns 1)" bash -c "exec '$crowd' --server $server_v4:$server_port \
    --ca ca.crt --cert client1.crt --key client1.key --tls-crypt ta.key --clients $count <orders" \
    >reports.log 2>&1
  crowd_pid=$helper_pid
  exec 9>orders
  echo "connect rate=500 timeout=$((60 * ${RINGWAY_SLOWNESS:-1}))" >&9
  wait_for $((90 * ${RINGWAY_SLOWNESS:-1})) grep -q '"phase":"connect"' reports.log
  grep -q "\"connected\":$count," reports.log
}
# ends_in MILLISECONDS: after SIGTERM, which has just been sent.
ends() {
  local begun=${EPOCHREALTIME/./}
  kill -TERM "$server_pid"
  server_status=0
  wait "$server_pid" || server_status=$?
  server_pid=''
  took=$(((${EPOCHREALTIME/./} - begun) / 1000))
}

require 'server starts' start_server server.conf
require "$count clients connect" crowd_connects
echo 'hold seconds=4' >&9
sleep 0.2
check 'SIGTERM ends the server' ends
echo "# it took $took ms"
check 'within two seconds' test "$took" -le $((2000 * ${RINGWAY_SLOWNESS:-1}))
check 'with exit status 0' test "$server_status" = 0
wait_for 20 grep -q '"phase":"hold"' reports.log
check 'all clients were told' grep -q "\"disconnected\":{\"server_restart\":$count}" reports.log
tail -n 1 reports.log
exec 9>&-
stop_helper "$crowd_pid"

require 'server starts again' start_server server.conf
require "$count clients connect again" crowd_connects
kill -STOP "$crowd_pid"
check 'SIGTERM ends the server of clients that do not answer' ends
echo "# it took $took ms"
check 'within two seconds, too' test "$took" -le $((2000 * ${RINGWAY_SLOWNESS:-1}))
check 'with exit status 0' test "$server_status" = 0
exec 9>&-
stop_helper "$crowd_pid" KILL
check 'no sanitizer or assertion spoke up' server_log_is_clean
done_testing
