#!/usr/bin/env bash
# The daemon for macOS is built anywhere. The app needs Apple's compiler and
# tools: on a Mac this makes Haoke.app (universal) and the dmg, signed when
# HAOKE_SIGN_ID is given; elsewhere it says so and checks what can be checked.
set -euo pipefail
cd "$(dirname "$0")/../.."
. installers/env.sh
DIST=${DIST:-build/dist} STAGE=${STAGE:-build/tmp/darwin}
mkdir -p "$DIST" "$STAGE"
installers/licences.sh > "$STAGE/THIRD-PARTY.txt"
for arch in arm64 amd64; do
  rm -rf "${STAGE:?}/$arch"; mkdir -p "$STAGE/$arch"
  # The linker signs the ARM program for this machine's own use ("ad hoc"),
  # without which macOS does not start it.
  CGO_ENABLED=0 GOOS=darwin GOARCH=$arch go build -ldflags "$LDFLAGS" -o "$STAGE/$arch/haoked" ./backend/cmd/haoked
  cp LICENSE "$STAGE/THIRD-PARTY.txt" installers/darwin/haoke.haoked.plist installers/darwin/install.sh "$STAGE/$arch/"
  tarball "$DIST/haoked-$VERSION-darwin-$arch.tar.gz" "haoked-$VERSION" "$STAGE/$arch"
  echo "mac: haoked $arch: tar.gz"
done
if [ "$(uname)" != Darwin ]; then
  for f in installers/darwin/*.plist; do
    python3 -c 'import plistlib,sys; plistlib.load(open(sys.argv[1],"rb"))' "$f" && echo "mac: $f is well-formed"
  done
  for f in installers/darwin/*.sh; do
    bash -n "$f" && echo "mac: $f parses"
  done
  echo "mac: Haoke.app and the dmg were not built: the window links Cocoa and WebKit, which only a Mac with Xcode's tools has. Run make mac there."
  exit 0
fi
app=$STAGE/Haoke.app/Contents
rm -rf "$STAGE/Haoke.app"; mkdir -p "$app/MacOS" "$app/Resources"
for arch in arm64 amd64; do
  CGO_ENABLED=1 GOARCH=$arch CGO_LDFLAGS="-framework UniformTypeIdentifiers" go build -tags desktop,production -ldflags "$LDFLAGS" -o "$STAGE/$arch/haoke" .
done
lipo -create -output "$app/MacOS/haoke" "$STAGE/arm64/haoke" "$STAGE/amd64/haoke"
lipo -create -output "$app/MacOS/haoked" "$STAGE/arm64/haoked" "$STAGE/amd64/haoked"
sed "s/@VERSION@/$VERSION/g" installers/darwin/Info.plist > "$app/Info.plist"
cp installers/darwin/haoke.icns "$STAGE/THIRD-PARTY.txt" LICENSE "$app/Resources/"
if [ -n "${HAOKE_SIGN_ID:-}" ]; then
  for part in "$app/MacOS/haoked" "$STAGE/Haoke.app"; do
    codesign --force --options runtime --timestamp --entitlements installers/darwin/entitlements.plist --sign "$HAOKE_SIGN_ID" "$part"
  done
  codesign --verify --deep --strict "$STAGE/Haoke.app"
else
  codesign --force --deep --sign - "$STAGE/Haoke.app"
  echo "mac: no HAOKE_SIGN_ID; the app is signed for this machine alone"
fi
rm -rf "$STAGE/dmg"; mkdir "$STAGE/dmg"
cp -R "$STAGE/Haoke.app" "$STAGE/dmg/"; ln -s /Applications "$STAGE/dmg/Applications"
hdiutil create -volname Haoke -srcfolder "$STAGE/dmg" -ov -format UDZO "$DIST/haoke-$VERSION-universal.dmg"
installers/darwin/notarise.sh "$DIST/haoke-$VERSION-universal.dmg"
