#!/usr/bin/env bash
# Builds the container image of the daemon and build/dist/haoked-VERSION-docker-ARCH.tar,
# to be loaded by "docker load". Takes the engine that is here: docker, podman or
# buildah. "build.sh stage" only puts together what goes in, for an engine elsewhere.
set -euo pipefail
cd "$(dirname "$0")/../.."
. installers/env.sh
DIST=${DIST:-build/dist} STAGE=build/tmp/docker
certs=/etc/ssl/certs/ca-certificates.crt
[ -s $certs ] || { echo "docker: $certs is missing: apt-get install ca-certificates"; exit 1; }
mkdir -p "$DIST"

stage() { # arch
  local root=$STAGE/$1/root
  rm -rf "${STAGE:?}/$1"; mkdir -p "$root/etc/ssl/certs" "$root/tmp" "$STAGE/$1/data"
  CGO_ENABLED=0 GOOS=linux GOARCH=$1 go build -ldflags "$LDFLAGS" -o "$root/haoked" ./backend/cmd/haoked
  cp LICENSE "$root/LICENSE"
  installers/licences.sh > "$root/THIRD-PARTY.txt"
  cp "$(realpath $certs)" "$root$certs"
  chmod -R go-w,a+rX "$root" && chmod 1777 "$root/tmp" && chmod 0700 "$STAGE/$1/data"
  find "$STAGE/$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

settle() { # archive: the same bytes for the same contents
  local dir=$STAGE/archive
  rm -rf "$dir"; mkdir -p "$dir"
  tar -C "$dir" -xf "$1" && chmod -R u+w "$dir"
  node installers/docker/settle.mjs "$dir" "haoke:$VERSION"
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --mode=u+rwX,go+rX,go-w --format=ustar -C "$dir" --transform 's,^\./,,' --exclude=./. -cf "$1" .
  rm -rf "$dir"
}

for arch in ${DOCKER_ARCHS:-amd64 arm64}; do
  stage "$arch"
  [ "${1:-}" != stage ] || { echo "docker: $arch: $STAGE/$arch"; continue; }
  name=haoke:$VERSION out=$DIST/haoked-$VERSION-docker-$arch.tar
  rm -f "$out"
  if command -v buildah >/dev/null; then
    # without a daemon, without root's storage, in places without the kernel's
    # overlay: the image has no step that runs anything
    store=(--storage-driver vfs --root "$PWD/build/.cache/images" --runroot "$PWD/build/.cache/images-run")
    buildah "${store[@]}" bud --quiet --isolation chroot --format docker --platform "linux/$arch" --build-arg TARGETARCH="$arch" --timestamp "$SOURCE_DATE_EPOCH" \
      --ignorefile installers/docker/Dockerfile.dockerignore -f installers/docker/Dockerfile -t "$name-$arch" . > "$STAGE/$arch.log" 2>&1 || { cat "$STAGE/$arch.log"; exit 1; }
    buildah "${store[@]}" push -q "$name-$arch" "docker-archive:$out:haoke:$VERSION"
  elif command -v docker >/dev/null && docker info >/dev/null 2>&1; then
    DOCKER_BUILDKIT=1 docker build -q --platform "linux/$arch" --build-arg TARGETARCH="$arch" -f installers/docker/Dockerfile -t "$name" .
    docker save -o "$out" "$name"
  else
    echo "docker: $arch: no engine here (docker, or make setup-installers for buildah); $STAGE/$arch is ready for one"
    continue
  fi
  settle "$out"
  echo "docker: $arch: $(basename "$out") ($(stat -c %s "$out") bytes)"
done
