#!/bin/bash
# What each version of OpenVPN's client may be told and may lose: whichever of its first twelve
# datagrams is lost, it connects (A05 among them); its keys go once round their ids; it comes back
# at once on the port that it was killed on; the server finds out what its path carries; it says
# goodbye, and hears the server's; it learns why it is refused.
#
# OpenVPN 2.6 always; of the others what client_versions.sh finds.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"
# shellcheck source=tests/interop/client_versions.sh
. "$interop_dir/client_versions.sh"

losses=12
relay_port=21000
# Fifteen seconds where there is nothing else to do; many clients start at once.
login_deadline=90
# A key's id is 0, then 1 to 7, then 1 again.
round_of_ids=9

# start_numbered NUMBER [LINE...]: a client with a TUN device of its own, all in one namespace.
start_numbered() {
  local number=$1
  shift
  client_config 1 none "tls-crypt $work/ta.key" "$@" | sed "s/^dev .*/dev tun$number/" \
    >"client$number.ovpn"
  start_version "$version" "$(client_ns 1)" "client$number.ovpn" "client$number.log"
  client_pids[$number]=$client_pid
}

has_tunnel() { client_log_has "$1" "$tunnel_is_up"; }
times_connected() { grep -Ec -e "$tunnel_is_up" "$work/client$1.log" || true; }
has_made_keys() { (($(grep -Ec -e "$keys_are_made" "client$1.log" || true) >= $2)); }
reaches_server() { # NUMBER
  in_client 1 ping -q -n -I "tun$1" -c 3 -i 0.3 -w 10 "$inner_v4" &&
    in_client 1 ping -q -n -I "tun$1" -c 3 -i 0.3 -w 10 "$inner_v6"
}

version_case() {
  version=$1
  topology_up 1
  in_client 1 sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
  # OpenVPN 3 takes a new key into use after a minute, and until then no other.
  local seconds=6
  [[ $version != 3 ]] || seconds=3600
  server_config "tls-crypt $work/ta.key" duplicate-cn "reneg-sec $seconds $seconds" \
    'explicit-exit-notify 1' "status $work/status.log 1" 'compress migrate' \
    'data-ciphers-fallback AES-256-GCM' >server.conf
  require "server starts ($version)" start_server server.conf
  one_datagram_is_lost
  is_stock_server || path_is_found_out
  [[ -z ${RINGWAY_CLIENTS:-} ]] || ids_go_round
  comes_back_on_its_port
  says_goodbye
  gives_up_compression
  negotiates_nothing
  hears_why_it_is_refused
  hears_the_servers_goodbye
  check "no sanitizer or assertion spoke up ($version)" server_log_is_clean
}

one_datagram_is_lost() {
  local number begun
  start_helper "$(client_ns 1)" "$interop_dir/dropping_relay.py" "$relay_port" "$losses" \
    "$server_v4" "$server_port" >relay.log 2>&1
  wait_for 10 grep -q relaying relay.log
  begun=${EPOCHREALTIME/./}
  for ((number = 1; number <= losses; ++number)); do
    start_numbered "$number" "remote 127.0.0.1 $((relay_port + number - 1)) udp4"
  done
  for ((number = 1; number <= losses; ++number)); do
    check "datagram $number lost, and it connects ($version)" \
      wait_for $((login_deadline - (${EPOCHREALTIME/./} - begun) / 1000000)) has_tunnel "$number"
  done
  echo "# OpenVPN $version: all there after $(((${EPOCHREALTIME/./} - begun) / 1000000)) s"
  grep '^lost' relay.log | sed "s/^/# OpenVPN $version: /"
  check "and with whichever was lost, it is served ($version)" all_reach_server
}
all_reach_server() {
  local number
  for ((number = 1; number <= losses; ++number)); do reaches_server "$number" || return 1; done
}

path_is_found_out() {
  check "what its path carries is proven ($version)" wait_for 40 path_is_proven
}
path_is_proven() {
  kill -USR2 "$server_pid"
  grep -q 'path MTU 1500 (proven)' "$work/server.log"
}

ids_go_round() {
  if [[ $version == 3 ]]; then
    skip "its keys go once round their ids ($version)" 'that takes nine minutes'
    return
  fi
  check "its keys go once round their ids ($version)" wait_for 120 has_made_keys 1 "$round_of_ids"
  check "and those of another ($version)" wait_for 20 has_made_keys "$losses" "$round_of_ids"
  check "and its tunnel has stayed ($version)" reaches_server 1
  check "without another login ($version)" test "$(times_connected 1)" = 1
}

comes_back_on_its_port() {
  local number
  for number in 13 14; do
    start_numbered "$number" "remote $server_v6 $server_port udp6" 'lport 40001'
    sed -i /^nobind/d "client$number.ovpn"
    [[ $number == 13 ]] || continue
    kill -KILL "${client_pids[13]}"
    wait "${client_pids[13]}" 2>/dev/null || true
    start_version "$version" "$(client_ns 1)" client13.ovpn client13.log
    client_pids[13]=$client_pid
    check "it connects on a port of its own ($version)" wait_for 20 has_tunnel 13
    check "and is served ($version)" reaches_server 13
    kill -KILL "${client_pids[13]}"
    wait "${client_pids[13]}" 2>/dev/null || true
  done
  kill -KILL "${client_pids[14]}"
  wait "${client_pids[14]}" 2>/dev/null || true
  start_version "$version" "$(client_ns 1)" client14.ovpn client14.log
  client_pids[14]=$client_pid
  check "killed and started on the same port, it is back at once ($version)" \
    wait_for 15 has_tunnel 14
  check "and is served again ($version)" reaches_server 14
}

says_goodbye() {
  local before
  start_numbered 15 "remote $server_v4 $server_port udp4" 'explicit-exit-notify 1'
  check "a client that will leave connects ($version)" wait_for 20 has_tunnel 15
  before=$(farewells)
  stop_client 15
  check "its goodbye is heard ($version)" wait_for 10 eval "((\$(farewells) > $before))"
}
farewells() {
  grep -Ec 'left: |SIGTERM\[soft,(remote-exit|delayed-exit)' "$work/server.log" || true
}

# Each kind of compression that a profile may ask for (C07).
gives_up_compression() {
  local line number=20 first=20
  while read -r line; do
    start_numbered "$number" "remote $server_v6 $server_port udp6" "$line"
    number=$((number + 1))
  done <<'END'
comp-lzo
comp-lzo no
comp-lzo yes
compress
compress lz4
compress lz4-v2
compress stub-v2
END
  for ((number = first; number < first + 7; ++number)); do
    line=$(tail -n 1 "client$number.ovpn")
    if client_log_has "$number" 'compiled without LZO'; then
      skip "with '$line' in its profile it connects ($version)" 'it was built without LZO'
      continue
    fi
    check "with '$line' in its profile it connects ($version)" wait_for 20 has_tunnel "$number"
    check "and packets that could be compressed get through ($version)" in_client 1 \
      ping -q -n -I "tun$number" -c 3 -i 0.3 -w 10 -s 1000 -p 00 "$inner_v4"
    stop_client "$number"
  done
}

# Clients whose ciphers are not negotiated: what their options say, and who does not say even that.
negotiates_nothing() {
  [[ $version == 2.4 || $version == 2.5 ]] || return 0
  local alone=('ncp-disable' 'cipher AES-256-GCM')
  start_numbered 30 "remote $server_v4 $server_port udp4" "${alone[@]}"
  start_numbered 31 "remote $server_v4 $server_port udp4" "${alone[@]}" disable-occ
  check "without negotiation it has the cipher of its options ($version)" \
    wait_for 20 has_tunnel 30
  check "and is served ($version)" reaches_server 30
  check "where it tells none, the fallback ($version)" wait_for 20 has_tunnel 31
  check "and is served, too ($version)" reaches_server 31
}

hears_why_it_is_refused() {
  local line
  case $version in
    2.4) line='ncp-ciphers AES-192-GCM' ;;
    3) line='data-ciphers AES-192-GCM' ;;
    *) line='data-ciphers AES-192-GCM' ;;
  esac
  start_numbered 16 "remote $server_v4 $server_port udp4" "$line" 'cipher AES-192-GCM'
  if [[ $version == 3 ]]; then
    skip "it hears why it is refused ($version)" 'offers all its ciphers, whatever its profile says'
  else
    check "it hears why it is refused ($version)" wait_for 20 client_log_has 16 \
      'AUTH_FAILED,Data channel cipher negotiation failed'
  fi
}

hears_the_servers_goodbye() {
  local before
  before=$(times_connected 1)
  check "SIGTERM ends the server ($version)" stop_server
  check "with exit status 0 ($version)" test "$server_status" = 0
  check "it hears that the server stops ($version)" wait_for 10 client_log_has 1 \
    'Connection reset command was pushed by server|server-pushed-connection-reset|RESTART'
  require "server starts again ($version)" start_server server.conf
  check "and it comes back ($version)" wait_for 40 eval "((\$(times_connected 1) > $before))"
}

read -ra versions <<<"${RINGWAY_CASE:-$(found_versions)}"
in_parallel 5 version_case "${versions[@]}"
skip_missing_versions
done_testing
