# pack KIND ARCH STAGE OUT FORMAT...: the packages of the daemon (haoked) or
# the window (haoke) from what lies in STAGE: the programs, and in STAGE/share
# what goes with them. Sourced after env.sh; VERSION and SOURCE_DATE_EPOCH shape it.
# shellcheck shell=bash
NFPM_VERSION=v2.45.2

pack() {
  local kind=$1 arch=$2 stage=$3 out=$4 mtime format
  shift 4
  mtime=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
  sed "s/@VERSION@/$VERSION/" installers/linux/haoked.preinst > "$stage/haoked.preinst"
  sed "s,\${PKG_ARCH},$arch,;s,\${PKG_VERSION},$VERSION,;s,\${PKG_MTIME},$mtime,;s,\${PKG_STAGE},$stage," "installers/linux/nfpm-$kind.yaml" > "$stage/nfpm.yaml"
  for format in "$@"; do
    go run "github.com/goreleaser/nfpm/v2/cmd/nfpm@$NFPM_VERSION" package -f "$stage/nfpm.yaml" -p "$format" -t "$out/" > "$stage/nfpm.log" 2>&1 || { cat "$stage/nfpm.log"; return 1; }
  done
}

# share STAGE PROGRAM: what goes with the programs, made or written by the
# daemon itself.
share() {
  mkdir -p "$1" &&
    installers/licences.sh > "$1/THIRD-PARTY.txt" &&
    sed "s/@VERSION@/$VERSION/;s/@DATE@/$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%d)/" installers/linux/io.haoke.Haoke.metainfo.xml > "$1/io.haoke.Haoke.metainfo.xml" &&
    "$2" man | gzip -9n > "$1/haoked.1.gz" &&
    "$2" completion bash > "$1/haoked.bash" && "$2" completion zsh > "$1/_haoked" && "$2" completion fish > "$1/haoked.fish"
}
