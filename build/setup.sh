#!/usr/bin/env bash
# Installs what is missing for building (with "test" also for testing, with
# "installers" also for making and trying installers) on Debian and its relatives. What is there already is left alone; without root
# or sudo the missing packages are named and the work goes on with what there is.
set -euo pipefail
cd "$(dirname "$0")/.."

build_pkgs=(gcc libc6-dev pkg-config libgtk-3-dev libwebkit2gtk-4.1-dev)
test_pkgs=(chromium firefox-esr xvfb xauth dbus dbus-x11 xdotool imagemagick fonts-noto-cjk
           fonts-noto-color-emoji clickhouse-server clickhouse-client
           squashfs-tools openbox dunst xfce4-panel xfconf libglib2.0-bin adwaita-icon-theme
           nsis rpm shellcheck desktop-file-utils appstream mandoc yamllint python3 systemd)
# makensis, osslsigncode: Windows; rpm, debootstrap: clean roots; wine, mingw: to
# try the Windows programs; buildah, podman, runc: the container image.
installer_pkgs=(nsis osslsigncode openssl rpm debootstrap systemd-container squashfs-tools wine wine64 gcc-mingw-w64-x86-64-win32
                gcc-aarch64-linux-gnu qemu-user-static shellcheck desktop-file-utils appstream mandoc
                buildah podman runc uidmap docker-compose yamllint python3 cpio xz-utils xvfb imagemagick xdotool
                fonts-noto-cjk bash fish zsh)

say() { printf 'setup: %s\n' "$*"; }

need=()
pkgs=("${build_pkgs[@]}")
case "${1:-}" in
  test) pkgs+=("${test_pkgs[@]}") ;;
  installers) pkgs+=("${installer_pkgs[@]}") ;;
esac
if command -v dpkg-query >/dev/null; then
  have=$(dpkg-query -W -f='${Package} ${db:Status-Abbrev}\n' 2>/dev/null | awk '$2=="ii"{print $1}')
  for p in "${pkgs[@]}"; do grep -qx "$p" <<<"$have" || need+=("$p"); done
else
  say "this is not Debian: install by hand what corresponds to ${pkgs[*]}"
fi

if [ ${#need[@]} -gt 0 ]; then
  sudo=""
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo="sudo"; else sudo="none"; fi
  fi
  if [ "$sudo" = none ]; then
    say "missing: ${need[*]}"
    say "no root here; install them with: apt-get install ${need[*]}"
  else
    say "installing ${need[*]}"
    export DEBIAN_FRONTEND=noninteractive
    $sudo apt-get update -qq
    # Another release may not have every tool of the installers: each script
    # says what it misses, so what is unknown here is named and left out.
    if [ "${1:-}" = installers ]; then
      known=()
      for p in "${need[@]}"; do
        if [ -n "$(apt-cache madison "$p" 2>/dev/null)" ]; then known+=("$p"); else say "no package $p here; going on without it"; fi
      done
      need=("${known[@]}")
    fi
    # The database package asks for nothing and starts nothing here.
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${need[@]}" >/tmp/haoke-apt.log 2>&1 \
      || { tail -20 /tmp/haoke-apt.log; say "apt-get failed; see /tmp/haoke-apt.log"; exit 1; }
  fi
fi
command -v go >/dev/null || { say "Go is missing: https://go.dev/dl/ (1.26 or newer)"; exit 1; }
command -v node >/dev/null || { say "Node.js is missing: 20.19 or newer"; exit 1; }
