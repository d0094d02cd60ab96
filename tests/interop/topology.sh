#!/bin/bash
# The network of the interop tests. Sourced by each *_test.sh.
#
#   namespace <run>-client1                              namespace <run>-server
#   +---------------------------+                        +---------------------------------+
#   | openvpn (stock)           |                        | ringway server                  |
#   |   |                       |                        |   |                             |
#   | tun0     10.8.0.x         |  - - - the tunnel - -  | tun0     10.8.0.1               |
#   |          fd00:8::1xxx     |                        |          fd00:8::1              |
#   |                           |                        |                                 |
#   | outside  192.0.2.11       |          veth          | client1  192.0.2.1              |
#   |          2001:db8::11     |========================|          2001:db8::1            |
#   +---------------------------+                        |                                 |
#   namespace <run>-client2                              |                                 |
#   | outside  192.0.2.12  ...  |========================| client2  the same two addresses |
#                                                        +---------------------------------+
#
# Outside: 192.0.2.0/24 and 2001:db8::/64, one point-to-point link a client, no bridge. Inside:
# 10.8.0.0/24 and fd00:8::/64. Names carry the process id, so that any number of tests run at once;
# topology_up also removes what a killed run left behind. Everything goes when the shell exits.
#
# The server under test is $RINGWAY_SERVER_COMMAND (words; default: the build's `ringway server`).
# `RINGWAY_SERVER_COMMAND=openvpn` runs every test against stock OpenVPN 2.6: that is how the tests
# themselves are tested. Checks of what only Ringway promises are skipped then, by name.

set -euo pipefail
interop_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_root=$(cd "$interop_dir/../.." && pwd)
# shellcheck source=tests/interop/checks.sh
. "$interop_dir/checks.sh"
# shellcheck source=tests/interop/pki.sh
. "$interop_dir/pki.sh"

read -ra server_command <<<"${RINGWAY_SERVER_COMMAND:-$source_root/build/tools/ringway server}"
is_stock_server() { [[ $(basename "${server_command[0]}") == openvpn ]]; }

server_port=1194
server_v4=192.0.2.1
server_v6=2001:db8::1
# shellcheck disable=SC2034  # For the tests.
inner_v4=10.8.0.1
# shellcheck disable=SC2034
inner_v6=fd00:8::1

# --- Namespaces -------------------------------------------------------------------------------

# topology_up CLIENTS: namespaces and links; $work is a directory with the PKI in it.
topology_up() {
  local clients=$1 number
  require_what_the_tests_need
  remove_leftovers
  run_name=ringway-$BASHPID
  work=$(mktemp -d "${TMPDIR:-/tmp}/$run_name.XXXXXX")
  chmod 755 "$work"
  trap topology_down EXIT
  server_pid=''
  declare -gA client_pids=()
  helper_pids=()
  make_pki "$work" "$clients"
  server_ns=$run_name-server
  add_namespace "$server_ns"
  for ((number = 1; number <= clients; ++number)); do
    add_client_namespace "$number"
  done
  cd "$work"
}

topology_down() {
  local status=$? pid namespace
  trap - EXIT
  for pid in "${client_pids[@]}" "${helper_pids[@]}" $server_pid; do
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  for namespace in $(ip netns list | awk -v run="$run_name-" 'index($1, run) == 1 { print $1 }'); do
    remove_namespace "$namespace"
  done
  if ((status != 0 || checks_failed)) && [[ -n ${RINGWAY_KEEP_LOGS:-} ]]; then
    echo "# logs kept in $work"
  else
    rm -rf "$work"
  fi
  return "$status"
}

client_ns() { echo "$run_name-client$1"; }

# in_server COMMAND..., in_client NUMBER COMMAND...: runs it inside that namespace.
in_server() { ip netns exec "$server_ns" "$@"; }
in_client() {
  local number=$1
  shift
  ip netns exec "$(client_ns "$number")" "$@"
}

add_namespace() {
  # The first `ip netns add` of a boot remounts /run/netns; two at once may fail at that.
  flock "${TMPDIR:-/tmp}/ringway-netns.lock" ip netns add "$1"
  ip -n "$1" link set lo up
  ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 \
    net.ipv6.conf.default.disable_ipv6=0 net.ipv6.conf.default.accept_dad=0
}

add_client_namespace() {
  local number=$1 namespace
  namespace=$(client_ns "$number")
  add_namespace "$namespace"
  ip -n "$namespace" link add outside type veth peer name "client$number" netns "$server_ns"
  ip -n "$server_ns" address add "$server_v4" peer "$(outer_v4 "$number")" dev "client$number"
  ip -n "$server_ns" address add "$server_v6/128" dev "client$number" nodad
  ip -n "$server_ns" link set "client$number" up
  ip -n "$server_ns" route add "$(outer_v6 "$number")" dev "client$number" src "$server_v6"
  ip -n "$namespace" address add "$(outer_v4 "$number")/24" dev outside
  ip -n "$namespace" address add "$(outer_v6 "$number")/64" dev outside nodad
  ip -n "$namespace" link set outside up
}

outer_v4() { echo "192.0.2.$((10 + $1))"; }
outer_v6() { echo "2001:db8::$((10 + $1))"; }

remove_namespace() {
  local pid
  for pid in $(ip netns pids "$1" 2>/dev/null); do kill -KILL "$pid" 2>/dev/null || true; done
  ip netns delete "$1" 2>/dev/null || true
}

# A run that was killed could not clean up: its namespaces name a process that is gone.
remove_leftovers() {
  local namespace pid
  for namespace in $(ip netns list | awk '$1 ~ /^ringway-[0-9]+-/ { print $1 }'); do
    pid=${namespace#ringway-}
    [[ -d /proc/${pid%%-*} ]] || remove_namespace "$namespace"
  done
}

require_what_the_tests_need() {
  local problem=''
  if ((EUID != 0)); then
    problem='these tests make network namespaces: run them as root'
  elif [[ ! -c /dev/net/tun ]]; then
    problem='/dev/net/tun is missing: modprobe tun, or allow the device in the container'
  elif [[ ! -d /proc/sys/net/ipv6 ]]; then
    problem='this kernel has no IPv6, and half of what is tested is IPv6'
  elif ! command -v "${server_command[0]}" >/dev/null; then
    problem="there is no ${server_command[0]}: build first, or set RINGWAY_SERVER_COMMAND"
  fi
  [[ -z $problem ]] || { echo "Cannot run: $problem." >&2; exit 1; }
}

# --- Configurations ---------------------------------------------------------------------------

# server_config [LINE...]: a server's configuration on standard output; the lines come last.
server_config() {
  cat <<EOF
port $server_port
proto $(is_stock_server && echo udp6 || echo udp)
dev tun0
topology subnet
server 10.8.0.0 255.255.255.0
server-ipv6 fd00:8::/64
ca $work/ca.crt
cert $work/server.crt
key $work/server.key
dh none
keepalive 10 60
data-ciphers AES-256-GCM:CHACHA20-POLY1305
persist-tun
verb 3
EOF
  # Stock answers from the right one of several addresses only when asked to.
  ! is_stock_server || echo multihome
  (($# == 0)) || printf '%s\n' "$@"
}

# client_config NUMBER v4|v6 [LINE...]: a stock client's configuration on standard output.
client_config() {
  local number=$1 family=$2
  shift 2
  cat <<EOF
client
dev tun0
nobind
ca $work/ca.crt
cert $work/client$number.crt
key $work/client$number.key
remote-cert-tls server
connect-retry 1
connect-timeout 20
verb 4
EOF
  case $family in
    v4) echo "remote $server_v4 $server_port udp4" ;;
    v6) echo "remote $server_v6 $server_port udp6" ;;
  esac
  (($# == 0)) || printf '%s\n' "$@"
}

# --- Servers and clients ----------------------------------------------------------------------

# start_server CONFIG [OPTION...]: returns when it listens and its TUN device is up; otherwise shows
# its log and fails. Standard output and error are in $work/server.log.
start_server() {
  local config=$1
  shift
  : >"$work/server.log"
  ip netns exec "$server_ns" "${server_command[@]}" --config "$config" "$@" \
    >>"$work/server.log" 2>&1 </dev/null &
  server_pid=$!
  if ! wait_for 20 server_is_up_or_gone || ! server_is_up; then
    echo "# The server did not start:"
    tail -n 20 "$work/server.log" | sed 's/^/  # /'
    return 1
  fi
}

# refuses TEXT LINE...: the server does not start with these lines, and says why.
refuses() {
  local text=$1 status=0
  shift
  server_config "$@" >refused.conf
  in_server timeout 60 "${server_command[@]}" refused.conf >refused.log 2>&1 || status=$?
  cat refused.log
  ((status == 1)) && grep -qF "$text" refused.log
}

server_is_up() {
  [[ -n $(in_server ss -Htuln "sport = :$server_port") ]] &&
    [[ $(ip -n "$server_ns" -o link show up) == *": tun"* ]]
}
server_is_up_or_gone() { server_is_up || ! kill -0 "$server_pid"; }

# stop_server [SIGNAL]: sets server_status; fails when it does not exit within ten seconds.
stop_server() {
  kill "-${1:-TERM}" "$server_pid" 2>/dev/null || true
  server_status=timeout
  if wait_for 10 process_is_gone "$server_pid"; then
    server_status=0
    wait "$server_pid" || server_status=$?
    server_pid=''
  fi
  [[ $server_status != timeout ]]
}

# A zombie has exited: only our `wait` is missing.
process_is_gone() { [[ ! -d /proc/$1 ]] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status"; }

# start_client NUMBER CONFIG: in the background; its log is $work/client<NUMBER>.log.
start_client() {
  local number=$1 config=$2
  : >"$work/client$number.log"
  ip netns exec "$(client_ns "$number")" openvpn --config "$config" --suppress-timestamps \
    >>"$work/client$number.log" 2>&1 </dev/null &
  client_pids[$number]=$!
}

connection_count() { grep -c 'Initialization Sequence Completed' "$work/client$1.log" || true; }
client_is_connected() { (($(connection_count "$1") >= ${2:-1})); }

# client_connects NUMBER [SECONDS]
client_connects() {
  wait_for "${2:-30}" client_is_connected "$1" || {
    tail -n 12 "$work/client$1.log" "$work/server.log"
    return 1
  }
}

client_log_has() { grep -Eq -e "$2" "$work/client$1.log"; }
server_log_has() { grep -Eq -e "$1" "$work/server.log"; }

stop_client() {
  local pid=${client_pids[$1]}
  kill -TERM "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  unset "client_pids[$1]"
}

# inner_address NUMBER 4|6: what the server gave the client.
inner_address() {
  ip -n "$(client_ns "$1")" -o "-$2" address show dev tun0 scope global |
    awk '{ sub("/.*", "", $4); print $4; exit }'
}

# start_helper NAMESPACE COMMAND...: a background process that topology_down ends; sets helper_pid.
# No function may stand between: the process started must be the command itself, to be killed.
start_helper() {
  local namespace=$1
  shift
  ip netns exec "$namespace" "$@" </dev/null &
  helper_pid=$!
  helper_pids+=("$helper_pid")
}

stop_helper() {
  kill "-${2:-TERM}" "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# Sanitizers write where standard error goes.
server_log_is_clean() {
  ! grep -E 'Sanitizer|runtime error:|assertion|ASSERT' "$work/server.log"
}
