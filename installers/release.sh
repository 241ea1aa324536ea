#!/usr/bin/env bash
# One command makes everything that is given to people, and the sums to check
# it by: make release. By the environment:
#   HAOKE_SIGN_*             signs for Windows: windows/sign.sh
#   HAOKE_RELEASE_KEY_FILE   signs the update notice latest.json
#   UPDATE_KEYS, UPDATE_ADDRESS  whose notices the programs believe, and where
#   GOVULNDB                 database of known vulnerabilities; SKIP_VULN=1: not asked
set -euo pipefail
cd "$(dirname "$0")/.."
. installers/env.sh
[ -z "$(git status --porcelain 2>/dev/null)" ] || echo "release: the tree has changes that no commit has; what is made here belongs to no commit"
rm -rf build/dist
if [ -z "${SKIP_VULN:-}" ]; then build/vuln.sh; else echo "release: vulnerabilities were not looked for (SKIP_VULN)"; fi
installers/linux/build.sh
installers/windows/build.sh
installers/darwin/build.sh
installers/docker/build.sh
installers/sbom.sh build/tmp/linux/amd64/haoked build/tmp/linux/amd64/haoke build/tmp/linux/amd64/appimage-runtime build/tmp/windows/amd64/haoke.exe build/tmp/darwin/arm64/haoked > "build/dist/haoke-$VERSION.cdx.json"
cp build/tmp/linux/share/THIRD-PARTY.txt "build/dist/haoke-$VERSION-licences.txt"
# what is new: this version's part of CHANGELOG.md
awk -v v="## $VERSION" '/^## /{on=index($0, v)==1; next} on' CHANGELOG.md | sed '/./,$!d' > "build/dist/haoke-$VERSION-changes.md"
[ -s "build/dist/haoke-$VERSION-changes.md" ] || { echo "release: CHANGELOG.md says nothing of $VERSION"; exit 1; }
if [ -n "${HAOKE_RELEASE_KEY_FILE:-}" ]; then
  go run ./installers/tools/manifest make --key "$HAOKE_RELEASE_KEY_FILE" --version "$VERSION" --dir build/dist --issued "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)" --notes "build/dist/haoke-$VERSION-changes.md"
else
  echo "release: no HAOKE_RELEASE_KEY_FILE; installed programs are not told of this release"
fi
(cd build/dist && find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum > SHA256SUMS)
echo "release: $(wc -l < build/dist/SHA256SUMS) files in build/dist, sums in SHA256SUMS"
