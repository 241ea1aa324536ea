#!/usr/bin/env bash
# Makes build/.cache/sysroot-ARCH, the libraries of another processor that the
# window links (GTK, WebKit, the C library), from Debian's packages. They are
# unpacked, nothing of them runs and nothing of this machine changes.
set -euo pipefail
cd "$(dirname "$0")/../.."
arch=$1
root=build/.cache/sysroot-$arch
[ ! -f "$root/.complete" ] || exit 0
for tool in debootstrap dpkg-deb; do
  command -v $tool >/dev/null || { echo "linux: $tool is missing: make setup-installers"; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "linux: debootstrap needs root"; exit 1; }
rm -rf "$root"; mkdir -p "$root"
debootstrap --foreign --variant=minbase --arch="$arch" --include=libgtk-3-dev,libwebkit2gtk-4.1-dev,libsysprof-4-dev,libc6-dev,libgcc-12-dev,libstdc++-12-dev \
  bookworm "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" > "$root.log" 2>&1 || { tail -5 "$root.log"; exit 1; }
for deb in "$root"/var/cache/apt/archives/*.deb; do dpkg-deb -x "$deb" "$root"; done
rm -rf "$root/var/cache/apt/archives" "$root/debootstrap"
# links to absolute paths would lead to this machine's files
find "$root" -type l -lname '/*' -print0 | while IFS= read -r -d '' link; do
  to=$(readlink "$link")
  ln -sfn "$(realpath -m --relative-to="$(dirname "$link")" "$root$to")" "$link"
done
touch "$root/.complete"
echo "linux: libraries for $arch: $(du -sm "$root" | cut -f1) MB in $root"
