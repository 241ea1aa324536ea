#!/usr/bin/env bash
# Builds build/dist/*.deb, *.rpm, *.tar.gz and *.AppImage of daemon and window for amd64 and
# arm64. The window links the system's WebKit: for the other processor a cross
# compiler and its libraries are needed, which sysroot.sh fetches from Debian
# (NO_CROSS=1 leaves that window out).
set -euo pipefail
cd "$(dirname "$0")/../.."
. installers/env.sh
. installers/linux/pack.sh
DIST=${DIST:-build/dist} STAGE=${STAGE:-build/tmp/linux}
mkdir -p "$DIST" "$STAGE/share"
host=$(go env GOHOSTARCH)

window() { # builds $dir/haoke; fails when there is no compiler for it
  local cc=(env)
  if [ "$arch" != "$host" ]; then
    local triple=aarch64-linux-gnu root
    [ "$arch" = arm64 ] || triple=x86_64-linux-gnu
    command -v $triple-gcc >/dev/null && [ -z "${NO_CROSS:-}" ] && installers/linux/sysroot.sh "$arch" || return 1
    # by a name that is the same everywhere: cgo names its symbols after the flags
    root=/tmp/haoke-sysroot-$arch
    ln -sfn "$(realpath "build/.cache/sysroot-$arch")" "$root"
    cc=(env GOARCH="$arch" CC="$triple-gcc --sysroot=$root -Wl,-rpath-link,$root/usr/lib/$triple" PKG_CONFIG_SYSROOT_DIR="$root"
        PKG_CONFIG_LIBDIR="$root/usr/lib/$triple/pkgconfig:$root/usr/share/pkgconfig")
  fi
  # no path in the flags, and none of debug data: the same bytes from any folder
  CGO_ENABLED=1 CGO_CFLAGS="-O2 -g0" "${cc[@]}" \
    go build -tags webkit2_41,desktop,production -ldflags "$LDFLAGS -linkmode external -extldflags=-Wl,--build-id=none" -o "$dir/haoke" .
}

for arch in "$host" $([ "$host" = amd64 ] && echo arm64 || echo amd64); do
  dir=$STAGE/$arch
  rm -rf "$dir"; mkdir -p "$dir/share"
  CGO_ENABLED=0 GOARCH=$arch go build -ldflags "$LDFLAGS" -o "$dir/haoked" ./backend/cmd/haoked
  [ "$arch" != "$host" ] || share "$STAGE/share" "$dir/haoked" # it has to run for that
  cp "$STAGE"/share/* "$dir/share/"
  pack haoked "$arch" "$dir" "$DIST" deb rpm
  echo "linux: haoked $arch: deb, rpm"
  cp LICENSE installers/linux/haoked.service "$dir/share/"
  mkdir -p "$dir/tar" && cp -r "$dir/haoked" "$dir/share" "$dir/tar/"
  tarball "$DIST/haoked-$VERSION-linux-$arch.tar.gz" "haoked-$VERSION" "$dir/tar"
  echo "linux: haoked $arch: tar.gz"
  if window; then
    pack haoke "$arch" "$dir" "$DIST" deb rpm
    echo "linux: haoke $arch: deb, rpm"
    rm -rf "$dir/tar"; mkdir -p "$dir/tar/icons" && cp "$dir/haoke" LICENSE "$dir/share/THIRD-PARTY.txt" installers/linux/haoke.desktop installers/linux/install.sh "$dir/tar/"
    cp installers/linux/icons/*.png "$dir/tar/icons/"
    tarball "$DIST/haoke-$VERSION-linux-$arch.tar.gz" "haoke-$VERSION" "$dir/tar"
    echo "linux: haoke $arch: tar.gz"
    installers/linux/appimage/build.sh "$arch" "$dir" "$DIST"
  else
    echo "linux: haoke (the window) for $arch: not built; it links GTK and WebKit of that processor, for which there is no compiler here (make setup-installers)"
  fi
done
