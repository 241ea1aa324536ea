#!/usr/bin/env bash
# Every test there is, in the order of how soon it tells what is wrong. The
# last lines say what ran.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
export HAOKE_TEST_REQUIRE=1 # a missing browser or database fails instead of skipping
passed=0 failed=0
step() {
  local name=$1; shift
  echo; echo "== $name"
  local begun=$SECONDS
  if "$@"; then passed=$((passed + 1)); echo "== $name: ok in $((SECONDS - begun)) s"
  else failed=$((failed + 1)); echo "== $name: FAILED after $((SECONDS - begun)) s"; fi
}
unit() { (cd "frontend/$1" && npm test --silent); }

step "front end"       build/frontend.sh test
step "lint"            make --no-print-directory lint
step "widget units"    unit widget
step "admin units"     unit admin
step "go tests"        make --no-print-directory test-go
step "race detector"   make --no-print-directory test-race
step "fuzz"            build/fuzz.sh "${FUZZ_TIME:-3s}"
step "browser"         make --no-print-directory test-web
step "installers"      installers/quick.sh
step "desktop window"  make --no-print-directory test-desktop

echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
