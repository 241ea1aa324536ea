# What the tests of the installers share: each check has a name, its output is
# shown when it fails, and what is not tried is named. Sourced with WORK set.
# shellcheck shell=bash disable=SC2034
passed=0 failed=0 skipped=0
ok() { passed=$((passed + 1)); echo "ok    $1"; }
bad() { failed=$((failed + 1)); echo "FAIL  $1"; }
check() { local name=$1; shift; if "$@" > "$WORK/last.log" 2>&1; then ok "$name"; else bad "$name"; tail -5 "$WORK/last.log"; fi; }
# where everything is wanted (make test) what is missing is a fault
skip() { if [ -n "${HAOKE_TEST_REQUIRE:-}" ]; then bad "not tried: $1"; else skipped=$((skipped + 1)); echo "not tried: $1"; fi; }
have() { command -v "$1" >/dev/null; }
# for check: fails; its output has the words
refused() { local words=$1 said; shift; said=$("$@" 2>&1) && { echo "it went through: $said"; return 1; }; echo "$said"; grep -q -- "$words" <<<"$said"; }
