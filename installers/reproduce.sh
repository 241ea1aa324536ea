#!/usr/bin/env bash
# Builds the release once more, from a copy of the tree in another folder of
# another length, and compares the sums. The container's archive is left out:
# the engine writes a name of its own into it (its files are compared by
# test-installers). GOCACHE=/empty/folder compiles everything anew.
set -euo pipefail
cd "$(dirname "$0")/.."
. installers/env.sh
[ -f build/dist/SHA256SUMS ] || { echo "reproduce: run make release first"; exit 1; }
other=$(mktemp -d "${TMPDIR:-/tmp}/haoke once more XXXX" | tr -d '\n')
trap 'rm -rf "$other"' EXIT
git ls-files -z | tar --null -T - -cf - | tar -C "$other" -xf -
for p in admin widget; do rm -rf "$other/frontend/$p/dist"; cp -r "frontend/$p/dist" "$other/frontend/$p/dist"; cp -r "frontend/$p/node_modules" "$other/frontend/$p/"; done
mkdir -p "$other/build/.cache"
for c in build/.cache/sysroot-*; do [ ! -d "$c" ] || ln -s "$PWD/$c" "$other/build/.cache/"; done
export HAOKE_COMMIT=$COMMIT
(cd "$other" && mkdir -p build/dist && installers/linux/build.sh && installers/windows/build.sh && installers/darwin/build.sh)
same=0 differ=0
while read -r sum name; do
  case $name in *docker*|*.cdx.json|*licences.txt|*changes.md|latest.json*) continue ;; esac
  if [ "$(sha256sum "$other/build/dist/$name" 2>/dev/null | cut -d' ' -f1)" = "$sum" ]; then same=$((same + 1)); else differ=$((differ + 1)); echo "differs: $name"; fi
done < build/dist/SHA256SUMS
echo "reproduce: $same files the same, $differ differ"
[ $differ = 0 ]
