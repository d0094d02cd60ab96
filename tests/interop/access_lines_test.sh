#!/bin/bash
# 50 MB each way through the tunnel, over every access line of access_lines.sh and every family
# that it has, with ICMP and without: nothing is fragmented outside, and nothing stands still. A
# stock client and `ringway client`; a table of the figures, with stock OpenVPN at both ends beside.
#
#   RINGWAY_CASE='ds-lite blocked stock' tests/interop/access_lines_test.sh  one case
#   RINGWAY_SERVER_COMMAND=openvpn tests/interop/access_lines_test.sh      OpenVPN alone

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"
# shellcheck source=tests/interop/access_lines.sh
. "$(dirname "$0")/access_lines.sh"
# shellcheck source=tests/interop/inner_sizes.sh
. "$(dirname "$0")/inner_sizes.sh"

transfer_bytes=$((50 << 20))
# A path that swallows packets holds TCP up for good, a lost packet for some hundred milliseconds;
# machines that are busy add to both.
longest_wait_allowed=5

# line_case LINE open|blocked stock|ringway [openvpn]: the client, and who serves it if not Ringway.
line_case() {
  local line=$1 icmp=$2 client=$3
  who="$client client"
  if [[ ${4:-} == openvpn ]]; then
    server_command=(openvpn)
    who='all stock'
  fi
  label="$line, ICMP $icmp, $who"
  line_up "$line" "$icmp"
  server_config "tls-crypt $work/ta.key" >server.conf
  require "server starts ($label)" start_server server.conf
  local family
  for family in $(line_families "$line"); do
    label="$line $family, ICMP $icmp, $who"
    family_case "$line" "$icmp" "$client" "$family"
  done
  check "SIGTERM ends the server ($label)" stop_server
  check "no sanitizer or assertion spoke up ($label)" server_log_is_clean
}

family_case() {
  local line=$1 icmp=$2 client=$3 family=$4 up=4 down=6 seen
  # Each direction has another inner family, and all four pairs have their turn.
  if [[ $family == v6 ]]; then up=6 down=4; fi
  client_config 1 "$family" "tls-crypt $work/ta.key" >client.conf
  start_a_client "$client" client.conf
  require "client connects ($label)" wait_for 30 client_has_connected
  is_stock_server || require "the server proves the path's MTU, $(line_mtu "$family") ($label)" \
    wait_for 60 path_is "$(line_mtu "$family")"
  fragments_forget
  transfer up "$up"
  transfer down "$down"
  seen=$(fragments)
  row "$line" "$family" "$icmp" "$who" "$(took up)" "$(took down)" "$(longest_wait)" "$seen"
  if is_stock_server; then
    # Its defaults are made for 1492 bytes: that these lines bite is what this case is to show.
    (($(line_mtu "$family") >= 1492)) ||
      check "they are seen where there are some ($label)" test "$seen" -gt 0
  else
    check "no fragments outside ($label)" test "$seen" = 0
    check "nobody waited long ($label)" waited_at_most "$longest_wait_allowed"
    large_packets "$client" "$family"
  fi
  stop_client 1
}

# Inner UDP packets that this line does not carry whole: the overhead is 52 bytes over IPv4 and 72
# over IPv6 (IP, UDP and the data channel's 24), and 4 more where both ends have keys of epochs.
large_packets() {
  local client=$1 family=$2 here limit
  here=$(inner_address 1 4)
  limit=$(($(line_mtu "$family") - 52))
  if [[ $family == v6 ]]; then limit=$((limit - 20)); fi
  if [[ $client == ringway ]] && ! is_stock_server; then limit=$((limit - 4)); fi
  fragments_forget
  check_told "the server's host" "$server_ns" "$inner_v4" "$here" "$limit"
  check_whole 'what the server sends' "$server_ns" "$inner_v4" "$(client_ns 1)" "$here"
  if [[ $client == ringway ]]; then
    check_told "the client's host" "$(client_ns 1)" "$here" "$inner_v4" "$limit"
    check_whole 'what the client sends' "$(client_ns 1)" "$here" "$server_ns" "$inner_v4"
  fi
  check "neither makes fragments outside ($label)" test "$(fragments)" = 0
  ((limit >= 1280)) || narrow_ipv6 "$client"
}

# The one case where nothing else is legal (RFC 2473 7.1): an inner IPv6 packet of 1280 bytes over a
# path that carries less. It is fragmented outside, by us, and counted.
narrow_ipv6() {
  local client=$1 here
  here=$(inner_address 1 6)
  check_whole 'an IPv6 packet that the server sends' "$server_ns" "$inner_v6" "$(client_ns 1)" \
    "$here" 1280
  kill -USR2 "$server_pid"
  check "it was fragmented outside, and counted ($label)" \
    wait_for 5 grep -q 'link_fragmented [1-9]' server.log
  check "the routers have seen the fragments ($label)" test "$(fragments)" -gt 0
  [[ $client == ringway ]] || return 0
  fragments_forget
  check_whole 'an IPv6 packet that the client sends' "$(client_ns 1)" "$here" "$server_ns" \
    "$inner_v6" 1280
  kill -USR2 "${client_pids[1]}"
  check "so it is at the client ($label)" wait_for 5 grep -q 'link_fragmented [1-9]' client1.log
  check "the routers have seen those, too ($label)" test "$(fragments)" -gt 0
}

# transfer up|down 4|6
transfer() {
  local receiver sender address
  if [[ $1 == up ]]; then
    receiver=$server_ns sender=$(client_ns 1)
    address=$inner_v4
    if (($2 == 6)); then address=$inner_v6; fi
  else
    receiver=$(client_ns 1) sender=$server_ns
    address=$(inner_address 1 "$2")
  fi
  start_helper "$receiver" "$interop_dir/transfer.py" receive "$address" 5001 \
    >"receive-$1.log" 2>&1
  wait_for 10 grep -q listening "receive-$1.log"
  check "50 MB $1 over inner IPv$2 ($label)" send_to "$sender" "$address" "$1"
  stop_helper "$helper_pid"
}
send_to() {
  ip netns exec "$1" "$interop_dir/transfer.py" send "$2" 5001 "$transfer_bytes" \
    >"send-$3.log" 2>&1 || {
    cat "send-$3.log" "receive-$3.log"
    return 1
  }
}

# --- Figures ------------------------------------------------------------------------------------

# took up|down: seconds, or a dash for a transfer that did not finish.
took() {
  local seconds
  seconds=$(sed -n 's/^sent .* in \([0-9.]*\) s,.*/\1/p' "send-$1.log")
  echo "${seconds:--}"
}
longest_wait() {
  cat receive-up.log receive-down.log | awk '
    /longest wait/ { sub(/.*longest wait /, ""); if ($1 > most) most = $1 }
    END { print most + 0 }'
}
waited_at_most() {
  cat receive-up.log receive-down.log
  awk -v most="$(longest_wait)" -v allowed="$1" 'BEGIN { exit !(most <= allowed) }'
}

# shellcheck disable=SC2059  # It is a format.
row() { printf "$row_format" "$@" >>"$table"; }
row_format='| %-13s | %-7s | %-7s | %-14s | %5s | %6s | %12s | %9s |\n'

cases=()
for line in dual-stack ds-lite pppoe ds-lite-pppoe ipv6-1280; do
  for icmp in open blocked; do
    cases+=("$line $icmp stock" "$line $icmp ringway")
  done
done
if is_stock_server; then
  mapfile -t cases < <(printf '%s openvpn\n' "${cases[@]}" | grep stock)
else
  cases+=('ds-lite open stock openvpn')
fi
if [[ -n ${RINGWAY_CASE:-} ]]; then cases=("$RINGWAY_CASE"); fi
table=$(mktemp "${TMPDIR:-/tmp}/ringway-table.XXXXXX")
# Most of a case is waiting: a path that carries less than 1500 bytes is known after some ten
# seconds.
in_parallel 4 line_case "${cases[@]}"
# shellcheck disable=SC2059  # It is a format.
printf "$row_format" line outside ICMP who 'up s' 'down s' 'longest wait' fragments
# shellcheck disable=SC2059
printf "$row_format" --- --- --- --- --- --- --- ---
sort "$table"
rm -f "$table"
done_testing
