#!/usr/bin/env bash
# The daemon for macOS is built anywhere. The app needs Apple's compiler and
# tools: on a Mac this makes Haoke.app (universal) and the dmg, signed when
# HAOKE_SIGN_ID is given; elsewhere it says so and checks what can be checked.
set -euo pipefail
cd "$(dirname "$0")/../.."
export GOFLAGS="-buildvcs=false -trimpath"
VERSION=$(cat build/VERSION)
COMMIT=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
LDFLAGS="-s -w -buildid= -X haoke/backend.Version=$VERSION -X haoke/backend.Commit=$COMMIT"
LDFLAGS+="${UPDATE_KEYS:+ -X haoke/backend.UpdateKeys=$UPDATE_KEYS}${UPDATE_ADDRESS:+ -X haoke/backend.UpdateAddress=$UPDATE_ADDRESS}"
stage=build/tmp/darwin
mkdir -p build/dist $stage
for arch in arm64 amd64; do
  mkdir -p $stage/$arch
  CGO_ENABLED=0 GOOS=darwin GOARCH=$arch go build -ldflags "$LDFLAGS" -o $stage/$arch/haoked ./backend/cmd/haoked
  cp LICENSE installers/darwin/haoke.haoked.plist $stage/$arch/
  tar -C $stage/$arch -czf "build/dist/haoked-$VERSION-darwin-$arch.tar.gz" haoked LICENSE haoke.haoked.plist
  echo "mac: haoked $arch: tar.gz"
done
if [ "$(uname)" != Darwin ]; then
  for f in installers/darwin/*.plist; do
    python3 -c 'import plistlib,sys; plistlib.load(open(sys.argv[1],"rb"))' "$f" && echo "mac: $f is well-formed"
  done
  bash -n installers/darwin/notarise.sh && echo "mac: notarise.sh parses"
  echo "mac: Haoke.app and the dmg were not built: the window links Cocoa and WebKit, which only a Mac with Xcode's tools has. Run make mac there."
  exit 0
fi
app=$stage/Haoke.app/Contents
rm -rf $stage/Haoke.app; mkdir -p $app/MacOS $app/Resources
for arch in arm64 amd64; do
  CGO_ENABLED=1 GOARCH=$arch CGO_LDFLAGS="-framework UniformTypeIdentifiers" go build -tags desktop,production -ldflags "$LDFLAGS" -o $stage/$arch/haoke .
done
lipo -create -output $app/MacOS/haoke $stage/arm64/haoke $stage/amd64/haoke
sed "s/@VERSION@/$VERSION/g" installers/darwin/Info.plist > $app/Info.plist
cp installers/darwin/haoke.icns $app/Resources/
if [ -n "${HAOKE_SIGN_ID:-}" ]; then
  codesign --force --options runtime --timestamp --entitlements installers/darwin/entitlements.plist --sign "$HAOKE_SIGN_ID" $stage/Haoke.app
fi
rm -rf $stage/dmg; mkdir $stage/dmg
cp -R $stage/Haoke.app $stage/dmg/; ln -s /Applications $stage/dmg/Applications
hdiutil create -volname Haoke -srcfolder $stage/dmg -ov -format UDZO "build/dist/Haoke-$VERSION.dmg"
installers/darwin/notarise.sh "build/dist/Haoke-$VERSION.dmg"
