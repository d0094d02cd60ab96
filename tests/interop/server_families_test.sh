#!/bin/bash
# Which families a server reaches with each `proto`, over UDP and TCP, whatever
# net.ipv6.bindv6only says: a table, with stock OpenVPN in the same namespaces beside Ringway. A
# cell is a stock client, forced to one family, that connected (yes) or was told that nobody listens
# (no).

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

topology_up 2
client_config 1 v4 >client1.udp
client_config 2 v6 >client2.udp
sed 's/ udp4$/ tcp4-client/' client1.udp >client1.tcp
sed 's/ udp6$/ tcp6-client/' client2.udp >client2.tcp

is_settled() { client_is_connected "$1" || client_log_has "$1" 'Connection refused'; }
# reached NUMBER: sets $cell.
reached() {
  cell='?'
  wait_for 30 is_settled "$1" || return 0
  if client_is_connected "$1"; then cell=yes; else cell=no; fi
}

# measure NAME PROTO BINDV6ONLY: with $server_command; sets $v4 and $v6 and adds a row. OpenVPN's
# TCP servers say that they are servers.
rows=()
measure() {
  in_server sysctl -qw net.ipv6.bindv6only="$3"
  local spelling=$2
  [[ $1 != OpenVPN || $2 != tcp* ]] || spelling=$2-server
  server_config "proto $spelling" >server.conf
  require "$1 starts with proto $2, bindv6only $3" start_server server.conf
  start_client 1 "client1.${2:0:3}"
  start_client 2 "client2.${2:0:3}"
  reached 1
  v4=$cell
  reached 2
  v6=$cell
  stop_client 1
  stop_client 2
  require "$1 stops" stop_server
  rows+=("$(printf '| %-8s | %-5s | %-10s | %-4s | %-4s |' "$1" "$2" "$3" "$v4" "$v6")")
}

under_test=("${server_command[@]}")
for proto in udp udp4 udp6 tcp tcp4 tcp6; do
  for bindv6only in 0 1; do
    server_command=(openvpn)
    measure OpenVPN "$proto" "$bindv6only"
    if [[ $proto == udp || $proto == tcp ]]; then
      check "OpenVPN's proto $proto is not reached over IPv6, bindv6only $bindv6only" \
        test "$v4 $v6" = 'yes no'
    fi
    server_command=("${under_test[@]}")
    is_stock_server && continue
    measure Ringway "$proto" "$bindv6only"
    expected='yes yes'
    [[ $proto != *4 ]] || expected='yes no'
    check "Ringway's proto $proto, bindv6only $bindv6only, serves IPv4 and IPv6: $expected" \
      test "$v4 $v6" = "$expected"
    check 'no sanitizer or assertion spoke up' server_log_is_clean
  done
done
printf '%s\n' '| server   | proto | bindv6only | IPv4 | IPv6 |' \
  '|----------|-------|------------|------|------|' "${rows[@]}"
done_testing
