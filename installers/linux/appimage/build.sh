#!/usr/bin/env bash
# Builds the AppImage of a processor from the built programs:
#   build.sh ARCH STAGE OUT    haoke, haoked and share/ lie in STAGE
# APPIMAGE_LEVEL packs less well and sooner, for tests.
# The image is SquashFS (squashfs-tools), the first part our own runtime, for
# which the system needs nothing: installers/linux/appimage/runtime. The same
# sources make the same bytes.
set -euo pipefail
cd "$(dirname "$0")/../../.."
. installers/env.sh
arch=$1 stage=$2 out=$3
command -v mksquashfs > /dev/null || { echo "appimage: no mksquashfs (package squashfs-tools; make setup-installers)"; exit 1; }
case $arch in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; *) echo "appimage: $arch is no processor that is built for"; exit 1 ;; esac
dir=$stage/AppDir
rm -rf "$dir"
mkdir -p "$dir/usr/bin" "$dir/usr/share/applications" "$dir/usr/share/metainfo" "$dir/usr/share/doc/haoke"
cp installers/linux/appimage/AppRun "$dir/AppRun"
cp "$stage/haoke" "$stage/haoked" "$dir/usr/bin/"
cp installers/linux/haoke.desktop "$dir/"
echo "X-AppImage-Version=$VERSION" >> "$dir/haoke.desktop"
cp "$dir/haoke.desktop" "$dir/usr/share/applications/"
cp installers/linux/icons/256.png "$dir/haoke.png"
ln -s haoke.png "$dir/.DirIcon"
for icon in installers/linux/icons/*.png; do
  s=$(basename "$icon" .png)
  mkdir -p "$dir/usr/share/icons/hicolor/${s}x$s/apps"
  cp "$icon" "$dir/usr/share/icons/hicolor/${s}x$s/apps/haoke.png"
done
# the form's tools look for the old name, those of AppStream for either
cp "$stage/share/io.haoke.Haoke.metainfo.xml" "$dir/usr/share/metainfo/"
ln -s io.haoke.Haoke.metainfo.xml "$dir/usr/share/metainfo/haoke.appdata.xml"
cp LICENSE "$stage/share/THIRD-PARTY.txt" "$dir/usr/share/doc/haoke/"
chmod -R u=rwX,go=rX "$dir"
chmod 755 "$dir/AppRun" "$dir"/usr/bin/*
rm -f "$stage/image.squashfs"
# its own variable and these options exclude each other
env -u SOURCE_DATE_EPOCH mksquashfs "$dir" "$stage/image.squashfs" -noappend -quiet -no-progress -all-root -no-xattrs -no-exports -no-fragments \
  -comp zstd -Xcompression-level "${APPIMAGE_LEVEL:-19}" -b 1M -mkfs-time "$SOURCE_DATE_EPOCH" -all-time "$SOURCE_DATE_EPOCH" -root-mode 755 > "$stage/mksquashfs.log" 2>&1 || { cat "$stage/mksquashfs.log"; exit 1; }
sum=$(sha256sum "$stage/image.squashfs" | cut -d' ' -f1)
CGO_ENABLED=0 GOOS=linux GOARCH=$arch go build -ldflags "-s -w -buildid= -X main.digest=$sum" -o "$stage/appimage-runtime" ./installers/linux/appimage/runtime
name=haoke-$VERSION-$machine.AppImage
GOOS='' GOARCH='' CGO_ENABLED=0 go run ./installers/linux/appimage/pack "$stage/appimage-runtime" "$stage/image.squashfs" "$out/$name"
chmod 755 "$out/$name"
rm -rf "$dir" "$stage/image.squashfs"
echo "linux: $name: $(stat -c %s "$out/$name") bytes"
