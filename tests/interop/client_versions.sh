#!/bin/bash
# Which OpenVPN clients there are to test with. Sourced behind topology.sh.
#
# The machine's own `openvpn` always is one. Others are taken from the directory $RINGWAY_CLIENTS,
# one folder a version: 2.4.12/openvpn, 2.5.11/openvpn, 2.7.6/openvpn, and OpenVPN 3's command line
# client as 3.12/ovpncli. What is not there is a line `skip`, never a pass.

# shellcheck disable=SC2034  # For the tests.
wanted_versions=(2.4 2.5 2.7 3)

# client_program VERSION: its path; fails when it is not there.
client_program() {
  local version=$1 program
  if [[ $version == 2.6 ]]; then
    command -v openvpn
    return
  fi
  [[ -n ${RINGWAY_CLIENTS:-} ]] || return 1
  for program in "$RINGWAY_CLIENTS/$version"*/{openvpn,ovpncli}; do
    [[ -x $program ]] || continue
    echo "$program"
    return
  done
  return 1
}

# newest_tls VERSION: mbed TLS has no 1.3 before its own version 3.6.
newest_tls() {
  local said
  said=$("$(client_program "$1")" --version 2>&1) || true # OpenVPN exits with 1 behind it.
  if [[ $said == *'mbed TLS '[12].* ]]; then echo 1.2; else echo 1.3; fi
}

# found_versions: "2.6" and whichever of wanted_versions there are, in words.
found_versions() {
  local version words=(2.6)
  for version in "${wanted_versions[@]}"; do
    ! client_program "$version" >/dev/null || words+=("$version")
  done
  echo "${words[@]}"
}

skip_missing_versions() {
  local version
  for version in "${wanted_versions[@]}"; do
    client_program "$version" >/dev/null ||
      skip "OpenVPN $version" 'RINGWAY_CLIENTS has none'
  done
}

# start_version VERSION NAMESPACE CONFIG LOG: in the background; sets client_pid.
start_version() {
  local version=$1 namespace=$2 config=$3 log=$4 program
  program=$(client_program "$version")
  : >"$log"
  if [[ $program == */ovpncli ]]; then
    ip netns exec "$namespace" "$program" "$config" >>"$log" 2>&1 </dev/null &
  else
    ip netns exec "$namespace" "$program" --config "$config" --suppress-timestamps \
      >>"$log" 2>&1 </dev/null &
  fi
  client_pid=$!
}

# What a client's log says when it has a tunnel, and at each negotiation, whichever its version is.
# shellcheck disable=SC2034
tunnel_is_up='Initialization Sequence Completed|EVENT: CONNECTED'
# shellcheck disable=SC2034
keys_are_made='Control Channel: TLSv1|Tunnel Options:V4'

# speaks VERSION none|tls-auth|tls-crypt|tls-crypt-v2 CIPHER: whether there is such a thing.
speaks() {
  case $1/$2/$3 in
    2.4/tls-crypt-v2/* | 2.4/*/CHACHA20-POLY1305) return 1 ;;
  esac
}
