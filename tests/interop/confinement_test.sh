#!/bin/bash
# What a server that serves may still do, with and without `user` (D04): no thread has a capability
# in any set or can gain one, the ids are as configured, and the filters of system calls are on
# while clients over UDP and TCP, on two workers, renegotiate and reach each other. Nothing of it is
# inherited by mistake: descriptors are close-on-exec (D05), and no core is dumped (D03).

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

is_stock_server && { skip 'confinement' 'stock keeps what it has'; done_testing; exit; }
topology_up 3
zero=0000000000000000
bounding=CapBnd

# of_all_threads FIELD...: the values of these fields, of every thread, each once.
of_all_threads() {
  local field fields=''
  for field in "$@"; do fields+="${fields:+|}$field"; done
  grep -hE "^($fields):" "/proc/$server_pid/task"/*/status | tr -s '\t ' ' ' | sort -u
}
no_thread_has_a_capability() {
  of_all_threads CapInh CapPrm CapEff CapAmb "${1:-CapBnd}"
  [[ $(of_all_threads CapInh CapPrm CapEff CapAmb "${1:-CapBnd}" |
    cut -d ' ' -f 2 | sort -u) == "$zero" ]]
}
filter_is() { [[ $(of_all_threads Seccomp NoNewPrivs) == "NoNewPrivs: 1"$'\n'"Seccomp: $1" ]]; }
every_thread_is() { [[ $(of_all_threads Uid Gid) == "Gid: $2 $2 $2 $2"$'\n'"Uid: $1 $1 $1 $1" ]]; }
has_workers() { (($(grep -l '^worker-' "/proc/$server_pid/task"/*/comm | wc -l) == 2)); }
# But for those that the process was started with.
descriptors_close_on_exec() {
  local fd flags
  for fd in "/proc/$server_pid/fd"/*; do
    [[ ${fd##*/} -gt 2 && $(readlink "$fd") != "$(readlink "/proc/$$/fd/${fd##*/}")" ]] || continue
    # Some are open for a moment only.
    flags=$(awk '/^flags:/ { print $2 }' "/proc/$server_pid/fdinfo/${fd##*/}" 2>/dev/null) || true
    [[ -n $flags ]] || continue
    (((8#$flags & 8#2000000) != 0)) || { readlink "$fd"; return 1; }
  done
}
drops_no_core() { grep -Eq '^Max core file size +0 +0 ' "/proc/$server_pid/limits"; }

everything_works() {
  local number family
  for number in 1 2 3; do
    case $number in 1) family=v4 ;; *) family=v6 ;; esac
    client_config "$number" "$family" "tls-crypt $work/ta.key" 'reneg-sec 0' >"client$number.conf"
    ((number != 3)) || sed -i 's/ udp6$/ tcp6-client/' "client$number.conf"
    start_client "$number" "client$number.conf"
  done
  for number in 1 2 3; do
    check "client $number connects$1" client_connects "$number"
    check 'and reaches the server' in_client "$number" ping -q -c 2 -i 0.1 -W 2 "$inner_v6"
    check 'with packets that are not small' \
      in_client "$number" ping -q -s 1300 -c 2 -i 0.1 -W 2 "$inner_v4"
  done
  check 'and each other' in_client 1 ping -q -c 2 -i 0.1 -W 2 "$(inner_address 3 4)"
}

serve() {
  local uid=$1 gid=$2 with=$3
  shift 3
  server_config "tls-crypt $work/ta.key" client-to-client 'workers 2' 'reneg-sec 5' \
    "crl-verify $work/crl.pem" "status $work/status.log 1" \
    "local ::" "local :: $server_port tcp" "$@" >server.conf
  require "server starts$with" start_server server.conf
  check 'it has two workers' wait_for 10 has_workers
  require 'and serves' wait_for 10 grep -qs 'is ready' server.log own.log
  check 'no thread of it has a capability' no_thread_has_a_capability "$bounding"
  check 'every thread is who it should be' every_thread_is "$uid" "$gid"
  check 'descriptors would not survive an exec' descriptors_close_on_exec
  check 'there would be no core' drops_no_core
}

serve 0 0 ' without a user'
check 'every thread has its filter' filter_is 2
everything_works ' to it'
kill -HUP "$server_pid"
check 'it reads its files again' wait_for 10 server_log_has 'SIGHUP: reopened'
kill -USR2 "$server_pid"
check 'it reports' wait_for 10 server_log_has 'SIGUSR2: status'
renegotiated() { (($(grep -c 'renegotiat\|TLS: soft reset' "$work/client1.log") >= 1)); }
check 'it renegotiates' wait_for 20 renegotiated
check 'its address may change' ip -n "$server_ns" address add 192.0.2.77/32 dev client1
check 'and it is still there' in_client 1 ping -q -c 2 -i 0.1 -W 2 "$inner_v4"
for number in 1 2 3; do stop_client "$number"; done
check 'SIGTERM ends it' stop_server
check 'with exit status 0' test "$server_status" = 0
check 'no sanitizer or assertion spoke up' server_log_is_clean

# Its log is another file that children must not have.
serve 65534 65534 ' as nobody' 'user nobody' 'group nogroup' "log-append $work/own.log"
check 'every thread has its filter' filter_is 2
check 'SIGTERM ends it' stop_server
check 'with exit status 0' test "$server_status" = 0
check 'no sanitizer or assertion spoke up' server_log_is_clean

serve 0 0 ' without filters' 'seccomp off'
check 'no thread has one' filter_is 0
check 'SIGTERM ends it' stop_server
check 'no sanitizer or assertion spoke up' server_log_is_clean

# A service manager may have given it little: what is not there cannot be given up.
server_command=(setpriv --bounding-set=-all,+net_admin,+net_bind_service
  --inh-caps=-all "${server_command[@]}")
# The bounding set stays, and no_new_privs makes it moot.
bounding=CapAmb
serve 0 0 ' with CAP_NET_ADMIN alone'
check 'every thread has its filter' filter_is 2
check 'SIGTERM ends it' stop_server
check 'with exit status 0' test "$server_status" = 0
done_testing
