#!/bin/bash
# Stock clients in every combination: {UDP, TCP} x {IPv4, IPv6} x {none, tls-auth, tls-crypt,
# tls-crypt-v2} x {AES-128-GCM, AES-256-GCM, CHACHA20-POLY1305} x {TLS 1.2, 1.3}, 96 cells of
# OpenVPN 2.6; of other versions (client_versions.sh) every protection over every transport. All run
# at once: a server for each protection and transport, all its clients in one namespace, each with a
# TUN device of its own.
#
# A cell has connected, with a PUSH_REPLY in more than one message; speaks its cipher and its TLS;
# has pinged both inner families; has renegotiated; and has pinged them again.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"
# shellcheck source=tests/interop/client_versions.sh
. "$interop_dir/client_versions.sh"

ciphers=(AES-128-GCM AES-256-GCM CHACHA20-POLY1305)
tables=$(mktemp -d "${TMPDIR:-/tmp}/ringway-matrix.XXXXXX")

# matrix_case none|tls-auth|tls-crypt|tls-crypt-v2 udp|tcp: the cells of one server.
matrix_case() {
  local wrap=$1 transport=$2 cell
  topology_up 1
  in_client 1 sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
  plan_cells
  write_server_config >server.conf
  require "server starts ($wrap, $transport)" start_server server.conf
  for cell in "${!cells[@]}"; do
    # shellcheck disable=SC2086  # Words.
    cell_config "$cell" ${cells[cell]} >"client$cell.ovpn"
    start_version "${cells[cell]%% *}" "$(client_ns 1)" "client$cell.ovpn" "client$cell.log"
    client_pids[$cell]=$client_pid
  done
  wait_for_clients 60 "$tunnel_is_up" 1
  ping_all before
  wait_for_clients 60 "$keys_are_made" 2
  ping_all after
  for cell in "${!cells[@]}"; do
    # shellcheck disable=SC2086
    check "OpenVPN ${cells[cell]}, $wrap, $transport" cell_is_well "$cell" ${cells[cell]}
  done
  check "SIGTERM ends the server ($wrap, $transport)" stop_server
  check "no sanitizer or assertion spoke up ($wrap, $transport)" server_log_is_clean
}

# cells: "VERSION FAMILY CIPHER TLS" each.
plan_cells() {
  local version family cipher tls
  cells=()
  for family in v4 v6; do
    for cipher in "${ciphers[@]}"; do
      for tls in 1.2 1.3; do cells+=("2.6 $family $cipher $tls"); done
    done
    for version in $(found_versions); do
      [[ $version == 2.6 ]] || ! speaks "$version" "$wrap" AES-256-GCM ||
        cells+=("$version $family AES-256-GCM $(newest_tls "$version")")
    done
  done
}

write_server_config() {
  local lines=() number filler
  case $wrap in
    tls-auth) lines+=("tls-auth $work/ta.key 0" 'auth SHA256') ;;
    tls-crypt) lines+=("tls-crypt $work/ta.key") ;;
    tls-crypt-v2)
      openvpn --genkey tls-crypt-v2-server v2-server.key
      openvpn --tls-crypt-v2 v2-server.key --genkey tls-crypt-v2-client v2-client.key
      lines+=("tls-crypt-v2 $work/v2-server.key")
      ;;
  esac
  if is_stock_server; then
    lines+=("proto ${transport}6$([[ $transport == udp ]] || echo -server)")
  else
    lines+=("proto $transport")
  fi
  # More than one message holds.
  filler=$(printf 'x%.0s' {1..150})
  for number in {1..8}; do lines+=("push \"setenv-safe filler$number $filler\""); done
  server_config "${lines[@]}" duplicate-cn 'reneg-sec 12 12' \
    'data-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305' | sed '/^persist-tun/d'
}

# cell_config CELL VERSION FAMILY CIPHER TLS
cell_config() {
  local cell=$1 version=$2 family=$3 cipher=$4 tls=$5 server=$server_v4
  [[ $family == v4 ]] || server=$server_v6
  client_config 1 none | sed "s/^dev .*/dev tun$cell/"
  echo "remote $server $server_port $transport${family#v}$([[ $transport == udp ]] || echo -client)"
  case $wrap in
    tls-auth) printf '%s\n' 'auth SHA256' "tls-auth $work/ta.key 1" ;;
    tls-crypt) echo "tls-crypt $work/ta.key" ;;
    tls-crypt-v2) echo "tls-crypt-v2 $work/v2-client.key" ;;
  esac
  case $version in
    2.4) echo "ncp-ciphers $cipher" ;;
    3) ;;
    *) echo "data-ciphers $cipher" ;;
  esac
  [[ $version == 3 ]] || printf '%s\n' "tls-version-max $tls" "tls-version-min $tls"
}

# wait_for_clients SECONDS PATTERN TIMES: until every log has that, or the time is up.
wait_for_clients() {
  wait_for "$1" all_logs_have "$2" "$3" || true
}
all_logs_have() {
  local few
  few=$(grep -Ec -e "$1" client[0-9]*.log | awk -F: -v times="$2" '$2 < times' || true)
  [[ -z $few ]]
}

# ping_all NAME: from every client at once, both families; client<N>.v4.NAME is there if it works.
ping_all() {
  local cell pids=()
  for cell in "${!cells[@]}"; do
    answers "$cell" "$inner_v4" v4 "$1" &
    pids+=($!)
    answers "$cell" "$inner_v6" v6 "$1" &
    pids+=($!)
  done
  wait "${pids[@]}" || true
}
answers() {
  in_client 1 ping -q -n -I "tun$1" -c 3 -i 0.3 -w 10 "$2" >/dev/null 2>&1 || return 0
  touch "client$1.$3.$4"
}

# cell_is_well CELL VERSION FAMILY CIPHER TLS: says what is not; adds to the table.
cell_is_well() {
  local cell=$1 version=$2 family=$3 cipher=$4 tls=$5 problems='' moment inner
  client_log_has "$cell" "$tunnel_is_up" || problems+=' no-tunnel'
  for moment in before after; do
    for inner in v4 v6; do
      [[ -e client$cell.$inner.$moment ]] || problems+=" no-$inner-$moment-renegotiation"
    done
  done
  (($(grep -Ec -e "$keys_are_made" "client$cell.log" || true) >= 2)) || problems+=' no-new-key'
  (($(grep -Ec -e "$tunnel_is_up" "client$cell.log" || true) <= 1)) || problems+=' twice'
  if [[ $version != 3 ]]; then
    client_log_has "$cell" "Control Channel: TLSv$tls" || problems+=" not-TLS-$tls"
    client_log_has "$cell" "Data Channel.*[Cc]ipher '$cipher'" || problems+=" not-$cipher"
    client_log_has "$cell" 'push-continuation 2' || problems+=' no-continuation'
  fi
  echo "$version|$family|$transport|$wrap|$cipher|$tls|${problems:- ok}" >>"$tables/all"
  [[ -z $problems ]] || {
    echo "$problems"
    tail -n 6 "client$cell.log"
    return 1
  }
}

# A row for each version, transport and family; a column for each protection; how many are well.
print_table() {
  sort -t'|' -k1,1V -k3,3r -k2,2 "$tables/all" | awk -F'|' '
    { row = sprintf("| %-3s | %-3s | %-4s |", $1, $3, $2)
      if (!(row in seen)) { seen[row] = 1; rows[++count] = row }
      all[row, $4]++; if ($7 == " ok") well[row, $4]++ }
    END {
      print "| OpenVPN | over | IP | none | tls-auth | tls-crypt | tls-crypt-v2 |"
      print "|---|---|---|---|---|---|---|"
      split("none tls-auth tls-crypt tls-crypt-v2", wraps, " ")
      for (i = 1; i <= count; ++i) {
        line = rows[i]
        for (j = 1; j <= 4; ++j) {
          key = rows[i] SUBSEP wraps[j]
          line = line " " (key in all ? (well[key] + 0) " of " all[key] : "-") " |"
        }
        print line
      }
    }'
}

cases=()
for wrap in none tls-auth tls-crypt tls-crypt-v2; do
  for transport in udp tcp; do cases+=("$wrap $transport"); done
done
if [[ -n ${RINGWAY_CASE:-} ]]; then cases=("$RINGWAY_CASE"); fi
in_parallel "${RINGWAY_AT_ONCE:-8}" matrix_case "${cases[@]}"
skip_missing_versions
print_table
rm -rf "$tables"
done_testing
