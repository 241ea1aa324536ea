#!/usr/bin/env bash
# Makes the whole release once more, pages and all, from a copy of the tree in
# another folder of another length, and compares every file. The environment of
# the release has to be the same (HAOKE_RELEASE_KEY_FILE, UPDATE_KEYS); what is
# signed for Windows with a time stamp can never be the same.
# GOCACHE=/empty/folder compiles everything anew.
set -euo pipefail
cd "$(dirname "$0")/.."
. installers/env.sh
[ -f build/dist/SHA256SUMS ] || { echo "reproduce: run make release first"; exit 1; }
other=$(mktemp -d "${TMPDIR:-/tmp}/haoke once more XXXX")
trap 'rm -rf "$other"' EXIT
git ls-files -z | tar --null -T - -cf - | tar -C "$other" -xf -
mkdir -p "$other/build/.cache"
for c in build/.cache/sysroot-*; do [ ! -d "$c" ] || ln -s "$(realpath "$c")" "$other/build/.cache/"; done
[ ! -x build/.cache/govulncheck ] || cp build/.cache/govulncheck "$other/build/.cache/"
for p in widget admin; do
  cp -r "frontend/$p/node_modules" "$other/frontend/$p/"
  rm -f "$other/frontend/$p/node_modules/.built"
  (cd "$other/frontend/$p" && npm run --silent build)
done
export HAOKE_COMMIT=$COMMIT SKIP_VULN=1
(cd "$other" && installers/release.sh)
same=0 differ=0
while read -r sum name; do
  if [ "$(sha256sum "$other/build/dist/$name" 2>/dev/null | cut -d' ' -f1)" = "$sum" ]; then same=$((same + 1)); else
    differ=$((differ + 1)); echo "differs: $name"
    [ -z "${KEEP_DIFFERENT:-}" ] || cp "$other/build/dist/$name" "$KEEP_DIFFERENT/"
  fi
done < build/dist/SHA256SUMS
echo "reproduce: $same files the same, $differ differ"
[ $differ = 0 ] && cmp build/dist/SHA256SUMS "$other/build/dist/SHA256SUMS"
