#!/usr/bin/env bash
# Builds build/dist/*.deb, *.rpm and *.tar.gz. The daemon is built for amd64 and
# arm64; the window, which links the system's WebKit, for this machine's
# processor and for the other one when a cross compiler with its libraries is
# given in CC_ARM64 (and PKG_CONFIG_PATH).
set -euo pipefail
cd "$(dirname "$0")/../.."
export GOFLAGS="-buildvcs=false -trimpath"
VERSION=$(cat build/VERSION)
COMMIT=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
# One time for everything inside: the commit's, so that the same sources make
# the same packages.
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)}"
LDFLAGS="-s -w -buildid= -X haoke/backend.Version=$VERSION -X haoke/backend.Commit=$COMMIT"
LDFLAGS+="${UPDATE_KEYS:+ -X haoke/backend.UpdateKeys=$UPDATE_KEYS}${UPDATE_ADDRESS:+ -X haoke/backend.UpdateAddress=$UPDATE_ADDRESS}"
NFPM=(go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2)
DIST=build/dist
STAGE=build/tmp/linux
mkdir -p $DIST $STAGE/share
host=$(go env GOHOSTARCH)
PKG_VERSION=$VERSION
PKG_MTIME=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)

installers/licences.sh > $STAGE/share/THIRD-PARTY.txt
sed "s/@VERSION@/$VERSION/;s/@DATE@/${PKG_MTIME%%T*}/" installers/linux/io.haoke.Haoke.metainfo.xml > $STAGE/share/io.haoke.Haoke.metainfo.xml

pack() { # name of the nfpm file
  local kind
  sed "s,\${PKG_ARCH},$PKG_ARCH,;s,\${PKG_VERSION},$PKG_VERSION,;s,\${PKG_STAGE},$PKG_STAGE," "installers/linux/nfpm-$1.yaml" > "$PKG_STAGE/nfpm.yaml"
  for kind in deb rpm; do
    "${NFPM[@]}" package -f "$PKG_STAGE/nfpm.yaml" -p $kind -t $DIST/ > "$PKG_STAGE/nfpm.log" 2>&1 || { cat "$PKG_STAGE/nfpm.log"; exit 1; }
  done
  echo "linux: $1 $PKG_ARCH: deb, rpm"
}

for PKG_ARCH in "$host" $([ "$host" = amd64 ] && echo arm64 || echo amd64); do
  PKG_STAGE=$STAGE/$PKG_ARCH
  mkdir -p "$PKG_STAGE/share"
  CGO_ENABLED=0 GOARCH=$PKG_ARCH go build -ldflags "$LDFLAGS" -o "$PKG_STAGE/haoked" ./backend/cmd/haoked
  if [ "$PKG_ARCH" = "$host" ]; then # what the program writes about itself needs it to run
    "$PKG_STAGE/haoked" man | gzip -9n > $STAGE/share/haoked.1.gz
    "$PKG_STAGE/haoked" completion bash > $STAGE/share/haoked.bash
    "$PKG_STAGE/haoked" completion zsh > $STAGE/share/_haoked
    "$PKG_STAGE/haoked" completion fish > $STAGE/share/haoked.fish
  fi
  cp $STAGE/share/* "$PKG_STAGE/share/"
  pack haoked
  if [ "$PKG_ARCH" = "$host" ]; then
    CGO_ENABLED=1 go build -tags webkit2_41,desktop,production -ldflags "$LDFLAGS" -o "$PKG_STAGE/haoke" .
    pack haoke
  elif [ "$PKG_ARCH" = arm64 ] && [ -n "${CC_ARM64:-}" ]; then
    CC=$CC_ARM64 CGO_ENABLED=1 GOARCH=arm64 go build -tags webkit2_41,desktop,production -ldflags "$LDFLAGS" -o "$PKG_STAGE/haoke" .
    pack haoke
  else
    echo "linux: haoke (the window) for $PKG_ARCH: not built here; it links GTK and WebKit of that processor. Run make linux on such a machine, or give CC_ARM64."
  fi
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --mode=u+rwX,go+rX -C "$PKG_STAGE" --transform "s,^\./,haoked-$VERSION/," -cf - ./haoked ./share \
    | gzip -9n > "$DIST/haoked-$VERSION-linux-$PKG_ARCH.tar.gz"
  echo "linux: haoked $PKG_ARCH: tar.gz"
done
