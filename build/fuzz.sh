#!/usr/bin/env bash
# Runs every fuzz target of the tree for the given time (default 5s).
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-5s}
ran=0
# Go up to 1.26 can take the end of -fuzztime for a failure of the target
# (https://go.dev/issue/75804): nothing but the deadline is said, and no input.
# Such a run counts for nothing and is made again.
late() { grep -q '^    context deadline exceeded$' <<<"$1" && ! grep -qE 'Failing input|panic:|_test\.go:' <<<"$1"; }
fuzz() {
  local out
  for _ in 1 2 3; do
    if out=$(CGO_ENABLED=0 go test -run '^$' -fuzz "^$1\$" -fuzztime "$time" "$2" 2>&1); then
      grep -vE '^fuzz: elapsed|^PASS$' <<<"$out"
      return
    fi
    grep -vE '^fuzz: elapsed' <<<"$out"
    late "$out" || return
    echo "fuzz: $1 came to its time's end and not to a finding: again"
  done
  return 1
}
while IFS=: read -r file _ line; do
  name=$(sed -E 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/' <<<"$line")
  echo "fuzz: $name in $(dirname "$file") for $time"
  fuzz "$name" "./$(dirname "$file")" || { echo "fuzz: $name failed"; exit 1; }
  ran=$((ran + 1))
done < <(grep -rnE '^func Fuzz[A-Za-z0-9_]+\(f \*testing\.F\)' backend --include='*_test.go' | sed -E 's/^([^:]+):([0-9]+):/\1:\2:/')
echo "fuzz: $ran targets passed"
