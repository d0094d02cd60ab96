#!/bin/bash
# Installs what tools/packages.txt lists and this machine lacks. Sourced by tools/demo and
# tools/test; on a machine that has everything it asks no network and takes a tenth of a second.

# wanted_packages FILE: the names in a package list, without its comments.
wanted_packages() { sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$1"; }

# missing_packages FILE: those of them that are not installed.
missing_packages() {
  comm -23 \
    <(wanted_packages "$1" | sort) \
    <(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' |
      sed -n 's/^installed //p' | sort -u)
}

# install_packages FILE: returns non-zero, with a sentence, when that cannot be done.
install_packages() {
  local list=$1 missing
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This is no Debian machine: install the counterparts of $list by hand," \
      "then set RINGWAY_SKIP_INSTALL=1." >&2
    [[ -n ${RINGWAY_SKIP_INSTALL:-} ]]
    return
  fi
  [[ -z ${RINGWAY_SKIP_INSTALL:-} ]] || return 0
  mapfile -t missing < <(missing_packages "$list")
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    echo "Missing packages need root: sudo apt-get install ${missing[*]}" >&2
    return 1
  fi
  echo "Installing ${#missing[@]} packages: ${missing[*]}"
  # The lock is waited for: unattended-upgrades holds it for a while after a machine's first boot.
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update
  "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" >/dev/null
}
