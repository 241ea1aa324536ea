# What every build script needs: version, commit, one time for everything
# inside (the commit's, so that the same sources make the same files), and what
# the linker writes into the programs. Sourced from the repository's root.
# shellcheck shell=bash disable=SC2034
export GOFLAGS="-buildvcs=false -trimpath"
VERSION=${HAOKE_VERSION:-$(cat build/VERSION)}
COMMIT=${HAOKE_COMMIT:-$(git rev-parse --short HEAD 2>/dev/null || echo unknown)}
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)}"
export TZ=UTC LC_ALL=C.UTF-8
umask 022
LDFLAGS="-s -w -buildid= -X haoke/backend.Version=$VERSION -X haoke/backend.Commit=$COMMIT"
[ -z "${UPDATE_KEYS:-}" ] || LDFLAGS+=" -X haoke/backend.UpdateKeys=$UPDATE_KEYS"
[ -z "${UPDATE_ADDRESS:-}" ] || LDFLAGS+=" -X haoke/backend.UpdateAddress=$UPDATE_ADDRESS"

# tarball FILE NAME FOLDER...: a tar.gz of the folder's contents under NAME/,
# the same bytes for the same contents.
tarball() {
  local file=$1 name=$2 dir=$3
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --mode=u+rwX,go+rX,go-w \
    -C "$dir" --transform "s,^\./,$name/," --exclude=./. -cf - . | gzip -9n > "$file"
}
