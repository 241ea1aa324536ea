#!/usr/bin/env bash
# Fails when a daemon is larger than it may be: 40,000,000 bytes.
set -euo pipefail
size=$(stat -c %s "$1")
echo "$1: $size bytes"
[ "$size" -lt 40000000 ] || { echo "$1 has $size bytes, 40,000,000 are the limit: go tool nm -size -sort size shows what grew" >&2; exit 1; }
