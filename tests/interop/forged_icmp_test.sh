#!/bin/bash
# C08: 100,000 forged ICMP messages about a client's flow, each claiming that its packets are too
# big, sent from a third place while the client transfers: the MTU that the server has proven stays,
# nothing is fragmented, and the transfers go on. For either family of outer addresses.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"
# shellcheck source=tests/interop/access_lines.sh
. "$(dirname "$0")/access_lines.sh"
# shellcheck source=tests/interop/traffic.sh
. "$(dirname "$0")/traffic.sh"

forgeries=100000
per_second=10000

# forged_case v4|v6: client 2's namespace is the forger's.
forged_case() {
  local family=$1 server=$server_v4 client
  label="over $family"
  topology_up 2
  client=$(outer_v4 1)
  if [[ $family == v6 ]]; then server=$server_v6 client=$(outer_v6 1); fi
  count_fragments "$(client_ns 1)"
  server_config "tls-crypt $work/ta.key" >server.conf
  client_config 1 "$family" "tls-crypt $work/ta.key" "lport $client_port" >client.conf
  sed -i '/^nobind/d' client.conf
  require "server starts ($label)" start_server server.conf
  start_client 1 client.conf
  require "client connects ($label)" client_connects 1
  if ! is_stock_server; then
    require "the path's MTU is proven ($label)" wait_for 30 path_is 1500
  fi
  transfers_during $((4 << 20)) $((2 << 20)) \
    "what was proven is believed while $forgeries forgeries are sent ($label)" \
    forge "$server" "$server_port" "$client" "$client_port" "$forgeries" "$per_second"
  check "the kernel was told all of them ($label)" kernel_heard "$family"
  if ! is_stock_server; then
    check "it is believed afterwards ($label)" wait_for 10 path_is 1500
    check "nothing was fragmented ($label)" test "$(fragments_in "$(client_ns 1)")" = 0
  fi
  echo "# $label: $(sed -n 's/, sha256.*//p' up-receive.log down-receive.log | paste -sd ';')," \
    "$(fragments_in "$(client_ns 1)") fragments"
  check "the client logged in once ($label)" test "$(connection_count 1)" = 1
  check "SIGTERM ends the server ($label)" stop_server
  check "no sanitizer or assertion spoke up ($label)" server_log_is_clean
}
client_port=41194

# forge ARGUMENTS: of forge_too_big.py. Meanwhile the server is asked again and again.
forge() {
  start_helper "$(client_ns 2)" "$interop_dir/forge_too_big.py" "$@" >forge.log 2>&1
  local forger=$helper_pid asked=0
  until process_is_gone "$forger"; do
    is_stock_server || path_is 1500 || return 1
    asked=$((asked + 1))
    ! is_stock_server || wait_for 60 process_is_gone "$forger"
  done
  cat forge.log
  wait "$forger" && ((asked > 0))
}

# kernel_heard v4|v6: it counts what comes in, whoever is meant by it.
kernel_heard() {
  local heard
  heard=$(if [[ $1 == v4 ]]; then
    in_server awk '/^IcmpMsg:/ { if (seen++) { for (i = 2; i <= NF; i++)
      if (name[i] == "InType3") print $i } else { for (i = 2; i <= NF; i++) name[i] = $i } }' \
      /proc/net/snmp
  else
    in_server awk '$1 == "Icmp6InPktTooBigs" { print $2 }' /proc/net/snmp6
  fi)
  echo "$heard ICMP messages of that type"
  ((heard >= forgeries))
}

in_parallel 2 forged_case v4 v6
done_testing
