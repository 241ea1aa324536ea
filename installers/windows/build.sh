#!/usr/bin/env bash
# Cross-builds build/dist/haoke-VERSION-windows-ARCH-setup.exe from Linux,
# without a C compiler for Windows.
set -euo pipefail
cd "$(dirname "$0")/../.."
export GOFLAGS="-buildvcs=false -trimpath" CGO_ENABLED=0 GOOS=windows
VERSION=$(cat build/VERSION)
COMMIT=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)}"
LDFLAGS="-s -w -buildid= -X haoke/backend.Version=$VERSION -X haoke/backend.Commit=$COMMIT"
LDFLAGS+="${UPDATE_KEYS:+ -X haoke/backend.UpdateKeys=$UPDATE_KEYS}${UPDATE_ADDRESS:+ -X haoke/backend.UpdateAddress=$UPDATE_ADDRESS}"
command -v makensis >/dev/null || { echo "windows: makensis is missing: apt-get install nsis"; exit 1; }
mkdir -p build/dist build/tmp/windows
# Linked into both programs: icon, manifest and version. Removed again, as it
# concerns nobody who builds for himself.
trap 'rm -f rsrc_windows_*.syso backend/cmd/haoked/rsrc_windows_*.syso' EXIT
sed "s/0\.1\.0\.0/$VERSION.0/g;s,../../build/windows,../../windows," installers/windows/winres.json > build/tmp/windows/winres.json
GOOS='' go run github.com/tc-hib/go-winres@v0.3.3 make --in build/tmp/windows/winres.json --arch amd64,arm64 --out rsrc
cp rsrc_windows_*.syso backend/cmd/haoked/
for arch in ${WINDOWS_ARCHS:-amd64 arm64}; do
  stage=build/tmp/windows/$arch
  mkdir -p "$stage"
  GOARCH=$arch go build -tags desktop,production -ldflags "$LDFLAGS -H windowsgui" -o "$stage/haoke.exe" .
  GOARCH=$arch go build -ldflags "$LDFLAGS" -o "$stage/haoked.exe" ./backend/cmd/haoked
  installers/licences.sh > "$stage/THIRD-PARTY.txt"
  installers/windows/sign.sh "$stage/haoke.exe"
  installers/windows/sign.sh "$stage/haoked.exe"
  out=$PWD/build/dist/haoke-$VERSION-windows-$arch-setup.exe
  sign=(); [ -z "${HAOKE_SIGN_CERT:-}" ] || sign=(-DSIGN)
  makensis -V2 -INPUTCHARSET UTF8 -DROOT="$PWD" -DVERSION="$VERSION" -DARCH="$arch" -DSTAGE="$PWD/$stage" -DOUTFILE="$out" "${sign[@]}" installers/windows/haoke.nsi
  echo "windows: $arch: $(basename "$out") ($(stat -c %s "$out") bytes)"
done
