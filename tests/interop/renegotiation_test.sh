#!/bin/bash
# Renegotiation in every way, with OpenVPN 2.6 as the client: by bytes and by packets, of either
# side; by both at once; on a wire that loses; and one that fails, which leaves the keys alone until
# another succeeds. (By time, of either side, with every cipher: openvpn_client_test.sh.)
#
# A hundred pings a second run through all of it: whatever is missing in the end, the change of keys
# has lost.

# shellcheck source=tests/interop/topology.sh
. "$(dirname "$0")/topology.sh"

relay_port=21000
payload=1000

# start_both SERVER_LINE CLIENT_LINE [SERVER_LINE...]
start_both() {
  server_config "tls-crypt $work/ta.key" 'verb 4' "$1" "${@:3}" >server.conf
  client_config 1 "$family" "tls-crypt $work/ta.key" "$2" >client1.conf
  [[ $family != none ]] || echo "remote 127.0.0.1 $relay_port udp4" >>client1.conf
  require "server starts ($label)" start_server server.conf
  start_client 1 client1.conf
  require "client connects ($label)" client_connects 1
}

# Each negotiation of the client, the first one too, says this.
negotiation_count() { grep -c 'Control Channel: TLSv1' "$work/client1.log" || true; }
has_renegotiated() { (($(negotiation_count) > $1)); }

start_pings() {
  start_helper "$(client_ns 1)" ping -i 0.01 -s "$payload" "$inner_v4" >pings.log 2>&1
  pinging=$helper_pid
}
# SIGINT has it say what it has counted; what is under way then is not lost.
end_pings() {
  stop_helper "$pinging" INT
  tail -n 3 pings.log
}
lost_pings() { awk '/transmitted/ { print $1 - $4 }' pings.log; }
# One that was sent just before the end may still be missing.
nothing_is_lost() { (($(lost_pings) <= 1)); }

# renegotiates SECONDS: twice, and traffic does not notice.
renegotiates() {
  start_pings
  check "two renegotiations ($label)" wait_for "$1" has_renegotiated 2
  # The new keys are taken into use some time after they were made.
  wait_for 3 has_renegotiated 3 || true
  end_pings
  check "nothing is lost ($label)" nothing_is_lost
  check "the client logged in once ($label)" test "$(connection_count 1)" = 1
}

# SOFT_RESET, CONTROL and ACK under the keys 1 to 7: the first byte of the UDP payload.
swallow_renegotiations() {
  in_server nft -f - <<'RULES'
table inet renegotiations {
  chain in {
    type filter hook input priority 0
    udp dport 1194 @th,64,8 { 0x19-0x1f, 0x21-0x27, 0x29-0x2f } counter drop
  }
}
RULES
}
swallow_nothing() { in_server nft delete table inet renegotiations; }

fails_and_succeeds() {
  start_pings
  swallow_renegotiations
  check "a renegotiation fails ($label)" \
    wait_for 30 server_log_has 'renegotiation of key [0-9]+ failed'
  check "the keys stay in use ($label)" in_client 1 ping -q -c 10 -i 0.1 -W 2 "$inner_v4"
  swallow_nothing
  check "the next one succeeds ($label)" wait_for 40 server_log_has 'renegotiated key'
  end_pings
  check "nothing is lost ($label)" nothing_is_lost
  check "the client logged in once ($label)" test "$(connection_count 1)" = 1
}

renegotiates_on_a_bad_wire() {
  start_pings
  check "two renegotiations ($label)" wait_for 60 has_renegotiated 2
  end_pings
  # A tenth each way, and 1 % damaged: 21 %.
  echo "# $label: $(grep transmitted pings.log)"
  # shellcheck disable=SC2016  # awk's own.
  check "no more is lost than the wire loses ($label)" \
    awk '/transmitted/ { exit !($4 > $1 * 0.70) }' pings.log
  check "the client logged in once ($label)" test "$(connection_count 1)" = 1
}

way() {
  label=${1//-/ }
  family=v4
  topology_up 1
  case $1 in
    server-bytes) start_both 'reneg-bytes 400000' 'reneg-sec 0' && renegotiates 40 ;;
    server-packets) start_both 'reneg-pkts 500' 'reneg-sec 0' && renegotiates 45 ;;
    client-bytes) start_both 'reneg-sec 0' 'reneg-bytes 400000' && renegotiates 40 ;;
    client-packets) start_both 'reneg-sec 0' 'reneg-pkts 500' && renegotiates 40 ;;
    both-at-once) start_both 'reneg-sec 7 7' 'reneg-sec 7' && renegotiates 40 ;;
    it-fails)
      start_both 'reneg-sec 5 5' 'reneg-sec 0' 'hand-window 5'
      fails_and_succeeds
      ;;
    bad-wire)
      family=none
      start_helper "$(client_ns 1)" "$interop_dir/impaired_relay.py" "$relay_port" \
        "$server_v4" "$server_port" 0.10 7 >relay.log 2>&1
      wait_for 10 grep -q relaying relay.log
      start_both 'reneg-sec 10 10' 'reneg-sec 0'
      renegotiates_on_a_bad_wire
      ;;
  esac
  check "no sanitizer or assertion spoke up ($label)" server_log_is_clean
}

cases=(server-bytes server-packets client-bytes client-packets both-at-once it-fails bad-wire)
if is_stock_server; then
  skip 'a renegotiation that fails' 'OpenVPN says it in other words'
  cases=("${cases[@]/it-fails/}")
fi
if [[ -n ${RINGWAY_CASE:-} ]]; then cases=("$RINGWAY_CASE"); fi
# shellcheck disable=SC2068  # An empty one is none.
in_parallel 7 way ${cases[@]}
done_testing
