#!/usr/bin/env bash
# Prints the licence texts of everything that is inside the programs: Go
# modules that are linked, and what the pages bundle.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOFLAGS="-buildvcs=false -trimpath -mod=readonly"
echo "Haoke contains the work of others, under the licences that follow."
# what the daemon and the window link, on the systems that are built for
for os in linux windows; do
  tags=desktop,production
  [ $os = linux ] && tags=$tags,webkit2_41
  CGO_ENABLED=$([ $os = linux ] && echo 1 || echo 0) GOOS=$os go list -deps -tags $tags -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' . ./backend/cmd/haoked
done | sort -u | while read -r path version dir; do
  [ -n "$path" ] || continue
  printf '\n================ %s %s\n' "$path" "$version"
  found=no
  for f in "$dir"/[Ll][Ii][Cc][Ee][Nn][SsCc][Ee]* "$dir"/COPYING* "$dir"/NOTICE*; do
    [ -f "$f" ] && { cat "$f"; echo; found=yes; }
  done
  [ $found = yes ] || echo "(no licence file in the module; see its home page)"
done
printf '\n================ vocabularies of OpenAI tiktoken, from github.com/pkoukk/tiktoken-go-loader\n'
cat backend/internal/tokens/vocabulary/LICENSE
printf '\n================ Go and its standard library %s\n' "$(go env GOVERSION)"
cat "$(go env GOROOT)/LICENSE"
for p in svelte uplot; do
  d=frontend/admin/node_modules/$p
  [ -d "$d" ] || continue
  printf '\n================ %s %s\n' "$p" "$(node -p "require('./$d/package.json').version")"
  cat "$d"/LICENSE* 2>/dev/null || true
done
