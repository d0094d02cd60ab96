#!/bin/bash
# `ringway check` on a machine of its own: a namespace with addresses, sysctls and a firewall that
# are known. What it says of them is what the server then does.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

if is_stock_server; then
  skip 'ringway check' 'OpenVPN has nothing like it'
  done_testing
  exit
fi
topology_up 1
check_command=("${server_command[@]::${#server_command[@]}-1}" check)

# finds STATUS ID CONFIG [OPTION...]: the check ends with the status and has the finding.
finds() {
  local wanted=$1 id=$2 config=$3 status=0
  shift 3
  in_server "${check_command[@]}" "$config" "$@" >found.txt 2>found.err || status=$?
  cat found.txt found.err
  ((status == wanted)) && grep -q " \[$id\] " found.txt
}
finds_not() { ! grep -q " \[$1\] " found.txt; }

in_server sysctl -qw net.ipv6.bindv6only=1 net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=1
openvpn --genkey secret tls-crypt.key
server_config "tls-crypt $work/tls-crypt.key" "local $server_v4" "local $server_v6" \
  'push "route 198.51.100.0 255.255.255.0"' >server.conf
require 'a configuration is checked' finds 2 listener server.conf
check 'it says what net.ipv6.bindv6only is' finds 2 bindv6only server.conf
check 'and names its value' grep -q 'net.ipv6.bindv6only is 1' found.txt
check 'it sees that IPv4 is not forwarded' finds 2 ip-forward-off server.conf
check 'the addresses of this machine are found' finds_not local-missing
check 'nothing was refused' finds_not refused-option
in_server sysctl -qw net.ipv4.ip_forward=1
check 'with forwarding there is no warning' finds 0 listener server.conf
check 'and the finding is gone' finds_not ip-forward-off
check 'what passes the check starts' start_server server.conf
check 'a server that runs does not overlap itself' finds 0 listener server.conf
check 'SIGTERM ends it' stop_server

server_config "tls-crypt $work/tls-crypt.key" 'local 198.51.100.77' 'bind-dev nowhere0' >bad.conf
check 'an address of another machine is an error' finds 1 local-missing bad.conf
check 'an interface that is not there is another' finds 1 bind-dev-missing bad.conf
check 'without the machine neither is known' finds 2 listener bad.conf --no-host

server_config 'fragment 1300' 'prot udp' 'plugin x' >faults.conf
check 'all faults are shown' finds 1 refused-option faults.conf
check 'each refusal is one' bash -c '[[ $(grep -c refused-option found.txt) == 2 ]]'
check 'as JSON it is one object' bash -c "
  ip netns exec $server_ns ${check_command[*]} faults.conf --json |
    python3 -c 'import json, sys; assert json.load(sys.stdin)[\"exit_status\"] == 1'"
cannot_check() {
  local status=0
  "${check_command[@]}" "$1" || status=$?
  ((status == 3))
}
check 'a file that is not there cannot be checked' cannot_check nowhere.conf

if in_server nft add table inet filter 2>/dev/null; then
  in_server nft add chain inet filter input \
    '{ type filter hook input priority 0; policy drop; }'
  in_server nft add rule inet filter input ct state established,related accept
  check 'a firewall that drops is seen' finds 2 firewall-drops server.conf
  in_server nft add rule inet filter input udp dport 1190-1199 accept
  check 'and one that accepts, too' finds 0 firewall-accepts server.conf
else
  skip 'a firewall that drops is seen' 'this kernel has no nftables'
fi

client_config 1 none "remote $server_v4 1194 udp" "tls-crypt $work/tls-crypt.key" >client.ovpn
check 'a profile is checked as one' finds 0 remote-one-family client.ovpn
check 'the profile counts as a client' grep -q "a client's configuration" found.txt
done_testing
