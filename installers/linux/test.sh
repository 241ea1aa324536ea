#!/usr/bin/env bash
# Tries the Linux packages: deb and rpm in clean roots, the other processor's
# programs under an emulator, the window under a virtual display. Sourced by
# ../test.sh, whose ok, bad, check, skip, ask and WORK it uses.
# shellcheck shell=bash
. installers/linux/appimage/test.sh

# A root with nothing in it but Debian's smallest; copied for each trial.
clean_root() {
  if ! have debootstrap || [ "$(id -u)" != 0 ]; then return 1; fi
  [ -f "$WORK/base/.complete" ] || { rm -rf "$WORK/base"; debootstrap --variant=minbase bookworm "$WORK/base" > "$WORK/debootstrap.log" 2>&1 && touch "$WORK/base/.complete"; } || return 1
  rm -rf "$1" && cp -a --reflink=auto "$WORK/base" "$1"
}
as_haoke() { chroot "$1" su -s /bin/sh haoke -c "$2"; }
file_of() { compgen -G "$1" | head -1; }

# Starts the daemon in a root as its own account, with what systemd would give
# it: sets URL and pid.
serve_root() {
  local root=$1
  chroot "$root" sh -c 'mkdir -p /var/lib/haoke && chown haoke:haoke /var/lib/haoke && chmod 0700 /var/lib/haoke && rm -f /tmp/ready /tmp/log'
  chroot "$root" su -s /bin/sh haoke -c 'exec haoked serve --data /var/lib/haoke --public 127.0.0.1:0 --admin 127.0.0.1:0 > /tmp/ready 2> /tmp/log' &
  for _ in $(seq 300); do grep -qs ready "$root/tmp/ready" && break; sleep 0.1; done
  URL=$(sed -n 's/.*public=\([^ ]*\).*/\1/p' "$root/tmp/ready")
  [ -n "$URL" ] || { cat "$root/tmp/log"; return 1; }
}
# Ends it: the pid is the one that holds the data folder.
end_root() {
  local signal=$1 root=$2 pid
  pid=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).pid' "$root/var/lib/haoke/runtime.json") && kill "-$signal" "$pid"
  for _ in $(seq 200); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
  return 1
}
remains() { # what a package left in a root, compared with the base
  (cd "$1" && find . -xdev \( -path ./proc -o -path ./var/log -o -path ./var/cache -o -path ./tmp -o -path ./root -o -path './var/lib/dpkg' -o -path './var/lib/rpm' -o -path './usr/lib/sysimage' \) -prune -o -type f -print | LC_ALL=C sort)
}

# An older version of the daemon, to upgrade from.
older() {
  rm -rf "$WORK/older"; mkdir -p "$WORK/older/share"
  cp build/tmp/linux/amd64/share/* "$WORK/older/share/"
  HAOKE_VERSION=0.0.9 bash -ec '. installers/env.sh; . installers/linux/pack.sh
    CGO_ENABLED=0 go build -ldflags "$LDFLAGS" -o "$0/haoked" ./backend/cmd/haoked
    pack haoked amd64 "$0" "$0" deb rpm' "$WORK/older"
}

linux() {
  [ -n "$(file_of "build/dist/haoked_$VERSION*_amd64.deb")" ] || { bad "Linux: run make linux first"; return; }
  check "Linux: an older version to upgrade from" older
  local part
  for part in ${LINUX_PARTS:-files deb rpm live window arm appimage}; do "linux_$part"; done
}

linux_files() {
  check "deb and rpm: daemon and window for both processors" eval 'for f in haoked_*_{amd64,arm64}.deb haoked-*.{x86_64,aarch64}.rpm haoke_*_{amd64,arm64}.deb haoke-*.{x86_64,aarch64}.rpm haoked-*-linux-{amd64,arm64}.tar.gz haoke-*-linux-{amd64,arm64}.tar.gz; do ls build/dist/$f || exit 1; done'
  if have rpm; then check "rpm: readable, sums right" eval 'for f in build/dist/*.rpm; do rpm -K --nosignature "$f" || exit 1; done'; else skip "rpm: no rpm"; fi
  check "tar.gz: the daemon runs from any folder" eval "mkdir -p '$WORK/好客 shop' && tar -C '$WORK/好客 shop' -xzf build/dist/haoked-$VERSION-linux-amd64.tar.gz && '$WORK/好客 shop/haoked-$VERSION/haoked' version"
  local shell
  for shell in bash zsh fish; do
    local f=build/tmp/linux/share/haoked.$shell; [ $shell != zsh ] || f=build/tmp/linux/share/_haoked
    if have $shell; then check "completion for $shell parses" $shell -n $f; else skip "completion for $shell: not here"; fi
  done
}

linux_deb() {
  local root=$WORK/deb dir
  if ! clean_root "$root"; then skip "deb in a clean root: needs debootstrap and root"; return; fi
  dir=$root/var/lib/haoke
  remains "$root" > "$WORK/before"
  cp "$(file_of "$WORK/older/haoked_*_amd64.deb")" "$root/root/older.deb"; cp "$(file_of "build/dist/haoked_$VERSION*_amd64.deb")" "$root/root/new.deb"
  check "deb: installs without anything else" chroot "$root" dpkg -i /root/older.deb
  check "deb: account, unit, completion, man page" eval "chroot '$root' getent passwd haoke && test -f '$root/usr/lib/systemd/system/haoked.service' && test -s '$root/usr/share/bash-completion/completions/haoked' && test -s '$root/usr/share/man/man1/haoked.1.gz'"
  check "deb: serves" serve_root "$root"
  check "deb: a visitor asks and is answered" ask "$URL"
  check "deb: haoked health, as the container and scripts ask" as_haoke "$root" "haoked health --data /var/lib/haoke"
  check "deb: upgrade under the running daemon" chroot "$root" dpkg -i /root/new.deb
  check "deb: ... the data was copied before" eval "ls '$dir/before-upgrade'/0.0.9-*.backup"
  check "deb: ... the old one ends in order" end_root TERM "$root"
  check "deb: ... the new one serves" serve_root "$root"
  check "deb: ... and the conversation goes on" ask_again "$URL"
  check "deb: an older version is refused with a sentence, nothing changed" refuses_older "$root" chroot "$root" dpkg -i /root/older.deb
  check "deb: ... the newer one goes on serving" ask_again "$URL"
  check "deb: without rights is refused" eval "cp '$root/root/new.deb' '$root/tmp/' && ! as_haoke '$root' 'dpkg -i /tmp/new.deb' && chroot '$root' haoked version"
  end_root KILL "$root"
  linux_newer "$root"
  linux_cut "$root"
  check "deb: removal keeps data and settings" eval "echo '#mine' >> '$root/etc/default/haoked'; chroot '$root' dpkg -r haoked && test -f '$dir/haoke.db' && test ! -e '$root/usr/bin/haoked' && grep -q '#mine' '$root/etc/default/haoked'"
  check "deb: purge" chroot "$root" dpkg -P haoked
  rm -f "$root/etc/passwd-" "$root/etc/group-" "$root/etc/shadow-" "$root/etc/gshadow-" "$root"/etc/sub?id-; remains "$root" > "$WORK/after"
  check "deb: ... leaves no file" eval "diff <(grep -v -E '/etc/(passwd|group|shadow|gshadow|subuid|subgid)-$' '$WORK/before') '$WORK/after' && ! chroot '$root' getent passwd haoke"
  check "deb: a full disk is refused, the version of before goes on" linux_full "$root"
}

# An older package by the given command: refused, and nothing is changed.
refuses_older() {
  local root=$1 said; shift
  said=$("$@" 2>&1) && { echo "it went through: $said"; return 1; }
  echo "$said"
  grep -q "which is newer than 0.0.9" <<<"$said" && chroot "$root" haoked version | grep -q "haoked $VERSION"
}

# Data that a newer version wrote: refused at the start, and left as it is.
linux_newer() {
  local root=$1 db=$1/var/lib/haoke/haoke.db was
  schema() { python3 -c 'import sqlite3, sys
d = sqlite3.connect(sys.argv[1]); d.execute("PRAGMA wal_checkpoint(TRUNCATE)")
if len(sys.argv) > 2: d.execute("PRAGMA user_version = " + sys.argv[2])
print(d.execute("PRAGMA user_version").fetchone()[0])' "$@"; }
  was=$(schema "$db"); schema "$db" 9999 > /dev/null; rm -f "$db"-shm "$db"-wal
  sha256sum "$db" > "$WORK/sums"
  check "deb: data from a newer version is refused with a sentence" eval "! as_haoke '$root' 'timeout 30 haoked serve --data /var/lib/haoke --public 127.0.0.1:0 --admin 127.0.0.1:0' 2> '$WORK/newer.log' && cat '$WORK/newer.log' && grep -q 'newer version of Haoke' '$WORK/newer.log'"
  check "deb: ... and left as it is" sha256sum -c "$WORK/sums"
  schema "$db" "$was" > /dev/null; chown --reference="$root/var/lib/haoke" "$db"*
}

# A power cut in mid-upgrade: the packager is killed while it unpacks. The
# program is the old or the new one, whole, and the next run finishes.
linux_cut() {
  local root=$1 when pid n=0 name
  for when in haoked.dpkg-new haoked.dpkg-tmp; do
    HAOKE_ALLOW_DOWNGRADE=1 chroot "$root" dpkg -i --force-downgrade /root/older.deb > /dev/null 2>&1
    name=$root/usr/bin/$when
    chroot "$root" dpkg -i /root/new.deb > /dev/null 2>&1 &
    pid=$!
    for _ in $(seq 200000); do [ -e "$name" ] && break; kill -0 $pid 2>/dev/null || break; done
    [ ! -e "$name" ] || n=$((n + 1))
    kill -9 $pid $(pgrep -P $pid) 2>/dev/null; wait $pid 2>/dev/null
    check "deb: cut off at $when: the program is whole and serves" eval "chroot '$root' haoked version && serve_root '$root' && ask_again \"\$URL\""
    end_root KILL "$root"
    check "deb: ... and the next run finishes the upgrade" eval "chroot '$root' dpkg -i /root/new.deb && chroot '$root' haoked version | grep -q '$VERSION' && test ! -e '$name'"
  done
  check "deb: the cuts came in time" test $n -gt 0
}

# /usr/bin on a file system of its own in which no room is left.
linux_full() {
  local root=$1 got=0 version=0
  chroot "$root" dpkg -i /root/older.deb || return 1
  mkdir -p "$WORK/small" && mount -t tmpfs -o size=170m none "$WORK/small" || return 1
  cp -a "$root/usr/bin/." "$WORK/small/"
  dd if=/dev/zero of="$WORK/small/fill" bs=1M 2>/dev/null
  mount --bind "$WORK/small" "$root/usr/bin"
  chroot "$root" dpkg -i /root/new.deb || got=$?
  chroot "$root" haoked version | grep 0.0.9 || version=1
  umount "$root/usr/bin" "$WORK/small"
  [ $got != 0 ] && [ $version = 0 ] && chroot "$root" dpkg -P haoked
}

# The rpm in a root of its own: Debian's files, rpm's database.
linux_rpm() {
  local root=$WORK/rpm dir old new
  if ! have rpm; then skip "rpm in a clean root: no rpm"; return; fi
  if ! clean_root "$root"; then skip "rpm in a clean root: needs debootstrap and root"; return; fi
  dir=$root/var/lib/haoke
  old=$(file_of "$WORK/older/haoked-*.x86_64.rpm") new=$(file_of "build/dist/haoked-$VERSION*.x86_64.rpm")
  # /bin/sh belongs to no rpm there, hence --nodeps; Debian's rpm wants the word
  local rpm=(rpm --root "$root" --nodeps --force-debian)
  check "rpm: installs" "${rpm[@]}" -i "$old"
  check "rpm: account, unit, man page" eval "chroot '$root' getent passwd haoke && test -f '$root/usr/lib/systemd/system/haoked.service' && test -s '$root/usr/share/man/man1/haoked.1.gz'"
  check "rpm: serves" serve_root "$root"
  check "rpm: a visitor asks and is answered" ask "$URL"
  echo '#mine' >> "$root/etc/default/haoked"
  check "rpm: upgrade" "${rpm[@]}" -U "$new"
  check "rpm: ... the data was copied before" eval "ls '$dir/before-upgrade'/0.0.9-*.backup"
  end_root TERM "$root"
  check "rpm: ... the new one serves, the settings stay" eval "serve_root '$root' && grep -q '#mine' '$root/etc/default/haoked' && chroot '$root' haoked version | grep -q '$VERSION'"
  check "rpm: ... and the conversation goes on" ask_again "$URL"
  end_root TERM "$root"
  check "rpm: an older version is refused" eval "! '${rpm[0]}' --root '$root' --nodeps --force-debian -U '$old'"
  check "rpm: ... also when rpm is told to, with a sentence" refuses_older "$root" "${rpm[@]}" -U --oldpackage "$old"
  as_packed() { local odd; odd=$("${rpm[@]}" -V haoked | grep -v -e ' c /etc/default/haoked' -e '^\.\{7\}T'); echo "$odd"; [ -z "$odd" ]; }
  check "rpm: files are as packed" as_packed
  check "rpm: removal keeps the data" eval "${rpm[*]} -e haoked && test -f '$dir/haoke.db' && test ! -e '$root/usr/bin/haoked'"
}

# The window's package with its libraries, seen on a virtual display.
linux_window() {
  local root=$WORK/window deb
  deb=$(file_of "build/dist/haoke_$VERSION*_amd64.deb")
  check "window: menu entry, icons, AppStream data in the package" eval "dpkg-deb -c '$deb' | grep -c -E 'applications/haoke.desktop|metainfo/io.haoke|apps/haoke.png' | grep -qx 8"
  check "window: names the libraries it needs" eval "dpkg-deb -f '$deb' Depends | grep -q libwebkit2gtk-4.1-0"
  if ! have xvfb-run || ! have import; then skip "window: no virtual display"; return; fi
  rm -rf "$root"; mkdir -p "$root/home"
  tar -C "$root" -xzf "build/dist/haoke-$VERSION-linux-amd64.tar.gz"
  check "window: install.sh puts it into an account of its own" env HOME="$root/home" XDG_DATA_HOME="" "$root/haoke-$VERSION/install.sh"
  check "window: install.sh again, over the one that is there" env HOME="$root/home" XDG_DATA_HOME="" "$root/haoke-$VERSION/install.sh"
  window_refusals "$root/haoke-$VERSION"
  check "window: menu entry is valid there" eval "desktop-file-validate '$root/home/.local/share/applications/haoke.desktop'"
  check "window: starts and serves" env HOME="$root/home" WORK="$WORK" dbus-run-session -- xvfb-run -a -s "-screen 0 1400x900x24 -nolisten tcp" bash -c '
    "$HOME/.local/bin/haoke" --data "$HOME/data" --public 127.0.0.1:0 --admin 127.0.0.1:0 > "$WORK/window-ready" 2> "$WORK/window.log" & pid=$!
    for _ in $(seq 300); do grep -q ready "$WORK/window-ready" && break; sleep 0.1; done
    url=$(sed -n "s/.*public=\([^ ]*\).*/\1/p" "$WORK/window-ready")
    node installers/ask.mjs "$url"; got=$?
    for _ in $(seq 100); do xdotool search --onlyvisible --name "^Haoke$" > /dev/null 2>&1 && break; sleep 0.1; done
    sleep 3; import -window root "$WORK/window.png"
    kill -TERM $pid; wait $pid
    exit $got'
  check "window: install.sh remove leaves the data alone" eval "HOME='$root/home' XDG_DATA_HOME='' '$root/haoke-$VERSION/install.sh' remove && test ! -e '$root/home/.local/bin/haoke' && test -f '$root/home/data/haoke.db'"
}

# install.sh where nothing can be written, on a full disk, and without root in
# a home with a space and Chinese characters.
window_refusals() {
  local at=/tmp/haoke-home
  says_no() { local said; said=$(env HOME="$1" XDG_DATA_HOME="" "$2/install.sh" 2>&1) && return 1; echo "$said"; grep -q 'was not installed' <<<"$said" && [ ! -e "$1/.local/bin/haoke.new" ]; }
  if ! mkdir -p $at || ! mount -t tmpfs -o size=10m,mode=0777 none $at 2>/dev/null; then skip "window: full disk: no small file system can be mounted here"; return; fi
  mkdir -p $at/.local/bin; echo before > $at/.local/bin/haoke
  check "window: install.sh on a full disk says so, what was there stays" eval "says_no $at '$1' && grep -q before $at/.local/bin/haoke"
  mount -o remount,ro $at
  check "window: install.sh in a home that cannot be written says so" says_no "$at" "$1"
  mount -o remount,rw,size=200m $at
  mkdir "$at/好客 shop" && chown 65534:65534 "$at/好客 shop" && cp -r "$1" "$at/haoke" && chmod -R a+rX "$at/haoke"
  check "window: install.sh without root, in a home with a space and Chinese characters" setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$at/好客 shop" XDG_DATA_HOME="" "$at/haoke/install.sh"
  check "window: ... its menu entry is valid" eval "desktop-file-validate '$at/好客 shop/.local/share/applications/haoke.desktop' && grep -q '好客 shop/.local/bin/haoke' '$at/好客 shop/.local/share/applications/haoke.desktop' && test -x '$at/好客 shop/.local/bin/haoke'"
  umount $at; rmdir $at
}

linux_arm() {
  local exe=build/tmp/linux/arm64/haoked
  check "arm64: programs are of that processor" eval "file $exe build/tmp/linux/arm64/haoke | grep -c aarch64 | grep -qx 2"
  if ! have qemu-aarch64-static; then skip "arm64: no emulator"; return; fi
  check "arm64: haoked version, emulated" eval "qemu-aarch64-static $exe version | grep -q '$VERSION'"
  rm -rf "$WORK/arm"; mkdir -p "$WORK/arm"
  qemu-aarch64-static $exe serve --data "$WORK/arm" --public 127.0.0.1:0 --admin 127.0.0.1:0 > "$WORK/arm-ready" 2> "$WORK/arm.log" &
  local pid=$!
  for _ in $(seq 600); do grep -q ready "$WORK/arm-ready" && break; sleep 0.1; done
  check "arm64: a visitor asks and is answered, emulated" ask "$(sed -n 's/.*public=\([^ ]*\).*/\1/p' "$WORK/arm-ready")"
  kill $pid; wait $pid 2>/dev/null
}
