#!/bin/bash
# shellcheck disable=SC2154
# What tools/demo and tools/test have in common: packages and builds. Sourced from the repository's
# root, with $logs naming a folder for the output of the tools.

# --- Packages ---------------------------------------------------------------------------------
# Installs what tools/packages.txt lists and this machine lacks; a machine that has everything is
# not kept waiting, and needs no network.

# wanted_packages FILE: the names in a package list, without its comments, and without what is for
# machines of another kind.
wanted_packages() {
  sed -e 's/#.*//' -e "s/\[$(dpkg --print-architecture)\]//" -e '/\[/d' -e 's/[[:space:]]//g' \
    -e '/^$/d' "$1"
}

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

# --- Builds -----------------------------------------------------------------------------------
# ccache, where it is installed, makes all builds but the first short.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

# configure BUILD OPTION...: a folder whose options have changed is configured anew.
configure() {
  local build=$1 wanted="${*:2} ${CXX:-}"
  shift
  if [[ -f $build/build.ninja && $(cat "$build/.options" 2>/dev/null) == "$wanted" ]]; then
    # A meson.build may have changed since, and who asks meson for its tests wants to hear of it.
    ninja -C "$build" build.ninja >"$logs/setup-$build.log" 2>&1 && return 0
    tail -n 20 "$logs/setup-$build.log"
    return 1
  fi
  rm -rf "$build"
  meson setup "$build" "$@" >"$logs/setup-$build.log" 2>&1 || {
    tail -n 20 "$logs/setup-$build.log"
    return 1
  }
  echo "$wanted" >"$build/.options"
}

# build BUILD [TARGET...]
build() {
  local build=$1
  ninja -C "$@" >"$logs/$build.log" 2>&1 || {
    grep -E -A 12 'error|FAILED|undefined reference' "$logs/$build.log" | tail -n 60
    return 1
  }
}

# build_release: what people run. Everything in one piece for the optimiser (LTO).
build_release() {
  configure build-demo --buildtype=release -Db_lto=true -Dtests=false &&
    build build-demo tools/ringway
}
