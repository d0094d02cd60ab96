#!/bin/bash
# `ringway client` against the server and against stock OpenVPN 2.6: both outer families, both
# wrappings of the control channel, two ciphers, renegotiation from both sides; traffic of both
# inner families whose content is compared; a server that restarts; and that nothing is left behind.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"
# shellcheck source=tests/interop/traffic.sh
. "$(dirname "$0")/traffic.sh"

# The client under test is the server's own program, also where stock OpenVPN serves.
if is_stock_server; then
  ringway_client=("$source_root/build/tools/ringway" client)
else
  ringway_client=("${server_command[0]}" client)
fi

# start_ringway_client CONFIG [OPTION...]: client number 1, in the background.
start_ringway_client() {
  : >"$work/client1.log"
  ip netns exec "$(client_ns 1)" "${ringway_client[@]}" "$@" >>"$work/client1.log" 2>&1 \
    </dev/null &
  client_pids[1]=$!
}

connected_count() { grep -c ' connected: ' "$work/client1.log" || true; }
has_connected() { (($(connected_count) >= $1)); }
# connects [TIMES [SECONDS]]
connects() {
  wait_for "${2:-30}" has_connected "${1:-1}" || {
    tail -n 12 "$work/client1.log" "$work/server.log"
    return 1
  }
}

# profile v4|v6|tcp4|tcp6 [LINE...]: with certificates and keys inline, as profiles are handed out.
profile() {
  local family=$1 file
  shift
  echo 'client'
  echo 'dev tun0'
  echo 'nobind'
  echo 'persist-tun'
  echo 'persist-key'
  echo 'resolv-retry infinite'
  echo 'remote-cert-tls server'
  echo 'verify-x509-name server name'
  echo 'connect-retry 1 2'
  echo 'verb 4'
  case $family in
    v4) echo "remote $server_v4 $server_port udp4" ;;
    v6) echo "remote $server_v6 $server_port udp6" ;;
    tcp4) echo "remote $server_v4 $server_port tcp4-client" ;;
    tcp6) echo "remote $server_v6 $server_port tcp" ;;
  esac
  for file in ca:ca.crt cert:client1.crt key:client1.key; do
    echo "<${file%%:*}>"
    cat "$work/${file##*:}"
    echo "</${file%%:*}>"
  done
  (($# == 0)) || printf '%s\n' "$@"
}

inline_key() { printf '<%s>\n%s\n</%s>' "$1" "$(cat "$work/ta.key")" "$1"; }

# client_case ringway|stock v4|v6|tcp4|tcp6 tls-auth|tls-crypt CIPHER server|client
client_case() {
  local server=$1 family=$2 wrap=$3 cipher=$4 renegotiator=$5
  label="$server server, $family, $wrap, $cipher, $renegotiator renegotiates"
  [[ $server == ringway ]] || server_command=(openvpn)
  topology_up 1
  local server_wrap="$wrap $work/ta.key" direction=''
  if [[ $wrap == tls-auth ]]; then
    server_wrap+=' 0'
    direction='key-direction 1'
  fi
  local server_seconds=0 client_seconds=0
  [[ $renegotiator == server ]] && server_seconds=5 || client_seconds=5
  local protocol=()
  if [[ $family == tcp* ]]; then
    protocol=('proto tcp')
    [[ $server == ringway ]] || protocol=('proto tcp6-server')
  fi
  server_config "$server_wrap" "reneg-sec $server_seconds" "${protocol[@]}" \
    'push "route 10.99.0.0 255.255.0.0"' 'push "route-ipv6 fd99::/64"' >server.conf
  profile "$family" "$(inline_key "$wrap")" "$direction" "data-ciphers $cipher" \
    "reneg-sec $client_seconds" >client.ovpn

  require "server starts ($label)" start_server server.conf
  start_ringway_client client.ovpn
  require "client connects ($label)" connects
  check "by the cipher that was asked for ($label)" client_log_has 1 " connected: .*$cipher"
  routes_are_set
  pings
  transfers_across_renegotiation
  survives_a_restart "$server"
  leaves_cleanly
}

routes_are_set() {
  local namespace
  namespace=$(client_ns 1)
  check "the pushed IPv4 route leads into the tunnel ($label)" \
    grep -q 'dev tun0' <(ip -n "$namespace" route get 10.99.1.1)
  check "the pushed IPv6 route leads into the tunnel ($label)" \
    grep -q 'dev tun0' <(ip -n "$namespace" -6 route get fd99::1)
}

transfers_across_renegotiation() {
  transfers_during $((32 << 20)) $((2 << 20)) "keys are replaced while data flows ($label)" \
    wait_for 30 client_log_has 1 'renegotiated: new keys, key id 2'
  check "the client logged in once ($label)" test "$(connected_count)" = 1
}

# SIGUSR1, and a server that says nothing any more: the device stays, and traffic comes back.
survives_a_restart() {
  kill -USR1 "${client_pids[1]}"
  check "SIGUSR1 connects anew ($label)" connects 2
  check "inner IPv4 after that ($label)" \
    wait_for 10 in_client 1 ping -c 1 -W 1 "$inner_v4"
  # Ringway tells its clients; stock needs the ping-restart of its own clients' profile.
  [[ $1 == ringway ]] || return 0
  check "the server stops ($label)" stop_server
  require "and starts again ($label)" start_server server.conf --explicit-exit-notify 1
  kill -USR1 "${client_pids[1]}"
  check "the client is back ($label)" connects 3
  check "inner IPv6 after that ($label)" \
    wait_for 10 in_client 1 ping -c 1 -W 1 "$inner_v6"
}

leaves_cleanly() {
  local pid=${client_pids[1]} status=timeout said
  said=$(wc -l <"$work/server.log")
  kill -TERM "$pid"
  if wait_for 10 process_is_gone "$pid"; then
    status=0
    wait "$pid" || status=$?
  fi
  unset 'client_pids[1]'
  check "SIGTERM ends the client with exit status 0 ($label)" test "$status" = 0
  check "its TUN device is gone ($label)" wait_for 5 client_has_no_tun
  check "its routes are gone ($label)" no_route_is_left
  check "its socket is gone ($label)" test -z \
    "$(in_client 1 ss -Hulnp)$(in_client 1 ss -Htn "dport = :$server_port")"
  check "it said goodbye ($label)" wait_for 5 server_noticed "$said"
  check "no sanitizer or assertion spoke up ($label)" logs_are_clean
  stop_server || true
}

client_has_no_tun() { [[ $(ip -n "$(client_ns 1)" -o link show) != *": tun"* ]]; }
no_route_is_left() {
  refuse grep -E '10\.(8|99)\.' <(ip -n "$(client_ns 1)" route show table all) &&
    refuse grep -E 'fd00:8|fd99' <(ip -n "$(client_ns 1)" -6 route show table all)
}
# server_noticed LINES: behind so many lines of its log.
server_noticed() {
  tail -n "+$(($1 + 1))" "$work/server.log" |
    grep -Eq 'left|Delayed exit|Connection reset|connection has ended'
}
logs_are_clean() {
  server_log_is_clean && ! grep -E 'Sanitizer|runtime error:|assertion|ASSERT' "$work/client1.log"
}

# Pushed networks that the client's LAN has, too: the LAN keeps them, the tunnel stands.
foreign_routes_case() {
  local namespace before_v4 before_v6
  label='foreign routes'
  topology_up 1
  namespace=$(client_ns 1)
  ip -n "$namespace" route add 10.99.0.0/16 via "$server_v4"
  ip -n "$namespace" -6 route add fd99::/64 via "$server_v6"
  before_v4=$(ip -n "$namespace" route show)
  before_v6=$(ip -n "$namespace" -6 route show)
  ip -n "$namespace" route add 10.97.0.0/16 via "$server_v4"
  server_config "tls-crypt $work/ta.key" 'push "route 10.97.0.0 255.255.0.0"' \
    'push "route 10.99.0.0 255.255.0.0"' \
    'push "route 192.0.2.0 255.255.255.0"' 'push "route 10.98.0.0 255.255.0.0"' \
    'push "route-ipv6 fd99::/64"' >server.conf
  profile v4 "$(inline_key tls-crypt)" >client.ovpn
  require "server starts ($label)" start_server server.conf
  give_up_a_route_soon &
  start_ringway_client client.ovpn
  require "the client connects ($label)" connects
  check "a route that the host gives up soon is the tunnel's ($label)" \
    grep -q 'dev tun0' <(ip -n "$namespace" route get 10.97.1.1)
  check "so there are two ($label)" client_log_has 1 'connected: .* 2 routes,'
  check "it says which IPv4 route is the host's ($label)" \
    client_log_has 1 'route 10\.99\.0\.0/16 is left aside.*ip route show 10\.99'
  check "it says which IPv6 route is the host's ($label)" \
    client_log_has 1 'route fd99::/64 is left aside.*ip -6 route show fd99'
  # Also where a pushed network is the LAN itself.
  check "what the LAN reaches, and the server with it, stays on the LAN ($label)" \
    grep -q 'dev outside' <(ip -n "$namespace" route get "$server_v4")
  check "so does what lies behind it ($label)" \
    grep -q 'dev outside' <(ip -n "$namespace" route get 10.99.1.1)
  check "the other routes lead into the tunnel ($label)" \
    grep -q 'dev tun0' <(ip -n "$namespace" route get 10.98.1.1)
  pings
  leaves_cleanly_but "$before_v4" "$before_v6"
}

# As the routes of a client that was killed: they go with its device, some moments later. Routes are
# set in order, so that the last one says that the first has been tried.
give_up_a_route_soon() {
  wait_for 30 last_route_is_set && ip -n "$(client_ns 1)" route del 10.97.0.0/16 via "$server_v4"
}
last_route_is_set() { [[ $(ip -n "$(client_ns 1)" route show 10.98.0.0/16) == *tun0* ]]; }

# leaves_cleanly_but ROUTES ROUTES_V6: those, and nothing else.
leaves_cleanly_but() {
  local namespace pid=${client_pids[1]}
  namespace=$(client_ns 1)
  kill -TERM "$pid"
  check "SIGTERM ends it ($label)" wait_for 10 process_is_gone "$pid"
  unset 'client_pids[1]'
  check "its TUN device is gone ($label)" wait_for 5 client_has_no_tun
  check "the host's IPv4 routes are as before ($label)" \
    test "$(ip -n "$namespace" route show)" = "$1"
  check "the host's IPv6 routes are as before ($label)" \
    test "$(ip -n "$namespace" -6 route show)" = "$2"
  check "no sanitizer or assertion spoke up ($label)" logs_are_clean
  stop_server || true
}

# What cannot work is said in one line, and the exit status is 1.
refusals_case() {
  label='refusals'
  topology_up 1
  server_config "tls-crypt $work/ta.key" >server.conf
  require 'server starts' start_server server.conf

  profile v4 >unknown.ovpn
  echo 'remot 192.0.2.1' >>unknown.ovpn
  check 'an unknown option is named with the line and what was meant' \
    fails_with unknown.ovpn 'unknown.ovpn:[0-9]*: unknown option `remot` — write `remote`'
  profile v4 'redirect-gateway def2' >all.ovpn
  check 'an unknown flag of redirect-gateway is refused' \
    fails_with all.ovpn '`redirect-gateway def2` knows no `def2`'
  profile v4 "tls-crypt $work/missing.key" >missing.ovpn
  check 'a missing key file is named' fails_with missing.ovpn '`tls-crypt`.*missing.key'
  sed '/^remote /d' unknown.ovpn | sed '/^remot /d' >remoteless.ovpn
  check 'a profile without a server is refused' fails_with remoteless.ovpn '`remote` is missing'

  profile v4 "tls-crypt $work/ta.key" 'verify-x509-name other name' 'connect-retry-max 1' >name.ovpn
  check 'another server is not believed' fails_with name.ovpn 'verify-x509-name'
  check 'no device is left' client_has_no_tun
  stop_server || true
}

fails_with() {
  local status=0
  timeout 30 ip netns exec "$(client_ns 1)" "${ringway_client[@]}" "$1" >refused.log 2>&1 ||
    status=$?
  cat refused.log
  ((status == 1)) && grep -q -e "$2" refused.log
}

one_case() {
  case $1 in
    refusals) refusals_case ;;
    foreign-routes) foreign_routes_case ;;
    *) client_case "$@" ;;
  esac
}

cases=(
  'ringway v4 tls-crypt AES-256-GCM server'
  'ringway v6 tls-auth CHACHA20-POLY1305 client'
  'ringway v6 tls-crypt AES-256-GCM client'
  'stock v4 tls-auth AES-256-GCM client'
  'stock v6 tls-crypt CHACHA20-POLY1305 server'
  'stock v6 tls-auth AES-256-GCM server'
  'ringway tcp4 tls-crypt AES-256-GCM server'
  'ringway tcp6 tls-auth CHACHA20-POLY1305 client'
  'stock tcp4 tls-crypt AES-256-GCM client'
  'stock tcp6 tls-auth AES-256-GCM server'
  'foreign-routes'
  'refusals'
)
if is_stock_server; then
  mapfile -t cases < <(printf '%s\n' "${cases[@]}" | grep -v '^ringway')
fi
if [[ -n ${RINGWAY_CASE:-} ]]; then cases=("$RINGWAY_CASE"); fi
in_parallel 4 one_case "${cases[@]}"
done_testing
