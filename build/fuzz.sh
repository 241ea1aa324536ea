#!/usr/bin/env bash
# Runs every fuzz target of the tree for the given time (default 5s).
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-5s}
ran=0
while IFS=: read -r file _ line; do
  name=$(sed -E 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/' <<<"$line")
  echo "fuzz: $name in $(dirname "$file") for $time"
  CGO_ENABLED=0 go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" "./$(dirname "$file")" | grep -vE '^fuzz: elapsed|^PASS$' || { echo "fuzz: $name failed"; exit 1; }
  ran=$((ran + 1))
done < <(grep -rnE '^func Fuzz[A-Za-z0-9_]+\(f \*testing\.F\)' backend --include='*_test.go' | sed -E 's/^([^:]+):([0-9]+):/\1:\2:/')
echo "fuzz: $ran targets passed"
