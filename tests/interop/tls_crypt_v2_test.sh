#!/bin/bash
# tls-crypt-v2: every client has a control-channel key of its own. Keys made by stock OpenVPN and by
# `ringway genkey`, each read by both; stock and Ringway's client; renegotiation, which since 2.6 is
# under a key of its own (dynamic tls-crypt); clients of other servers, and old keys.
. "$(dirname "${BASH_SOURCE[0]}")/topology.sh"

ringway=${server_command[0]}
is_stock_server && ringway=$source_root/build-test/tools/ringway

make_keys() {
  case $1 in
    stock)
      openvpn --genkey tls-crypt-v2-server v2-server.key
      openvpn --tls-crypt-v2 v2-server.key --genkey tls-crypt-v2-client v2-client1.key
      openvpn --tls-crypt-v2 v2-server.key --genkey tls-crypt-v2-client v2-client2.key QUJDREVGR0g=
      openvpn --genkey tls-crypt-v2-server v2-other.key
      openvpn --tls-crypt-v2 v2-other.key --genkey tls-crypt-v2-client v2-stranger.key
      ;;
    ringway)
      "$ringway" genkey tls-crypt-v2-server v2-server.key
      "$ringway" genkey tls-crypt-v2-client --server-key v2-server.key v2-client1.key
      "$ringway" genkey tls-crypt-v2-client --server-key v2-server.key \
        --metadata QUJDREVGR0g= v2-client2.key
      "$ringway" genkey tls-crypt-v2-server v2-other.key
      "$ringway" genkey tls-crypt-v2-client --server-key v2-other.key v2-stranger.key
      ;;
  esac
}

# start_ringway_client NUMBER CONFIG
start_ringway_client() {
  : >"$work/client$1.log"
  ip netns exec "$(client_ns "$1")" "$ringway" client "$2" >>"$work/client$1.log" 2>&1 </dev/null &
  client_pids[$1]=$!
}

has_address() { [[ -n $(ip -n "$(client_ns "$1")" -o -4 address show dev tun0 2>/dev/null) ]]; }
pings() { in_client "$1" ping -n -q -c 3 -i 0.2 -W 5 "$inner_v4"; }
has_renegotiated() {
  (($(grep -c "client$1/.*renegotiated key" "$work/server.log" || true) >= $2))
}

# keys_made_by stock|ringway: both kinds of client with keys of one kind, over both families.
keys_made_by() {
  topology_up 3
  check "$1 makes the keys" make_keys "$1"
  server_config "tls-crypt-v2 $work/v2-server.key" 'reneg-sec 12 12' 'verb 4' >server.conf
  require "the server starts with a key made by $1" start_server server.conf

  client_config 1 v4 "tls-crypt-v2 $work/v2-client1.key" >client1.ovpn
  client_config 2 v6 "tls-crypt-v2 $work/v2-client2.key" >client2.ovpn
  client_config 3 v6 "tls-crypt-v2 $work/v2-client2.key" >client3.ovpn
  start_client 1 client1.ovpn
  start_client 2 client2.ovpn
  start_ringway_client 3 client3.ovpn
  check "a stock client connects over IPv4, keys by $1" client_connects 1 60
  check "a stock client connects over IPv6, keys by $1" client_connects 2 60
  check "Ringway's client connects over IPv6, keys by $1" wait_for 60 has_address 3
  check "the stock client's tunnel works, keys by $1" pings 1
  check "the tunnel of Ringway's client works, keys by $1" wait_for 20 pings 3
  check "the stock client keeps its tunnel through two renegotiations, keys by $1" \
    wait_for 90 has_renegotiated 1 2
  check "so does Ringway's client, keys by $1" wait_for 90 has_renegotiated 3 2
  check "the renegotiations are under a key of their own, keys by $1" \
    client_log_has 1 'Outgoing dynamic tls-crypt'
  check "the tunnel works after them, keys by $1" pings 1
  check "so does that of Ringway's client, keys by $1" pings 3
  check "nobody had to log in again, keys by $1" [ "$(connection_count 1)" = 1 ]
  stop_client 1 && stop_client 2 && stop_client 3
  check "the server ends cleanly, keys by $1" stop_server
  check "its exit status is 0, keys by $1" [ "$server_status" = 0 ]
  check "its log is clean, keys by $1" server_log_is_clean
}

# who_is_kept_out: a key of another server, a key without protection, an old key.
who_is_kept_out() {
  topology_up 3
  make_keys stock
  server_config "tls-crypt-v2 $work/v2-server.key" 'tls-crypt-v2-max-age 1' \
    "tls-crypt $work/ta.key" >server.conf
  require 'the server starts with tls-crypt beside tls-crypt-v2' start_server server.conf

  client_config 1 v4 "tls-crypt $work/ta.key" >client1.ovpn
  start_client 1 client1.ovpn
  check 'a client with the shared key connects' client_connects 1 60
  stop_client 1
  client_config 1 v4 "tls-crypt-v2 $work/v2-client1.key" >client1.ovpn
  start_client 1 client1.ovpn
  check 'a client with a key of its own connects' client_connects 1 60

  client_config 2 v4 "tls-crypt-v2 $work/v2-stranger.key" 'hand-window 6' >client2.ovpn
  client_config 3 v6 "tls-crypt-v2 $work/v2-client2.key" 'hand-window 6' >client3.ovpn
  start_client 2 client2.ovpn
  start_client 3 client3.ovpn
  check 'the key of another server gets no answer' \
    wait_for 40 client_log_has 2 'TLS key negotiation failed|TLS handshake failed'
  check 'a key that does not tell its age is refused where an age is asked' \
    wait_for 40 client_log_has 3 'TLS key negotiation failed|TLS handshake failed'
  check 'neither of them connected' refuse client_is_connected 2
  check 'nor the one without an age' refuse client_is_connected 3
  check 'the client with a key of its own is still there' pings 1
  stop_server
  check 'the server ends cleanly' [ "$server_status" = 0 ]
}

# judged_by_a_program: tls-crypt-v2-verify. Keys with metadata of OpenVPN's making; one is taken,
# one is refused, and one takes long, which nobody else notices.
judged_by_a_program() {
  topology_up 3
  make_keys stock
  openvpn --tls-crypt-v2 v2-server.key --genkey tls-crypt-v2-client v2-slow.key "$(base64 <<<slow)"
  # With OpenVPN it sees none of the variables of `setenv`.
  cat >verify.sh <<EOT
#!/bin/bash
IFS= read -r text <"\$metadata_file" || true
echo "\$script_type \$metadata_type \${text:0:8}" >>$work/calls
[[ \$text != slow* ]] || sleep 8
[[ \$metadata_type == 0 ]]
EOT
  chmod 755 verify.sh
  install -m 666 /dev/null calls
  server_config "tls-crypt-v2 $work/v2-server.key" 'script-security 2' \
    "tls-crypt-v2-verify $work/verify.sh" >server.conf
  require 'the server starts with tls-crypt-v2-verify' start_server server.conf
  # client1's key has the time of its making, and the program wants text.
  client_config 1 v4 "tls-crypt-v2 $work/v2-client1.key" 'hand-window 6' 'auth-retry none' \
    >client1.ovpn
  client_config 2 v6 "tls-crypt-v2 $work/v2-client2.key" >client2.ovpn
  client_config 3 v4 "tls-crypt-v2 $work/v2-slow.key" >client3.ovpn
  start_client 3 client3.ovpn
  check 'the program is asked about a key' wait_for 30 grep -qx 'tls-crypt-v2-verify 0 slow' calls
  start_client 2 client2.ovpn
  check 'a key that the program takes gets in' client_connects 2 60
  if ! is_stock_server; then
    check 'while it thinks about another' refuse client_is_connected 3
  fi
  check 'which gets in as well, later' client_connects 3 60
  check 'the program sees type and text of the metadata' \
    grep -qx 'tls-crypt-v2-verify 0 ABCDEFGH' calls
  start_client 1 client1.ovpn
  check 'a key that it refuses is kept out' wait_for 60 client_log_has 1 \
    'AUTH_FAILED|TLS key negotiation failed|TLS handshake failed'
  check 'it never connected' refuse client_is_connected 1
  check 'the program was asked about it' grep -q '^tls-crypt-v2-verify 1 ' calls
  stop_server
  check 'its log is clean' server_log_is_clean
}

# static_keys: files of one are read by the other.
static_keys() {
  topology_up 1
  "$ringway" genkey tls-crypt new.key
  server_config "tls-crypt $work/new.key" >server.conf
  require "the server starts with Ringway's own static key" start_server server.conf
  client_config 1 v4 "tls-crypt $work/new.key" >client1.ovpn
  start_client 1 client1.ovpn
  check 'stock OpenVPN reads it, too' client_connects 1 60
  stop_server
}

one_case() { "$@"; }
in_parallel 2 one_case 'keys_made_by stock' 'keys_made_by ringway' who_is_kept_out \
  judged_by_a_program static_keys
done_testing
