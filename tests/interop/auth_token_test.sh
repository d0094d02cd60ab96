#!/bin/bash
# Tokens in a password's place (`auth-gen-token`): one login lasts through renegotiations; a token
# made by a stock server is taken by Ringway and the reverse, where both have the secret; an expired
# one sends the client back to its password; `external-auth` shows the program every token. Secrets
# are made by `ringway genkey auth-token` and by `openvpn --genkey auth-token`, each read by both.
. "$(dirname "${BASH_SOURCE[0]}")/topology.sh"

ringway_command=("${server_command[@]}")
is_stock_server && ringway_command=("$source_root/build-test/tools/ringway" server)

# The program that checks passwords: one line a call, and yes to "secret".
write_program() {
  cat >check.sh <<SCRIPT
#!/bin/sh
echo "\$username \$session_state" >>$work/calls
case \$password in
  secret) exit 0 ;;
  SESS_ID_AT_*) [ "\$session_state" = Authenticated ] && exit 0 ;;
esac
exit 1
SCRIPT
  chmod 755 check.sh
  : >calls
  chmod 666 calls
  printf 'alice\nsecret\n' >login
  chmod 600 login
}

calls() { wc -l <calls; }
calls_are() { (($(calls) == $1)); }

# token_config [LINE...]: a server whose keys live twelve seconds, and its tokens twice that.
token_config() {
  server_config "auth-gen-token-secret $work/token.key" 'hand-window 6' 'reneg-sec 12 12' \
    'script-security 3' "auth-user-pass-verify $work/check.sh via-env" 'verb 4' "$@"
}

has_keys() { (($(grep -c 'Data Channel: using negotiated cipher\|Outgoing Data Channel' \
  "$work/client1.log" || true) >= $1)); }
# Each handshake logs its control channel once.
handshakes() { (($(grep -c 'Control Channel: TLSv' "$work/client1.log" || true) >= $1)); }

# one_login: through two renegotiations nobody is asked again.
one_login() {
  topology_up 1
  write_program
  "${ringway_command[0]}" genkey auth-token token.key
  token_config 'auth-gen-token 3600' >server.conf
  require 'the server starts with a secret of its own making' start_server server.conf
  client_config 1 v6 "auth-user-pass $work/login" 'reneg-sec 0' >client1.conf
  start_client 1 client1.conf
  check 'a client logs in by its password' client_connects 1 60
  check 'the program was asked once' calls_are 1
  check 'two renegotiations' wait_for 60 handshakes 3
  check 'did not ask it again' calls_are 1
  check 'nor did the client log in again' [ "$(connection_count 1)" = 1 ]
  check 'its tunnel works' in_client 1 ping -q -c 2 -i 0.2 -W 5 "$inner_v4"
  stop_client 1
  check 'the server ends' stop_server
  check 'its log is clean' server_log_is_clean
}

# moves FROM TO: a client that has logged in at one server goes on at the other, which takes no
# passwords.
moves() {
  local from=$1 to=$2
  topology_up 1
  write_program
  case $from in
    stock) openvpn --genkey auth-token token.key ;;
    ringway) "${ringway_command[0]}" genkey auth-token token.key ;;
  esac
  choose_server "$from"
  token_config 'auth-gen-token 3600' 'explicit-exit-notify 1' >server.conf
  require "the $from server starts" start_server server.conf
  client_config 1 v4 "auth-user-pass $work/login" 'reneg-sec 0' >client1.conf
  start_client 1 client1.conf
  check "a client logs in at the $from server" client_connects 1 60
  check "and the $from server's program was asked" calls_are 1
  check "the $from server ends" stop_server
  printf '#!/bin/sh\necho "$username" >>%s/calls\nexit 1\n' "$work" >check.sh
  choose_server "$to"
  token_config 'auth-gen-token 3600' >server.conf
  require "the $to server starts in its place" start_server server.conf
  check "the $to server takes the $from server's token" wait_for 60 client_is_connected 1 2
  check "and the $to server's program was not asked" calls_are 1
}

choose_server() {
  case $1 in
    stock) server_command=(openvpn) ;;
    ringway) server_command=("${ringway_command[@]}") ;;
  esac
}

# expiry: when the login has lasted its time, the client is sent back to its password.
expiry() {
  topology_up 1
  write_program
  openvpn --genkey auth-token token.key
  token_config 'auth-gen-token 15' >server.conf
  require 'the server starts with a secret of OpenVPN' start_server server.conf
  client_config 1 v4 "auth-user-pass $work/login" 'reneg-sec 0' >client1.conf
  start_client 1 client1.conf
  check 'a client logs in for a short time' client_connects 1 60
  check 'it is told when that is over' wait_for 60 client_log_has 1 'AUTH_FAILED,SESSION'
  check 'and logs in by its password again' wait_for 60 client_is_connected 1 2
  check 'the program was asked twice' calls_are 2
}

# external: the program sees every token, and what is known of it.
external() {
  topology_up 1
  write_program
  "${ringway_command[0]}" genkey auth-token token.key
  token_config 'auth-gen-token 3600 12 external-auth' >server.conf
  require 'the server starts with external-auth' start_server server.conf
  client_config 1 v6 "auth-user-pass $work/login" 'reneg-sec 0' >client1.conf
  start_client 1 client1.conf
  check 'a client logs in' client_connects 1 60
  check 'the program heard that there was no token' grep -qx 'alice Initial' calls
  check 'and at the renegotiation of one that is good' \
    wait_for 40 grep -qx 'alice Authenticated' calls
  check 'the client stays' [ "$(connection_count 1)" = 1 ]
}

one_case() { "$@"; }
in_parallel 3 one_case one_login 'moves stock ringway' 'moves ringway stock' expiry external
done_testing
