#!/bin/bash
# Programs that decide about clients, or hear of them: the same program under stock OpenVPN and
# under Ringway sees the same arguments and the same environment; what it decides is what happens,
# at once or later; and a program that takes ten seconds is noticed by nobody but its own client.
# The last is shown with stock OpenVPN beside.
#
# Security goals: B08 (nothing before the verdict), B16 (no shell, no foreign variables), B17 (no
# stall), D05 (descriptors).

. "$(dirname "$0")/topology.sh"

# --- What programs see ------------------------------------------------------------------------

# Writes what it is called with into $DUMPS, one file a call, in the order of the calls.
write_dump_program() {
  cat >"$work/dump" <<'EOT'
#!/bin/bash
# Addresses are taken back side by side.
[[ $1 != delete ]] || { echo "$*" >>"$DUMPS-deleted"; exit; }
number=$(printf '%03d' "$(ls "$DUMPS" | wc -l)")
{
  echo "arguments: $*"
  echo "user: $(/usr/bin/id -u):$(/usr/bin/id -g)"
  /usr/bin/env | /usr/bin/sort
} >"$DUMPS/$number.$script_type" 2>&1
EOT
  chmod 755 "$work/dump"
}

# program_config DUMPS: a server that runs the program at every occasion. The same text for both.
program_config() {
  local program="$work/dump" server=("${server_command[@]}")
  server_command=(openvpn)
  server_config 'script-security 3' 'setenv-safe color blue' 'setenv ZED 1' "setenv DUMPS $1" \
    'user nobody' 'group nogroup' "tmp-dir $work/tmp" \
    'route 192.168.41.0 255.255.255.0' 'route 192.168.42.0 255.255.255.128' \
    'route-ipv6 2001:db8:41::/64' \
    "auth-user-pass-verify \"$program one 'two three'\" via-env" "tls-verify $program" \
    "client-connect $program" "client-disconnect $program" "learn-address $program" \
    "up $program" "route-up $program" "down $program"
  server_command=("${server[@]}")
}

# collect DUMPS: starts the server, lets a client come and go.
collect() {
  mkdir -m 777 "$work/$1"
  install -m 666 /dev/null "$work/$1-deleted"
  program_config "$work/$1" >program.conf
  start_server program.conf || return 1
  client_config 1 v6 'auth-user-pass user.txt' push-peer-info 'setenv UV_HELLO "a b;$(c) `d`"' \
    'explicit-exit-notify 1' 'verb 4' >client1.conf
  start_client 1 client1.conf
  client_connects 1 || return 1
  stop_client 1
  wait_for 10 eval "ls $work/$1/*.client-disconnect" || return 1
  stop_server
}

# What differs from run to run, or is a path of one run. Of OpenVPN the files of the password are
# still in the environment of later programs, where they are no more. The host's own gateway is not
# looked up.
normal() {
  local file=$1 later='^$'
  [[ $file == *.user-pass-verify ]] ||
    later='^auth_(control|pending|failed_reason)_file='
  grep -Ev "$later" "$file" | grep -v '^route_net_gateway=' |
    sed -E -e 's/^((un)?trusted_port|daemon_pid|daemon_start_time|time_unix|time_ascii)=.*/\1=/' \
      -e 's/^(bytes_received|bytes_sent|time_duration|DUMPS|_|PWD)=.*/\1=/' \
      -e 's/(openvpn|ringway)_([a-z]+)_[0-9a-f]+\.tmp/FILE_\2/g'
}

# calls_of DUMPS: what was called, in order, up to a session's end. OpenVPN takes a client's
# addresses back when it next cleans up, and at its end not at all.
calls_of() { (cd "$work/$1" && ls) | sed '/client-disconnect/q'; }

same_environments() {
  local call status=0
  diff -u <(calls_of stock) <(calls_of ours) || return 1
  for call in $(calls_of stock); do
    diff -u <(normal "$work/stock/$call") <(normal "$work/ours/$call") || status=1
  done
  diff -u <(normal "$work"/stock/*.down) <(normal "$work"/ours/*.down) || status=1
  return "$status"
}

what_programs_see() {
  topology_up 1
  write_dump_program
  mkdir -m 777 "$work/tmp"
  printf 'alice\nsec ret\n' >user.txt
  chmod 600 user.txt
  local ours=("${server_command[@]}")
  server_command=(openvpn)
  check 'stock OpenVPN runs the programs' collect stock
  server_command=("${ours[@]}")
  check 'Ringway runs the programs' collect ours
  check 'programs see the same arguments and environment under both (B16)' same_environments
  check 'up runs before the privileges are dropped' grep -qx 'user: 0:0' "$work"/ours/*.up
  check 'and the others afterwards' grep -qx 'user: 65534:65534' "$work"/ours/*.client-connect
  check 'what a client had is taken back' grep -qx 'delete 10.8.0.2' "$work/ours-deleted"
  check 'no file stays behind' eval "[[ -z \$(ls $work/tmp) ]]"
  check 'the server log is clean' server_log_is_clean
}

# --- What programs decide ---------------------------------------------------------------------

write_login_program() {
  cat >"$work/login" <<'EOT'
#!/bin/bash
{ read -r user; read -r secret; } <"$1"
ls /proc/self/fd >>"$DUMPS/descriptors"
((${#secret} == 1000)) || [[ $secret == secret ]] ||
  { echo 'wrong password' >"$auth_failed_reason_file"; exit 1; }
case $user in
  later) (sleep 5; echo 1 >"$auth_control_file") & exit 2 ;;
  laterno) (sleep 1; echo 'not you' >"$auth_failed_reason_file"; echo 0 >"$auth_control_file") &
    exit 2 ;;
  pending) printf '90\nwebauth\nWEB_AUTH::https://sso.example/\n' >"$auth_pending_file"
    (sleep 3; echo 1 >"$auth_control_file") & exit 2 ;;
  busy) echo 'TEMP:try again later' >"$auth_failed_reason_file"; exit 1 ;;
esac
EOT
  chmod 755 "$work/login"
}

# login NUMBER USER PASSWORD
login() {
  printf '%s\n%s\n' "$2" "$3" >"user$1.txt"
  chmod 600 "user$1.txt"
  client_config "$1" v4 "auth-user-pass user$1.txt" push-peer-info 'setenv IV_SSO webauth' \
    'auth-retry none' >"client$1.conf"
  start_client "$1" "client$1.conf"
}

# The fourth is the directory that `ls` has open; bash has its script open as the 255th.
only_three_descriptors() {
  local seen
  seen=$(sort -nu dumps/descriptors | tr '\n' ' ')
  [[ ${seen/255 /} == '0 1 2 3 ' ]] || { echo "$seen"; return 1; }
}

what_programs_decide() {
  topology_up 6
  write_login_program
  mkdir -m 777 "$work/dumps"
  server_config 'script-security 2' "setenv DUMPS $work/dumps" 'user nobody' 'group nogroup' \
    "auth-user-pass-verify $work/login via-file" 'verify-client-cert none' \
    username-as-common-name 'status status.txt 1' >server.conf
  require 'the server starts' start_server server.conf
  login 1 alice secret
  login 2 bob wrong
  login 3 later secret
  login 4 laterno secret
  login 5 pending secret
  login 6 busy secret
  check 'the right password is accepted' client_connects 1
  check 'the wrong one is refused, and the client is told why (B08)' \
    wait_for 20 client_log_has 2 'AUTH_FAILED.*wrong password'
  check 'a verdict that is put off refuses' wait_for 20 client_log_has 4 'AUTH_FAILED.*not you'
  check 'a refusal for the moment says so' wait_for 20 client_log_has 6 'AUTH_FAILED.*TEMP'
  check 'a client that must wait is told' wait_for 20 client_log_has 5 'AUTH_PENDING'
  check 'and what for' \
    wait_for 20 client_log_has 5 "pushed by server .'?WEB_AUTH::https://sso.example/"
  check 'it comes in when the verdict is there' client_connects 5
  check 'a verdict that is put off by five seconds accepts' client_connects 3
  check 'nobody else has come in' eval '! client_is_connected 2 && ! client_is_connected 4'
  check 'a client is named by its user' wait_for 10 grep -q '^alice,' status.txt
  check 'a program has three descriptors, and no other of ours (D05)' \
    only_three_descriptors
  kill -KILL "$(pgrep -P "$(pgrep -P "$server_pid")")"
  check 'a helper that dies is started anew, and the log says so' \
    wait_for 20 server_log_has 'the helper process has died and was started anew'
  stop_client 1
  login 1 alice secret
  check 'and decides as before' client_connects 1
  stop_client 1
  login 1 alice "$(printf 'long%.0s' {1..250})"
  check 'a password may be a token of a thousand bytes (B07)' client_connects 1
  check 'the server stops in time' stop_server
  check 'the server log is clean' server_log_is_clean
}

# Over TCP the worker has a deadline of its own for strangers, which is not for whoever waits here.
what_is_decided_late_over_tcp() {
  topology_up 1
  write_login_program
  sed -i 's/sleep 3/sleep 9/' "$work/login"
  mkdir -m 777 "$work/dumps"
  server_config 'proto tcp-server' 'script-security 2' "setenv DUMPS $work/dumps" 'hand-window 5' \
    "auth-user-pass-verify $work/login via-file" 'verify-client-cert none' >server.conf
  require 'the server starts over TCP' start_server server.conf
  printf 'pending\nsecret\n' >user1.txt
  client_config 1 none "remote $server_v4 $server_port tcp4-client" 'auth-user-pass user1.txt' \
    push-peer-info 'setenv IV_SSO webauth' >client1.conf
  chmod 600 user1.txt
  start_client 1 client1.conf
  check 'a client over TCP must wait' wait_for 20 client_log_has 1 'AUTH_PENDING'
  check 'it comes in later than the hand-window (B17)' client_connects 1
  check 'over the connection that it began with' test "$(connection_count 1)" = 1
  check 'and was never reset' refuse client_log_has 1 'Connection reset'
  check 'the server over TCP stops in time' stop_server
  check 'its log is clean' server_log_is_clean
}

# --- A program that takes long ----------------------------------------------------------------

# Client 1 is connected to both servers and pings; client 2 meets the slow program; client 3 comes
# meanwhile. Ringway is tun0 and port 1194; stock OpenVPN beside it is tun1 and port 1195.
stock_config() {
  server_config 'script-security 2' "client-connect $work/slow" |
    sed -e 's/^port .*/port 1195/' -e 's/^dev .*/dev tun1/' -e 's/^proto .*/proto udp4/' \
      -e 's/^server .*/server 10.9.0.0 255.255.255.0/' -e '/^server-ipv6/d'
}

slow_client_config() {
  if [[ $2 == ours ]]; then
    client_config "$1" v4 'verb 3'
  else
    client_config "$1" v4 'verb 3' | sed -e 's/^dev .*/dev tun1/' -e 's/ 1194 / 1195 /'
  fi
}

# start_slow_client NUMBER ours|stock: its log is $work/NUMBER-WHICH.log.
start_slow_client() {
  slow_client_config "$1" "$2" >"$1-$2.conf"
  start_helper "$(client_ns "$1")" openvpn --config "$1-$2.conf" --log "$work/$1-$2.log"
}
slow_client_is_connected() { grep -q 'Initialization Sequence Completed' "$work/$1-$2.log"; }

milliseconds() { echo $((${EPOCHREALTIME/./} / 1000)); }

# connect_time NUMBER WHICH: milliseconds from the start to the end of its connecting.
connect_time() {
  local began
  began=$(milliseconds)
  start_slow_client "$1" "$2"
  wait_for 40 slow_client_is_connected "$1" "$2" || { echo 999999; return; }
  echo $(($(milliseconds) - began))
}

received() { sed -nE 's/.* ([0-9]+) received.*/\1/p' "$1"; }
longest() { sed -nE 's|^rtt [^=]*= [0-9.]+/[0-9.]+/([0-9]+).*|\1|p' "$1"; }

show_row() { printf '# %-44s %8s %8s\n' "$@"; }

a_slow_program() {
  local stock_pid ping_ours ping_stock
  topology_up 3
  printf '#!/bin/bash\n[[ $common_name != client2 ]] || { : >"%s/slow-$PPID"; sleep 10; }\n' \
    "$work" >"$work/slow"
  chmod 755 "$work/slow"
  server_config 'script-security 2' "client-connect $work/slow" >server.conf
  require 'the server starts' start_server server.conf
  stock_config >stock.conf
  start_helper "$server_ns" openvpn --config stock.conf --log "$work/stock.log"
  stock_pid=$helper_pid
  wait_for 20 grep -q 'Initialization Sequence Completed' "$work/stock.log"
  start_slow_client 1 ours
  start_slow_client 1 stock
  require 'a client is connected to both' \
    wait_for 30 eval 'slow_client_is_connected 1 ours && slow_client_is_connected 1 stock'

  start_slow_client 2 ours
  start_slow_client 2 stock
  require 'the programs of both run' wait_for 20 eval "(( \$(ls $work/slow-* | wc -l) == 2 ))"
  in_client 1 ping -n -i 0.2 -c 40 -W 2 10.8.0.1 >ping-ours.txt &
  ping_ours=$!
  in_client 1 ping -n -i 0.2 -c 40 -W 2 10.9.0.1 >ping-stock.txt &
  ping_stock=$!
  connect_time 3 stock >time-stock.txt &
  connect_time 3 ours >time-ours.txt
  check 'the slow client itself still waits' eval '! slow_client_is_connected 2 ours'
  wait "$ping_ours" "$ping_stock" || true
  wait_for 40 test -s time-stock.txt
  show_row 'while a client-connect program takes 10 s' Ringway OpenVPN
  show_row '  pings of another client answered, of 40' \
    "$(received ping-ours.txt)" "$(received ping-stock.txt)"
  show_row '  its longest round trip, ms' "$(longest ping-ours.txt)" "$(longest ping-stock.txt)"
  show_row '  a newcomer is connected after, ms' "$(cat time-ours.txt)" "$(cat time-stock.txt)"
  check 'no ping of another client is lost (B17)' test "$(received ping-ours.txt)" = 40
  check 'none waits for the program' test "$(longest ping-ours.txt)" -lt 5000
  check 'a newcomer is connected meanwhile (B17)' test "$(cat time-ours.txt)" -lt 8000
  check 'the slow client comes in when its program is done' \
    wait_for 30 slow_client_is_connected 2 ours
  kill "$stock_pid"
  check 'the server log is clean' server_log_is_clean
}

in_parallel 3 eval what_programs_see what_programs_decide what_is_decided_late_over_tcp \
  a_slow_program
done_testing
