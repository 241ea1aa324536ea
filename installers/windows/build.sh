#!/usr/bin/env bash
# Cross-builds build/dist/haoke-VERSION-windows-ARCH-setup.exe from Linux,
# without a C compiler for Windows. By the environment:
#   WINDOWS_ARCHS             default "amd64 arm64"
#   HAOKE_SIGN_*              signs programs, installer and uninstaller: sign.sh
#   HAOKE_WEBVIEW2_AMD64/_ARM64  Microsoft's offline runtime installer, to make
#                             ...-setup-offline.exe as well, for machines
#                             without the internet (about 180 MB more)
#   HAOKE_VERSION, NEED, COMPRESSOR  for the tests
set -euo pipefail
cd "$(dirname "$0")/../.."
. installers/env.sh
export CGO_ENABLED=0 GOOS=windows
command -v makensis >/dev/null || { echo "windows: makensis is missing: make setup-installers"; exit 1; }
DIST=${DIST:-build/dist} STAGE=${STAGE:-build/tmp/windows}
mkdir -p "$DIST" "$STAGE"

# Microsoft's own small downloader of WebView2 comes with the Wails module, so
# go.sum pins it; its signature is looked at as well where that is possible.
webview=$(GOOS='' go list -m -f '{{.Dir}}' github.com/wailsapp/wails/v2)/internal/webview2runtime/MicrosoftEdgeWebview2Setup.exe
[ -s "$webview" ] || { echo "windows: the WebView2 downloader is not where the Wails module had it: $webview"; exit 1; }

microsoft() { # is this file signed by Microsoft, unchanged?
  command -v osslsigncode >/dev/null || return 0
  local said; said=$(osslsigncode verify -in "$1" 2>&1 || true)
  if ! grep -q 'O=Microsoft Corporation' <<<"$said" || grep -qi 'MISMATCH' <<<"$said"; then
    echo "windows: $1 is not what Microsoft signed"; exit 1
  fi
}
microsoft "$webview"

# Linked into both programs: icon, manifest and version. Removed again, as it
# concerns nobody who builds for himself.
trap 'rm -f rsrc_windows_*.syso backend/cmd/haoked/rsrc_windows_*.syso' EXIT
resources() { # file description, output
  sed "s/0\.1\.0\.0/$VERSION.0/g;s/@DESCRIPTION@/$1/" installers/windows/winres.json > build/windows/winres.tmp.json
  (cd build/windows && GOOS='' go run github.com/tc-hib/go-winres@v0.3.3 make --in winres.tmp.json --arch amd64,arm64 --out "../../$2")
  rm build/windows/winres.tmp.json
}
resources Haoke rsrc
resources "Haoke server" backend/cmd/haoked/rsrc
installers/licences.sh > "$STAGE/THIRD-PARTY.txt"

pack() { # arch, stage, WebView2 installer inside, output
  local stub=amd64-unicode sign=() more=()
  [ "$1" = amd64 ] || stub=x86-unicode # Windows 10 on ARM runs programs for x86, not for x64
  [ -z "${HAOKE_SIGN_CERT:-}" ] || sign=(-DSIGN)
  [ -z "${NEED:-}" ] || more+=("-DNEED=$NEED")
  [ -z "${COMPRESSOR:-}" ] || more+=("-DCOMPRESSOR=$COMPRESSOR")
  makensis -V2 -INPUTCHARSET UTF8 -DROOT="$PWD" -DVERSION="$VERSION" -DARCH="$1" -DSTUB=$stub -DSTAGE="$2" -DWEBVIEW="$3" -DOUTFILE="$4" \
    ${sign[@]+"${sign[@]}"} ${more[@]+"${more[@]}"} installers/windows/haoke.nsi
  echo "windows: $1: $(basename "$4") ($(stat -c %s "$4") bytes)"
}

for arch in ${WINDOWS_ARCHS:-amd64 arm64}; do
  stage=$(realpath -m "$STAGE/$arch")
  mkdir -p "$stage"
  GOARCH=$arch go build -tags desktop,production -ldflags "$LDFLAGS -H windowsgui" -o "$stage/haoke.exe" .
  GOARCH=$arch go build -ldflags "$LDFLAGS" -o "$stage/haoked.exe" ./backend/cmd/haoked
  cp "$STAGE/THIRD-PARTY.txt" "$stage/THIRD-PARTY.txt"
  cp LICENSE "$stage/LICENSE.txt"
  installers/windows/sign.sh "$stage/haoke.exe"
  installers/windows/sign.sh "$stage/haoked.exe"
  cp "$webview" "$stage/webview2.exe"
  chmod 0644 "$stage"/* && touch -d "@$SOURCE_DATE_EPOCH" "$stage"/*
  pack "$arch" "$stage" "$stage/webview2.exe" "$(realpath -m "$DIST/haoke-$VERSION-windows-$arch-setup.exe")"
  offline=HAOKE_WEBVIEW2_${arch^^}
  if [ -n "${!offline:-}" ]; then
    microsoft "${!offline}"
    NEED=700 pack "$arch" "$stage" "$(realpath "${!offline}")" "$(realpath -m "$DIST/haoke-$VERSION-windows-$arch-setup-offline.exe")"
  fi
done
