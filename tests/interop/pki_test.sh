#!/bin/bash
# Authorities, certificates, revocation lists and profiles: those of `ringway pki` and `ringway
# profile` with stock OpenVPN on either side, those of easy-rsa with Ringway, and who is believed
# (B11): a name, a fingerprint, a serial number in a directory.
. "$(dirname "${BASH_SOURCE[0]}")/topology.sh"

ringway=${server_command[0]}
is_stock_server && ringway=$source_root/build-test/tools/ringway

# The server's name, for one namespace alone: `ip netns exec` mounts what is in /etc/netns.
name_the_server() {
  local number
  for number in "$@"; do
    mkdir -p "/etc/netns/$(client_ns "$number")"
    printf '%s vpn.example.test\n' "$server_v4" "$server_v6" \
      >"/etc/netns/$(client_ns "$number")/hosts"
  done
  # shellcheck disable=SC2064  # The names are those of now.
  trap "rm -rf /etc/netns/$run_name-client*; topology_down" EXIT
}

is_dropped() { ! client_is_listed "$1" || client_log_has "$2" 'AUTH_FAILED|Restart|restarting'; }
client_is_listed() { grep -q "^$1," "$work/status.log" 2>/dev/null; }
uses_family() { client_log_has "$1" "link remote: \[AF_INET$2\]"; }

# server_of PKI_SERVER_NAME [LINE...]: the usual configuration with an authority in $work/pki.
server_of() {
  local name=$1
  shift
  server_config "ca $work/pki/ca.crt" "cert $work/pki/issued/$name.crt" \
    "key $work/pki/private/$name.key" "crl-verify $work/pki/crl.pem" "$@"
}

# one_authority ALGORITHM: two commands make it and a profile; a stock client uses that.
one_authority() {
  local algorithm=$1
  topology_up 2
  name_the_server 1 2
  check "$algorithm: init" "$ringway" pki init --dir pki --algorithm "$algorithm" \
    --server vpn.example.test
  check "$algorithm: openssl agrees with the server's certificate" openssl verify -x509_strict \
    -CAfile pki/ca.crt -purpose sslserver pki/issued/vpn.example.test.crt
  server_of vpn.example.test "tls-crypt-v2 $work/pki/private/tls-crypt-v2.key" \
    'remote-cert-tls client' "status $work/status.log 1" 'user nobody' 'group nogroup' >server.conf
  check "$algorithm: a profile, with a certificate that is made for it" \
    "$ringway" profile server.conf alice --output alice.ovpn
  check "$algorithm: another" "$ringway" profile server.conf bob --output bob.ovpn
  check "$algorithm: nobody else can read it" [ "$(stat -c %a alice.ovpn)" = 600 ]
  check "$algorithm: check finds nothing to warn of or to advise" \
    refuse grep -E '^(error|warning|advice)' <("$ringway" check alice.ovpn --no-host)
  require "$algorithm: the server starts with it" start_server server.conf
  start_client 1 alice.ovpn
  check "$algorithm: a stock client connects with it" client_connects 1 60
  check "$algorithm: over IPv6, which comes first" uses_family 1 6
  ip -n "$(client_ns 2)" -6 address flush dev outside
  start_client 2 bob.ovpn
  check "$algorithm: one without IPv6 connects over IPv4" client_connects 2 90
  check "$algorithm: that was IPv4" uses_family 2 ''
  check "$algorithm: the tunnel carries packets" in_client 1 ping -q -c 2 -i 0.2 -W 5 "$inner_v6"
  require "$algorithm: both are listed" wait_for 10 client_is_listed alice
  check "$algorithm: revoke" "$ringway" pki revoke alice --dir pki
  check "$algorithm: the revoked one is dropped, by a server that is nobody" \
    wait_for 20 is_dropped alice 1
  check "$algorithm: the other one stays" [ "$(connection_count 2)" = 1 ]
  check "$algorithm: report knows it" grep -q '^revoked .* alice$' \
    <("$ringway" pki report --dir pki)
  stop_client 1
  stop_client 2
  check "$algorithm: the server ends" stop_server
  check "$algorithm: its log is clean" server_log_is_clean
}

# with_stock: the same authority under a stock server; both clients.
with_stock() {
  topology_up 2
  "$ringway" pki init --dir pki --server vpn.example.test >lines.txt
  "$ringway" pki client alice --dir pki >/dev/null
  "$ringway" pki client bob --dir pki >/dev/null
  server_command=(openvpn)
  server_of vpn.example.test 'remote-cert-tls client' 'client-connect /bin/true' \
    'script-security 2' >server.conf
  require 'a stock server starts with our authority and list' start_server server.conf
  client_config 1 v4 "ca $work/pki/ca.crt" "cert $work/pki/issued/alice.crt" \
    "key $work/pki/private/alice.key" 'verify-x509-name vpn.example.test name' >client1.conf
  client_config 2 v6 "ca $work/pki/ca.crt" "cert $work/pki/issued/bob.crt" \
    "key $work/pki/private/bob.key" >client2.conf
  start_client 1 client1.conf
  check 'a stock client connects to it' client_connects 1 60
  cp pki/issued/bob.crt pki/private/bob.key .
  : >client2.log
  ip netns exec "$(client_ns 2)" "$ringway" client client2.conf >>client2.log 2>&1 </dev/null &
  client_pids[2]=$!
  check "Ringway's client connects to it" wait_for 60 client_log_has 2 'connected: '
  stop_client 2
  "$ringway" pki revoke bob --dir pki >/dev/null
  sed -i "s|^cert .*|cert $work/bob.crt|; s|^key .*|key $work/bob.key|" client2.conf
  start_client 2 client2.conf
  check 'the stock server reads our new list' \
    wait_for 40 server_log_has 'CN=bob.*revoked|revoked.*CN=bob|certificate revoked'
  check 'and keeps the revoked one out' refuse client_is_connected 2
}

# with_easyrsa: an authority that easy-rsa made, and that we revoke in.
with_easyrsa() {
  local easyrsa=/usr/share/easy-rsa/easyrsa
  if ! [[ -x $easyrsa ]]; then
    not_ok 'easy-rsa is installed' 'see tools/packages.txt'
    return
  fi
  topology_up 1
  export EASYRSA_BATCH=1 EASYRSA_PKI=$work/pki EASYRSA_ALGO=ec
  {
    "$easyrsa" init-pki
    EASYRSA_REQ_CN='Easy CA' "$easyrsa" build-ca nopass
    "$easyrsa" build-server-full server nopass
    "$easyrsa" build-client-full alice nopass
    "$easyrsa" build-client-full carol nopass
    "$easyrsa" gen-crl
  } >easyrsa.log 2>&1 || true
  require 'easy-rsa makes an authority' test -s pki/crl.pem
  server_of server 'remote-cert-tls client' "status $work/status.log 1" >server.conf
  require 'the server starts with it' start_server server.conf
  check 'a profile of its client' "$ringway" profile server.conf alice --remote "$server_v4" \
    --output alice.ovpn
  start_client 1 alice.ovpn
  check 'the client connects' client_connects 1 60
  check 'report lists what easy-rsa made' grep -q '^valid .* client .* alice$' \
    <("$ringway" pki report --dir pki)
  check 'revoke' "$ringway" pki revoke alice --dir pki
  check 'the client is dropped' wait_for 20 is_dropped alice 1
  check 'easy-rsa goes on' "$easyrsa" revoke carol
  check 'with a list of its own' "$easyrsa" gen-crl
  openssl crl -in pki/crl.pem -noout -text >list.txt
  check 'that has both' [ "$(grep -c 'Serial Number' list.txt)" = 2 ]
}

# who_is_believed: names, fingerprints without any authority, serial numbers in a directory.
who_is_believed() {
  topology_up 2
  local own server_own
  own=$(openssl x509 -in client1.crt -noout -fingerprint -sha256 | sed 's/.*=//')
  server_own=$(openssl x509 -in server.crt -noout -fingerprint -sha256 | sed 's/.*=//')
  client_config 1 v4 "peer-fingerprint $server_own" | grep -v '^ca ' >client1.conf
  client_config 2 v6 'hand-window 6' >client2.conf

  server_config "peer-fingerprint $own" | grep -v '^ca ' >server.conf
  require 'the server starts with a fingerprint in place of an authority' start_server server.conf
  start_client 1 client1.conf
  start_client 2 client2.conf
  check 'whose fingerprint is listed connects' client_connects 1 60
  check 'whose is not does not' wait_for 30 server_log_has 'fingerprint'
  check 'not at all' refuse client_is_connected 2
  stop_client 1
  stop_client 2
  check 'the server ends' stop_server

  mkdir -p revoked
  server_config 'verify-x509-name client name-prefix' 'x509-username-field serialNumber' \
    'remote-cert-ku 80' 'remote-cert-eku clientAuth' "crl-verify $work/revoked dir" \
    "status $work/status.log 1" >server.conf
  sed -i 's/^verify-x509-name.*/verify-x509-name 0x name-prefix/' server.conf
  client_config 1 v4 >client1.conf
  require 'the server starts with rules for certificates' start_server server.conf
  start_client 1 client1.conf
  check 'a client that keeps them connects' client_connects 1 60
  check 'and is called by its serial number' wait_for 10 grep -q '^0x[0-9A-F]*,' status.log
  local serial
  serial=$(openssl x509 -in client1.crt -noout -serial)
  serial=$(python3 -c 'import sys; print(int(sys.argv[1], 16))' "${serial#*=}")
  : >"revoked/$serial"
  if is_stock_server; then
    skip 'a serial number in the directory drops it' 'stock asks at the next handshake'
  else
    check 'a serial number in the directory drops it' wait_for 20 server_log_has 'is revoked'
  fi
  check 'the server ends again' stop_server
  check 'its log is clean' server_log_is_clean
}

one_case() { "$@"; }
in_parallel 2 one_case 'one_authority p256' 'one_authority ed25519' with_stock with_easyrsa \
  who_is_believed
done_testing
