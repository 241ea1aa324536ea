#!/usr/bin/env bash
# Prints the licence texts of everything that is inside the programs: Go
# modules that are linked on any system, what the pages bundle, and data of
# others. Fails when a text is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOFLAGS="-buildvcs=false -trimpath -mod=readonly"
missing() { echo "licences: no licence text of $1" >&2; exit 1; }

# head_and NAME FILE...: a heading and the files that are there
head_and() {
  local name=$1 f found=; shift
  printf '\n================ %s\n' "$name"
  for f; do [ ! -r "$f" ] || [ -d "$f" ] || { cat "$f"; echo; found=1; }; done
  [ -n "$found" ] || missing "$name"
}

echo "Haoke contains the work of others, under the licences that follow."
# what the daemon and the window link, on the systems that are built for
for os in linux windows darwin; do
  tags=desktop,production cgo=1
  [ $os != linux ] || tags=$tags,webkit2_41
  [ $os != windows ] || cgo=0
  for arch in amd64 arm64; do
    CGO_ENABLED=$cgo GOOS=$os GOARCH=$arch go list -deps -tags $tags -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' . ./backend/cmd/haoked
  done
done | sort -u | while read -r path version dir; do
  [ -n "$path" ] || continue
  head_and "$path $version" "$dir"/[Ll][Ii][Cc][Ee][Nn][SsCc][Ee]* "$dir"/COPYING* "$dir"/NOTICE*
done
head_and "Go and its standard library $(go env GOVERSION)" "$(go env GOROOT)/LICENSE"

# what the program's page "About" lists besides the modules
node -p '
  const all = JSON.parse(require("node:fs").readFileSync("backend/internal/adminapi/others.json"));
  all.map((o) => [o.npm ? "npm" : "file", o.package, o.version, o.file].join("|")).join("\n")' |
while IFS='|' read -r kind name version text; do
  if [ "$kind" = file ]; then head_and "$name${version:+ $version}" "$text"; continue; fi
  dir=frontend/admin/node_modules/$name
  [ "$(node -p "require('./$dir/package.json').version")" = "$version" ] || missing "$name $version (another version is in $dir, or none: make frontend)"
  if [ "$name" = vite ]; then # its file goes on with the licences of its own tools, none of which is in the page
    head_and "$name $version" <(sed '/^# Licenses of bundled dependencies/,$d' "$dir/LICENSE.md")
  else
    head_and "$name $version" "$dir"/[Ll][Ii][Cc][Ee][Nn][SsCc][Ee]*
  fi
done
head_and "in the packages" installers/notices/packages.txt
