#!/usr/bin/env bash
# One command makes everything that is given to people, and the sums to check
# it by. Windows is signed by HAOKE_SIGN_* (see windows/sign.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf build/dist
make --no-print-directory linux windows mac
VERSION=$(cat build/VERSION)
make --no-print-directory daemon
installers/sbom.sh build/bin/haoked > "build/dist/haoke-$VERSION.cdx.json"
installers/licences.sh > "build/dist/haoke-$VERSION-licences.txt"
(cd build/dist && find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum > SHA256SUMS)
echo "release: $(wc -l < build/dist/SHA256SUMS) files in build/dist, sums in SHA256SUMS"
