#!/bin/bash
# How `ringway client` logs in at stock OpenVPN 2.6, by scripts of the server, and on a terminal
# that a program types at: passwords that are asked for, refused and asked again; static and dynamic
# challenges; questions while the answer is pending; tokens; forgotten passwords; a private key with
# a passphrase; systemd-ask-password; and the ends that are wanted: ping-exit and inactive.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

if is_stock_server; then
  ringway_client=("$source_root/build/tools/ringway" client)
else
  ringway_client=("${server_command[0]}" client)
fi
server_command=(openvpn)

topology_up 1

# --- The server: who comes in, and what they are asked ---------------------------------------

# Says what it was told into $work/seen, and lets in whose password is a line of $work/good.
cat >verify <<EOF
#!/bin/bash
{ read -r user; read -r password; } <"\$1"
echo "\$user|\$password" >>$work/seen
if [[ -e $work/challenge && \$password != CRV1::* ]]; then
  cat $work/challenge >"\$auth_failed_reason_file"
  exit 1
fi
if [[ -e $work/pending ]]; then
  echo "\$auth_control_file" >$work/control-file
  cat $work/pending >"\$auth_pending_file"
  exit 2
fi
grep -qxF -e "\$password" $work/good
EOF
# The answer to CR_TEXT, which is in the file.
cat >crresponse <<EOF
#!/bin/bash
base64 -d <"\$1" >>$work/answered
echo >>$work/answered
[[ \$(base64 -d <"\$1") == 31337 ]] && echo 1 >"\$(cat $work/control-file)"
exit 0
EOF
chmod +x verify crresponse
printf '%s\n' secret 'CRV1::state-1::4711' >good

serve() {
  server_config 'script-security 2' "auth-user-pass-verify $work/verify via-file" \
    "client-crresponse $work/crresponse" "$@" >server.conf
  require "the server starts ($*)" start_server server.conf
}

# --- The client on its terminal ---------------------------------------------------------------

profile() { client_config 1 v4 'auth-user-pass' "$@"; }

# on_terminal NAME [QUESTION=ANSWER]...: client.ovpn, while somebody types; its log is new.
on_terminal() {
  label=$1
  shift
  : >"$work/client1.log"
  : >"$work/seen"
  ip netns exec "$(client_ns 1)" "$interop_dir/on_terminal.py" "$work/client1.log" "$@" -- \
    "${ringway_client[@]}" client.ovpn </dev/null >/dev/null 2>&1 &
  client_pids[1]=$!
}

connected_count() { grep -c ' connected: ' "$work/client1.log" || true; }
has_connected() { (($(connected_count) >= $1)); }
comes_in() {
  check "it comes in ($label)" connects "${1:-1}"
}
connects() {
  wait_for 20 has_connected "$1" || {
    tail -n 15 "$work/client1.log"
    tail -n 5 "$work/server.log"
    return 1
  }
}
saw() { check "the server was told $1 ($label)" wait_for 5 grep -qxF -e "$1" "$work/seen"; }

# ends STATUS: the client has ended, or ends now, by itself.
ends() {
  local pid=${client_pids[1]} status=timeout
  if wait_for 20 process_is_gone "$pid"; then
    status=0
    wait "$pid" || status=$?
  fi
  unset 'client_pids[1]'
  check "it ends with exit status $1 ($label)" test "$status" = "$1"
}
# A second signal ends it without a goodbye, which would take a second.
leaves() {
  kill -TERM "${client_pids[1]}"
  wait_for 5 client_log_has 1 'SIGTERM: stopping'
  kill -TERM "${client_pids[1]}" 2>/dev/null || true
  ends 0
  check "no sanitizer or assertion spoke up ($label)" \
    refuse grep -E 'Sanitizer|runtime error:|assertion|ASSERT' "$work/client1.log"
}

user='Enter Auth Username:=alice'
password='Enter Auth Password:=secret'

asked_on_the_terminal() {
  profile >client.ovpn
  on_terminal 'name and password are asked' "$user" "$password"
  comes_in
  saw 'alice|secret'
  check "the terminal shows the name ($label)" client_log_has 1 'alice'
  check "and not the password ($label)" refuse client_log_has 1 'secret'
  leaves
}

name_in_a_file() {
  echo alice >name
  profile "auth-user-pass $work/name" >client.ovpn
  on_terminal 'the name is in a file' "$password"
  comes_in
  saw 'alice|secret'
  leaves
}

refused() {
  profile >client.ovpn
  on_terminal 'a wrong password' "$user" 'Enter Auth Password:=wrong'
  ends 1
  check "it says why ($label)" client_log_has 1 'AUTH_FAILED'

  profile 'auth-retry interact' >client.ovpn
  on_terminal 'auth-retry interact' "$user" 'Enter Auth Password:=wrong' "$user" "$password"
  comes_in
  leaves

  printf 'alice\nwrong\n' >name
  profile "auth-user-pass $work/name" 'auth-retry nointeract' 'connect-retry 1 1' >client.ovpn
  on_terminal 'auth-retry nointeract'
  check "it tries the same again ($label)" wait_for 20 tried_twice
  leaves
}
tried_twice() { (($(grep -cxF 'alice|wrong' "$work/seen") >= 2)); }

static_challenge() {
  profile 'static-challenge "PIN of today" 1' >client.ovpn
  echo 'SCRV1:c2VjcmV0:NDcxMQ==' >>good
  on_terminal 'static-challenge' "$user" "$password" 'PIN of today=4711'
  comes_in
  saw 'alice|SCRV1:c2VjcmV0:NDcxMQ=='
  check "its answer may be seen ($label)" client_log_has 1 '4711'
  leaves
}

dynamic_challenge() {
  profile >client.ovpn
  echo -n 'CRV1:R:state-1:Ym9i:Number of your token' >challenge
  on_terminal 'a dynamic challenge' "$user" "$password" 'token: =4711'
  comes_in
  saw 'alice|secret'
  saw 'bob|CRV1::state-1::4711'
  leaves
  rm challenge
}

pending_question() {
  profile >client.ovpn
  printf '%s\n' 60 crtext 'CR_TEXT:R:And the code?' >pending
  : >answered
  on_terminal 'a question while the answer is pending' "$user" "$password" 'And the code?=31337'
  comes_in
  check "the server was answered ($label)" grep -qx 31337 answered
  check "the terminal does not show the answer ($label)" refuse client_log_has 1 '31337'
  leaves
  rm pending
}

forgotten() {
  profile 'auth-nocache' 'reneg-sec 3' >client.ovpn
  on_terminal 'auth-nocache' "$user" "$password" "$password"
  comes_in
  check "a renegotiation asks again, and succeeds ($label)" \
    wait_for 20 client_log_has 1 'renegotiated: new keys'
  check "the server was told twice ($label)" test "$(grep -cxF 'alice|secret' seen)" = 2
  leaves
}

nobody_to_ask() {
  local status=0
  label='nobody can be asked'
  profile >client.ovpn
  in_client 1 setsid -w "${ringway_client[@]}" client.ovpn >client1.log 2>&1 </dev/null || status=$?
  check "it ends with exit status 1 ($label)" test "$status" = 1
  check "it says what to do ($label)" client_log_has 1 'no terminal.*auth-user-pass FILE'
}

# systemd-ask-password and its agent, in a /run of their own.
asked_by_systemd() {
  label='systemd-ask-password'
  if ! command -v systemd-ask-password >/dev/null; then
    skip "$label" 'this machine has none'
    return
  fi
  echo alice >name
  profile "auth-user-pass $work/name" "writepid $work/client.pid" >client.ovpn
  : >"$work/seen"
  ip netns exec "$(client_ns 1)" unshare --mount --propagation private setsid -w bash -c "
    mount -t tmpfs none /run && mkdir -p /run/systemd/system /run/systemd/ask-password
    '$interop_dir/ask_password_agent.py' secret >'$work/agent.log' 2>&1 &
    exec ${ringway_client[*]} client.ovpn" >client1.log 2>&1 </dev/null &
  client_pids[1]=$!
  comes_in
  saw 'alice|secret'
  check "the agent was shown the question ($label)" grep -q 'Enter Auth Password:' agent.log
  kill -TERM "$(<client.pid)"
  ends 0
}

locked_key() {
  openssl pkey -in client1.key -aes256 -passout pass:sesame -out locked.key
  chmod 600 locked.key
  printf 'alice\nsecret\n' >name
  profile "auth-user-pass $work/name" "key $work/locked.key" >client.ovpn
  on_terminal 'a private key with a passphrase' 'Enter Private Key Password:=wrong' \
    'Enter Private Key Password:=sesame'
  comes_in
  check "it said that the first was wrong ($label)" client_log_has 1 'does not fit'
  leaves

  echo sesame >phrase
  profile "auth-user-pass $work/name" "key $work/locked.key" "askpass $work/phrase" >client.ovpn
  on_terminal 'askpass FILE'
  comes_in
  leaves
}

tokens() {
  profile 'reneg-sec 3' >client.ovpn
  on_terminal 'a token in place of the password' "$user" "$password"
  comes_in
  check "it keeps the token ($label)" client_log_has 1 'given us a token'
  check "a renegotiation goes by it ($label)" \
    wait_for 20 client_log_has 1 'renegotiated: new keys'
  kill -USR1 "${client_pids[1]}"
  comes_in 2
  check "neither needed the password again ($label)" test "$(wc -l <seen)" = 1
  check "the token is in no log ($label)" refuse client_log_has 1 'SESS_ID'

  stop_server
  serve 'auth-gen-token 0 120' 'reneg-sec 3600'
  kill -USR1 "${client_pids[1]}"
  comes_in 3
  check "a token that is refused is forgotten ($label)" client_log_has 1 'the token is refused'
  check "and the password is used, without asking ($label)" test "$(wc -l <seen)" = 2
  leaves

  profile 'pull-filter ignore "auth-token"' >client.ovpn
  on_terminal 'pull-filter ignore auth-token' "$user" "$password"
  comes_in
  kill -USR1 "${client_pids[1]}"
  comes_in 2
  check "the password is used again ($label)" test "$(wc -l <seen)" = 2
  leaves
}

known_by_fingerprint() {
  local digest
  digest=$(openssl x509 -in server.crt -noout -fingerprint -sha256 | cut -d= -f2)
  printf 'alice\nsecret\n' >name
  profile "auth-user-pass $work/name" "peer-fingerprint $digest" | grep -v '^ca ' >client.ovpn
  on_terminal 'the server is known by its fingerprint, without an authority'
  comes_in
  leaves

  digest=$(openssl x509 -in client1.crt -noout -fingerprint -sha256 | cut -d= -f2)
  profile "auth-user-pass $work/name" "peer-fingerprint $digest" >client.ovpn
  on_terminal 'the fingerprint is not the server'"'"'s'
  check "it is no server of ours ($label)" wait_for 20 client_log_has 1 'peer-fingerprint'
  check "and is told no password ($label)" test ! -s seen
  leaves
}

wanted_ends() {
  printf 'alice\nsecret\n' >name
  profile "auth-user-pass $work/name" 'inactive 2 1000000' >client.ovpn
  on_terminal 'inactive'
  comes_in
  ends 0
  check "it says why ($label)" client_log_has 1 'through the tunnel for too long .inactive'

  stop_server
  server_config 'push "ping-exit 2"' 'ping 1' | grep -v '^keepalive' >server.conf
  require "the server starts ($label)" start_server server.conf
  profile "auth-user-pass $work/name" >client.ovpn
  on_terminal 'ping-exit, pushed'
  comes_in
  kill -STOP "$server_pid"
  ends 0
  check "it says why ($label)" client_log_has 1 'ping-exit'
  kill -CONT "$server_pid"
}

serve
asked_on_the_terminal
name_in_a_file
refused
static_challenge
dynamic_challenge
pending_question
forgotten
nobody_to_ask
asked_by_systemd
locked_key
known_by_fingerprint
stop_server
serve 'auth-gen-token 0 120' 'reneg-sec 3600'
tokens
wanted_ends
done_testing
