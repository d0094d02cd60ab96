#!/bin/bash
# Checks and waiting, for every test in this folder. A check prints one line, `ok - NAME` or
# `not ok - NAME`; tools/test counts them. The last line of a complete test is `1..N`: a script that
# ends without it has died on the way, and counts as a failure whatever it printed before.

checks_run=0
checks_failed=0

ok() {
  checks_run=$((checks_run + 1))
  echo "ok - $1"
}

# not_ok NAME [DETAIL...]: a failed check. The test goes on, so that one run shows all failures.
not_ok() {
  checks_run=$((checks_run + 1))
  checks_failed=$((checks_failed + 1))
  echo "not ok - $1"
  shift
  (($# == 0)) || printf '%s\n' "$@" | sed 's/^/  # /'
}

# skip NAME REASON: counted apart, never as passed.
skip() { echo "skip - $1 ($2)"; }

# check NAME COMMAND...: passes when the command does. Its output is shown only on failure. The
# command runs in this shell, so that it may set variables and wait for our children.
check() {
  local name=$1 check_log status=0
  shift
  check_log=$(mktemp "${TMPDIR:-/tmp}/ringway-check.XXXXXX")
  "$@" >"$check_log" 2>&1 || status=$?
  if ((status == 0)); then
    ok "$name"
  else
    not_ok "$name" "$* failed (status $status):" "$(tail -n 20 "$check_log")"
  fi
  rm -f "$check_log"
}

# require NAME COMMAND...: a check without which the rest makes no sense: a failure ends the test.
require() {
  local failed=$checks_failed
  check "$@"
  ((checks_failed == failed)) || { done_testing || exit 1; }
}

# refuse COMMAND...: succeeds when the command fails, for use with check.
refuse() { ! "$@"; }

# wait_for SECONDS COMMAND...: tries until the command succeeds; fails at the deadline. Nothing in
# these tests sleeps for a fixed time: every wait ends with what it waits for.
wait_for() {
  local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
  shift
  until "$@" >/dev/null 2>&1; do
    ((${EPOCHREALTIME/./} < deadline)) || return 1
    sleep 0.05
  done
}

# done_testing: the plan line and the exit status.
done_testing() {
  echo "1..$checks_run"
  ((checks_failed == 0))
}

# in_parallel AT_ONCE FUNCTION CASE...: runs `FUNCTION CASE` in a subshell for every case and prints
# their output, whole and in order, when each is done. A case makes its own topology and ends with
# done_testing, exactly as a test file does.
in_parallel() {
  local at_once=$1 function=$2 outputs pids=() case number
  shift 2
  outputs=$(mktemp -d "${TMPDIR:-/tmp}/ringway-cases.XXXXXX")
  number=0
  for case in "$@"; do
    while (($(jobs -pr | wc -l) >= at_once)); do wait -n || true; done
    (
      # shellcheck disable=SC2030  # Counted apart on purpose; adopt_results adds them up.
      checks_run=0 checks_failed=0
      # shellcheck disable=SC2086  # A case is a list of words.
      "$function" $case
      done_testing
    ) >"$outputs/$number" 2>&1 &
    pids+=($!)
    number=$((number + 1))
  done
  # A terminated test must not leave its cases behind; each of them cleans up after itself.
  # shellcheck disable=SC2064  # The list is complete here.
  trap "kill ${pids[*]} 2>/dev/null || true; wait; rm -rf '$outputs'" EXIT
  number=0
  for case in "$@"; do
    wait "${pids[number]}" || true
    adopt_results "$case" "$outputs/$number"
    number=$((number + 1))
  done
  trap - EXIT
  rm -rf "$outputs"
}

# adopt_results CASE FILE: prints a case's lines and adds its checks to ours.
adopt_results() {
  local passed failed
  passed=$(grep -c '^ok - ' "$2" || true)
  failed=$(grep -c '^not ok - ' "$2" || true)
  grep -v '^1\.\.[0-9]*$' "$2" || true
  # shellcheck disable=SC2031
  checks_run=$((checks_run + passed + failed))
  # shellcheck disable=SC2031
  checks_failed=$((checks_failed + failed))
  grep -qx "1\.\.$((passed + failed))" "$2" || not_ok "case '$1' ran to its end"
}
