#!/bin/bash
# A server.conf as people wrote it for OpenVPN 2.4, file names and all, works unchanged; and one
# socket serves both families, whatever net.ipv6.bindv6only says and whether it asks for `proto udp`
# or `proto udp6`.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

# conf_24 PROTO: relative names; they are found through the working directory.
conf_24() {
  cat <<EOF
;local a.b.c.d
port 1194
proto $1
dev tun
ca ca.crt
cert server.crt
key server.key  # This file should be kept secret
dh dh.pem
crl-verify crl.pem
topology subnet
server 10.8.0.0 255.255.255.0
server-ipv6 fd00:8::/64
ifconfig-pool-persist ipp.txt
push "dhcp-option DNS 10.8.0.1"
keepalive 10 120
tls-auth ta.key 0 # This file is secret
cipher AES-256-GCM
ncp-ciphers AES-256-GCM:AES-128-GCM
max-clients 100
persist-key
persist-tun
status openvpn-status.log
verb 3
explicit-exit-notify 1
EOF
}

# conf_24_case PROTO BINDV6ONLY
conf_24_case() {
  local proto=$1 bindv6only=$2
  local label="proto $proto, bindv6only $bindv6only"
  topology_up 3
  in_server sysctl -qw net.ipv6.bindv6only="$bindv6only"
  conf_24 "$proto" >server.conf
  local stock=()
  ! is_stock_server || stock=(--multihome)
  require "server starts ($label)" start_server server.conf "${stock[@]}"

  local number family
  for number in 1 2; do
    ((number == 1)) && family=v4 || family=v6
    client_config "$number" "$family" 'tls-auth ta.key 1' >"client$number.conf"
    start_client "$number" "client$number.conf"
  done
  for number in 1 2; do
    ((number == 1)) && family=IPv4 || family=IPv6
    require "a client connects over $family ($label)" client_connects "$number"
    check "and reaches the server over inner IPv4 ($label)" \
      in_client "$number" ping -c 2 -i 0.1 -W 2 "$inner_v4"
    check "and over inner IPv6 ($label)" in_client "$number" ping -c 2 -i 0.1 -W 2 "$inner_v6"
  done
  check "what it pushes arrives ($label)" client_log_has 1 'dhcp-option DNS 10\.8\.0\.1'
  check "the socket serves both families ($label)" both_families_on_one_socket
  revoked_and_strange_clients_are_refused
  check "SIGTERM ends the server with status 0 ($label)" stops_with_status_0
  check "no sanitizer or assertion spoke up ($label)" server_log_is_clean
}

both_families_on_one_socket() {
  local sockets
  sockets=$(in_server ss -Hulne "sport = :$server_port")
  echo "$sockets"
  [[ $sockets == *v6only:0* && $sockets != *v6only:1* ]]
}

# They are seen to be refused when the server has let go of them: the client reads of it in its log,
# or gives up waiting for an answer after its TLS flight.
revoked_and_strange_clients_are_refused() {
  local who
  for who in revoked stranger; do
    client_config 3 v4 'tls-auth ta.key 1' 'hand-window 4' |
      sed "s/client3\.\(crt\|key\)/$who.\1/" >"$who.conf"
    start_client 3 "$who.conf"
    check "a client with a $who certificate finds the server ($label)" \
      wait_for 10 client_log_has 3 'TLS: Initial packet from'
    check "and is not let in ($label)" wait_for 15 client_log_has 3 \
      'TLS Error: TLS (handshake failed|key negotiation failed)|AUTH_FAILED|alert'
    check "not even late ($label)" refuse client_is_connected 3
    stop_client 3
  done
}

stops_with_status_0() { stop_server TERM && ((server_status == 0)); }

cases=('udp6 0' 'udp6 1')
# To stock, `proto udp` is IPv4 alone.
if is_stock_server; then
  skip 'proto udp serves both families' 'stock serves IPv4 alone with it'
else
  cases+=('udp 0' 'udp 1')
fi
in_parallel 4 conf_24_case "${cases[@]}"
done_testing
