#!/usr/bin/env bash
# Known vulnerabilities in what the programs link, by govulncheck: the daemon,
# and the window for Linux and Windows. GOVULNDB names a database of your own,
# for example file:///srv/vulndb; without it vuln.go.dev is asked.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOFLAGS="-buildvcs=false -trimpath" CGO_ENABLED=0
tool=build/.cache/govulncheck
[ -x $tool ] || { mkdir -p build/.cache; GOBIN=$PWD/build/.cache go install golang.org/x/vuln/cmd/govulncheck@v1.1.4; }
db=()
[ -z "${GOVULNDB:-}" ] || db=(-db "$GOVULNDB")
look() { # what, tags, packages
  local what=$1 tags=$2; shift 2
  echo "vuln: $what"
  $tool ${db[@]+"${db[@]}"} -tags "$tags" "$@" || { echo "vuln: $what: not clean, or not looked at"; exit 1; }
}
look "daemon" "" ./backend/...
GOOS=windows look "window and daemon for Windows" desktop,production . ./backend/cmd/haoked
if pkg-config --exists webkit2gtk-4.1 2>/dev/null; then CGO_ENABLED=1 look "window for Linux" webkit2_41,desktop,production .; fi
