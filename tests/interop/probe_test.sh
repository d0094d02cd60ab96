#!/bin/bash
# `ringway probe` against stock OpenVPN and against Ringway: which addresses of a name answer, and
# what it says of those that do not: refused, silent, unreachable, from the wrong source, without
# the key, another program; UDP and TCP; text, JSON and exit status.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

if is_stock_server; then
  ringway=("$source_root/build/tools/ringway")
else
  ringway=("${server_command[0]}")
fi
ringway_server=("${ringway[0]}" server)

# The client's names are those of a file, and nothing else is asked.
network_up() {
  topology_up 1
  etc=/etc/netns/$(client_ns 1)
  trap 'status=$?; rm -rf "$etc"; (exit "$status"); topology_down' EXIT
  mkdir -p "$etc"
  printf '%s\n' "$server_v4 both.test four.test" "$server_v6 both.test six.test" >"$etc/hosts"
  echo 'hosts: files' >"$etc/nsswitch.conf"
}

# probe STATUS ARGUMENT...: what it says is in said.log.
probe() {
  local wanted=$1 status=0
  shift
  timeout 60 ip netns exec "$(client_ns 1)" "${ringway[0]}" probe "$@" >said.log 2>&1 || status=$?
  cat said.log
  [[ $status == "$wanted" ]] || {
    echo "exit status $status, not $wanted"
    return 1
  }
}
says() { grep -Eq -e "$1" said.log || { cat said.log; return 1; }; }

serve() {
  local name=$1
  shift
  server_command=("$@")
  require "$name starts" start_server server.conf
}

udp_case() {
  network_up
  server_config >server.conf
  serve 'Ringway' "${ringway_server[@]}"
  check 'Ringway answers over both families' probe 0 both.test
  check 'with the time it took and where the answer came from' \
    says 'IPv4  192\.0\.2\.1$'
  check '(IPv4)' says 'reachable, [0-9.]+ ms, answered from 192\.0\.2\.1:1194'
  check '(IPv6)' says 'reachable, [0-9.]+ ms, answered from \[2001:db8::1\]:1194'
  check 'it counts them' says '^2 of 2 addresses reachable$'
  check 'a name without AAAA is said to have none' probe 0 four.test
  check '(so)' says 'no AAAA record'
  check 'a name without A is said to have none' probe 0 six.test
  check '(so)' says 'no A record'
  check 'a name that does not exist is no address' probe 1 nobody.test
  check '(so)' says '^0 of 0 addresses reachable$'
  check 'one family can be asked alone' probe 0 both.test -6
  check '(so)' says '^1 of 1 address reachable$'
  check 'the server keeps nothing of it' refuse grep -q "$(outer_v4 1)" server.log
  stop_server || true

  check 'where nothing listens, it is refused' probe 1 both.test
  check '(IPv4, by whom)' says 'refused, .* 192\.0\.2\.1 says: Connection refused'
  check '(IPv6, by whom)' says 'refused, .* 2001:db8::1 says: Connection refused'
}

stock_case() {
  network_up
  server_config >server.conf
  sed -i 's/^proto .*/proto udp/; /^multihome/d' server.conf
  ip -n "$server_ns" address add 192.0.2.99/32 dev lo
  ip -n "$(client_ns 1)" route add 192.0.2.99 via "$server_v4"
  serve 'stock OpenVPN, `proto udp`,' openvpn
  check 'some addresses answer' probe 2 both.test
  check 'IPv4 does' says 'reachable, .*from 192\.0\.2\.1:1194'
  check 'IPv6 is refused' says 'refused, nothing listens there: 2001:db8::1'
  check 'and it says why' says 'hint: IPv6 is refused where IPv4 answers: .*`proto udp6`'
  check 'an answer from another address is not good enough' probe 1 192.0.2.99
  check '(so)' says 'answers from 192\.0\.2\.1:1194 and not from the address asked'
  check 'and it says what to do' says '`multihome`'
  check 'JSON says the same' probe 1 192.0.2.99 --json
  check '(so)' python3 -c '
import json, sys
report = json.load(open("said.log"))
address = report["targets"][0]["addresses"][0]
assert address["verdict"] == "wrong-source", address
assert address["source"] == "192.0.2.1:1194", address
assert report["exit_status"] == 1, report'
  stop_server || true

  sed -i 's/^proto .*/proto udp6/' server.conf
  echo multihome >>server.conf
  serve 'stock OpenVPN, `proto udp6` and `multihome`,' openvpn
  check 'all addresses answer' probe 0 both.test
  check 'also another one' probe 0 192.0.2.99
  stop_server || true
}

# wrap_case ringway|stock: a server with a wrapped control channel.
wrap_case() {
  local server=("${ringway_server[@]}") wrap=$2
  [[ $1 == ringway ]] || server=(openvpn)
  network_up
  local direction=''
  [[ $wrap != tls-auth ]] || direction=' 0'
  server_config "$wrap $work/ta.key$direction" 'auth SHA256' >server.conf
  [[ $1 == ringway ]] || sed -i 's/^proto .*/proto udp6/; $ a multihome' server.conf
  serve "$1 with $wrap" "${server[@]}"
  check "without its key it is silent ($1, $wrap)" probe 1 both.test --timeout 2
  check "which is said ($1, $wrap)" says 'answers nobody without one'
  local auth=()
  [[ $wrap != tls-auth ]] || auth=(--auth SHA256)
  check "with its key it answers ($1, $wrap)" probe 0 both.test "--$wrap" ta.key "${auth[@]}"
  make_static_key "$work/other.key"
  check "with another key it is silent ($1, $wrap)" \
    probe 1 "$server_v4" "--$wrap" other.key --timeout 2
  check "which is said ($1, $wrap)" says 'the server has another key'
  profile_of "$wrap" >client.ovpn
  check "a profile says all of it ($1, $wrap)" probe 0 client.ovpn
  stop_server || true
}

profile_of() {
  printf '%s\n' client 'dev tun' nobind 'remote-cert-tls server' "remote both.test $server_port" \
    "ca $work/ca.crt" "cert $work/client1.crt" "key $work/client1.key" 'auth SHA256' \
    "$1 $work/ta.key" 'key-direction 1'
}

network_case() {
  network_up
  ip -n "$(client_ns 1)" route add 198.51.100.0/24 via "$server_v4"
  ip -n "$server_ns" route add unreachable 198.51.100.0/24
  in_server sysctl -qw net.ipv4.ip_forward=1
  check 'a router that knows no way is named' probe 1 198.51.100.9
  check '(so)' says 'unreachable: 192\.0\.2\.1 says: No route to host'
  check 'a host without a way says so itself' probe 1 203.0.113.9
  check '(so)' says 'unreachable: this host says: Network is unreachable'
  # As a firewall that drops.
  ip -n "$server_ns" rule add to "$(outer_v4 1)" blackhole
  check 'what is dropped is silent' probe 1 "$server_v4" --timeout 2
  check '(so)' says 'no answer to [23] packets in 2 seconds'
  ip -n "$server_ns" rule del to "$(outer_v4 1)" blackhole
  start_helper "$server_ns" "$interop_dir/says_something.py" "$server_v4" "$server_port" \
    >other.log 2>&1
  wait_for 10 grep -q listening other.log
  check 'another program is no server' probe 1 "$server_v4" --timeout 1
  check '(so)' says 'something answers there, but not as an OpenVPN server does'
  check 'over TCP neither' probe 1 "$server_v4" --tcp
  check '(so)' says 'the connection is made and closed without an answer'
  check 'where no TCP listens, it is refused' probe 1 "$server_v4" 1195 --tcp
  check '(so)' says 'refused, nothing listens there: 192\.0\.2\.1 says: Connection refused'
}

tcp_case() {
  network_up
  server_config >server.conf
  sed -i 's/^proto .*/proto tcp6-server/; /^multihome/d; /^explicit-exit-notify/d' server.conf
  : >server.log
  ip netns exec "$server_ns" openvpn --config server.conf >>server.log 2>&1 </dev/null &
  server_pid=$!
  require 'stock OpenVPN over TCP starts' \
    wait_for 20 grep -q 'Initialization Sequence Completed' server.log
  check 'it answers over both families' probe 0 both.test --tcp
  check '(IPv6)' says 'reachable, [0-9.]+ ms, answered from \[2001:db8::1\]:1194'
  stop_server || true
}

# path_mtu_case ringway|stock: an Ethernet, and one where larger packets vanish without a word.
path_mtu_case() {
  local server=("${ringway_server[@]}")
  [[ $1 == ringway ]] || server=(openvpn)
  network_up
  server_config "tls-crypt $work/ta.key" >server.conf
  [[ $1 == ringway ]] || sed -i 's/^proto .*/proto udp6/; $ a multihome' server.conf
  serve "$1" "${server[@]}"
  profile_of tls-crypt >client.ovpn
  check "a profile that can log in measures ($1)" probe 0 client.ovpn --path-mtu
  check "both families ($1)" test \
    "$(grep -c '^        path MTU 1500, proven by packets that arrived$' said.log)" = 2
  ip -n "$server_ns" link set client1 mtu 1460
  check "a narrow path, too ($1)" probe 0 client.ovpn --path-mtu
  check "both families of it ($1)" test \
    "$(grep -c '^        path MTU 1460, proven by packets that arrived$' said.log)" = 2
  check "without being asked it claims none ($1)" probe 0 client.ovpn
  check "(so, $1)" refuse says 'path MTU'
  sed -i "s/client1/stranger/" client.ovpn
  check "one that cannot log in claims none ($1)" probe 0 client.ovpn -4 --path-mtu
  check "(so, $1)" says 'path MTU not measured: '
  stop_server || true
}

wrong_questions_case() {
  topology_up 1
  check 'a profile that is not there is named' probe 3 missing.ovpn
  check '(so)' says 'missing.ovpn: there is no such profile'
  check 'so is a key' probe 3 192.0.2.1 --tls-crypt missing.key
  check '(so)' says 'missing.key'
  check 'a host cannot be logged in at' probe 3 192.0.2.1 --path-mtu
  check '(so)' says 'needs a profile'
  check 'a port must be one' probe 3 192.0.2.1 99999
  check 'two keys are one too many' probe 3 192.0.2.1 --tls-crypt a --tls-auth b
}

one_case() {
  local name=$1
  shift
  "${name//-/_}_case" "$@"
}

cases=(udp stock 'wrap ringway tls-crypt' 'wrap ringway tls-auth' 'wrap stock tls-crypt'
  'wrap stock tls-auth' network tcp 'path-mtu ringway'
  'path-mtu stock' wrong-questions)
if is_stock_server; then mapfile -t cases < <(printf '%s\n' "${cases[@]}" | grep -v ringway); fi
if [[ -n ${RINGWAY_CASE:-} ]]; then cases=("$RINGWAY_CASE"); fi
in_parallel 4 one_case "${cases[@]}"
done_testing
