#!/usr/bin/env bash
# Tries the AppImage: in a clean root without WebKit, from a folder with a space
# and Chinese characters, two at once, its menu entry, its window under a
# virtual display, and its updates with what puts them back. Sourced by
# ../test.sh, whose ok, bad, check, skip, ask, clean_root and WORK it uses.
# shellcheck shell=bash
IMAGE_HOME='/home/shop/好客 shop' # where the AppImage lies in the root

# as_shop ROOT COMMAND: as the person, with the folder as the present one.
as_shop() { chroot "$1" su shop -s /bin/sh -c "cd '$IMAGE_HOME' && $2"; }

# Starts the AppImage in the root: URL is where visitors ask. setsid: what a
# watcher starts later is no child of ours either.
serve_image() { # root, what follows the program's name
  local root=$1 n; shift
  rm -f "$root/tmp/ready" "$root/tmp/said"
  as_shop "$root" "HAOKE_SECRETS_STORE=file setsid ./Haoke.AppImage $* --public 127.0.0.1:0 --admin 127.0.0.1:0 > /tmp/ready 2> /tmp/said" &
  for n in $(seq 300); do grep -qs ready "$root/tmp/ready" && break; sleep 0.1; done
  URL=$(sed -n 's/.*public=\([^ ]*\).*/\1/p' "$root/tmp/ready" | tail -1)
  [ -n "$URL" ] || { echo "not ready after $n"; cat "$root/tmp/said"; return 1; }
}
image_runtime() { echo "$1/home/shop/.local/share/haoke/runtime.json"; }
field() { node -p 'JSON.parse(require("fs").readFileSync(process.argv[1]))[process.argv[2]]' "$1" "$2"; }
end_image() { # root [signal]
  local pid
  pid=$(field "$(image_runtime "$1")" pid) && kill "-${2:-TERM}" "$pid" || return 1
  for _ in $(seq 200); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
  return 1
}

linux_appimage() {
  local root=$WORK/appimage image=build/dist/haoke-$VERSION-x86_64.AppImage
  if [ ! -f "$image" ]; then bad "AppImage: run make linux first"; return; fi
  check "AppImage: program and image of both processors" eval "file '$image' build/dist/haoke-$VERSION-aarch64.AppImage | grep -c 'statically linked' | grep -qx 2 && for f in '$image' build/dist/haoke-$VERSION-aarch64.AppImage; do test \"\$(head -c 11 \$f | tail -c 3)\" = \$'AI\\002' || exit 1; done"
  if have qemu-aarch64-static; then
    check "AppImage: arm64, emulated: other tools find its image where it says" eval "offset=\$(qemu-aarch64-static build/dist/haoke-$VERSION-aarch64.AppImage --appimage-offset) && unsquashfs -o \$offset -l build/dist/haoke-$VERSION-aarch64.AppImage | grep -q usr/bin/haoked"
  else skip "AppImage for arm64: no emulator"; fi
  rm -rf "$WORK/AppDir"; mkdir -p "$WORK/AppDir"
  check "AppImage: --appimage-extract gives what mksquashfs packed" eval "(cd '$WORK/AppDir' && '$ROOT/$image' --appimage-extract && unsquashfs -q -o \$('$ROOT/$image' --appimage-offset) -d other '$ROOT/$image' && diff -r squashfs-root other && rm -rf other)"
  if have desktop-file-validate; then check "AppImage: desktop entry" desktop-file-validate "$WORK/AppDir/squashfs-root/haoke.desktop"; fi
  if have appstreamcli; then check "AppImage: AppStream data" appstreamcli validate --no-net "$WORK/AppDir/squashfs-root/usr/share/metainfo/io.haoke.Haoke.metainfo.xml"; fi
  if clean_root "$root"; then
    mount -t proc proc "$root/proc"
    image_root "$root" "$image"
    image_updates "$root"
    umount "$root/proc"
  else skip "AppImage in a clean root: needs debootstrap and root"; fi
  image_window "$image"
}

# A system without WebKit, a person without rights.
image_root() {
  local root=$1 image=$2 out
  chroot "$root" useradd -m shop
  mkdir -p "$root$IMAGE_HOME"
  cp "$image" "$root$IMAGE_HOME/Haoke.AppImage"
  chroot "$root" chown -R shop: /home/shop
  check "AppImage: without WebKit it serves, and says why there is no window" eval "serve_image '$root' && grep -q 'libwebkit2gtk-4.1-0' '$root/tmp/said'"
  check "AppImage: ... a visitor asks and is answered" ask "$URL"
  check "AppImage: ... the way to its page is printed" eval "for _ in \$(seq 100); do grep -q 'http://127.0.0.1:.*#ticket=' '$root/tmp/said' && break; sleep 0.1; done; grep '#ticket=' '$root/tmp/said'"
  check "AppImage: a second start finds the first" eval "as_shop '$root' './Haoke.AppImage --public 127.0.0.1:0 --admin 127.0.0.1:0' > '$WORK/second' 2>&1; for _ in \$(seq 100); do grep '#ticket=' '$WORK/second' && break; sleep 0.1; done; grep -q '#ticket=' '$WORK/second'"
  end_image "$root"
  check "AppImage: serve, doctor and the others are haoked's" eval "as_shop '$root' './Haoke.AppImage version' | grep -q 'haoked $VERSION' && as_shop '$root' './Haoke.AppImage doctor --help' | grep -qi usage"
  rm -rf "$root/home/shop/.cache/haoke-appimage"
  as_shop "$root" './Haoke.AppImage version' > "$WORK/one" 2>&1 & out=$!
  check "AppImage: two at once with nothing unpacked" eval "as_shop '$root' './Haoke.AppImage version' | grep -q '$VERSION' && wait $out && grep -q '$VERSION' '$WORK/one'"
  check "AppImage: ... unpacked once, for this account alone" eval "test \"\$(ls '$root/home/shop/.cache/haoke-appimage' | wc -l)\" = 1 && test -z \"\$(find '$root/home/shop/.cache/haoke-appimage' -maxdepth 1 -perm /077 -type d)\""
  check "AppImage: --install puts it into the menu" eval "as_shop '$root' './Haoke.AppImage --install' && grep -qx 'Exec=\"$IMAGE_HOME/Haoke.AppImage\"' '$root/home/shop/.local/share/applications/haoke.desktop' && test -f '$root/home/shop/.local/share/icons/hicolor/256x256/apps/haoke.png'"
  if have desktop-file-validate; then check "AppImage: ... by an entry that is valid" desktop-file-validate "$root/home/shop/.local/share/applications/haoke.desktop"; fi
  check "AppImage: --remove takes it out, the data stays" eval "as_shop '$root' './Haoke.AppImage --remove' && test ! -e '$root/home/shop/.local/share/applications/haoke.desktop' && test -z \"\$(find '$root/home/shop/.local/share/icons' -type f)\" && test -f '$root/home/shop/.local/share/haoke/haoke.db'"
  mount -t tmpfs -o size=20m none "$root/home/shop/.cache" && chroot "$root" chown shop: /home/shop/.cache
  check "AppImage: a full disk under the cache: the next folder is taken" eval "as_shop '$root' './Haoke.AppImage version' | grep -q '$VERSION'"
  umount "$root/home/shop/.cache"; rm -rf "$root"/tmp/haoke-appimage-* "$root"/var/tmp/haoke-appimage-*
}

# A version of the AppImage whose server is this program (a file): haoke in it
# is the built one, which does not run in the root anyway.
image_version() { # version, haoked, out
  local stage=$WORK/stage-$1
  rm -rf "$stage"; mkdir -p "$stage"
  cp -r build/tmp/linux/amd64/share "$stage/share"; cp build/tmp/linux/amd64/haoke "$stage/haoke"; cp "$2" "$stage/haoked"
  mkdir -p "$3"
  HAOKE_VERSION=$1 APPIMAGE_LEVEL=1 installers/linux/appimage/build.sh amd64 "$stage" "$3"
}

# Two versions with a key of ours, and one that dies after its trial.
image_makers() {
  local d=$WORK/makers v keys
  rm -rf "$d"; mkdir -p "$d/shelf"
  CGO_ENABLED=0 go build -o "$d/manifest" ./installers/tools/manifest || return 1
  keys=$("$d/manifest" keygen --key "$d/key" | tail -1) || return 1
  for v in 9.8.0 9.9.0; do
    HAOKE_VERSION=$v UPDATE_KEYS=$keys bash -c '. installers/env.sh; CGO_ENABLED=0 go build -ldflags "$LDFLAGS" -o "$0" ./backend/cmd/haoked' "$d/haoked-$v" || return 1
    image_version $v "$d/haoked-$v" "$d/out-$v" || return 1
  done
  # in its trial it is 9.9.0 under another name, then it dies
  mkdir -p "$1/opt"; cp "$d/haoked-9.9.0" "$1/opt/haoked-9.9.0"
  printf '#!/bin/sh\ncase "$*" in version) echo haoked 9.9.9 ;; *--trial*) exec /opt/haoked-9.9.0 "$@" ;; *) kill -SEGV $$ ;; esac\n' > "$d/dying"
  chmod 755 "$d/dying"
  image_version 9.9.9 "$d/dying" "$d/out-9.9.9"
}
image_publish() { # version, when: its notice and file on the shelf
  local d=$WORK/makers
  cp "$d/out-$1"/*.AppImage "$d/shelf/" && "$d/manifest" make --key "$d/key" --version "$1" --dir "$d/out-$1" --issued "$2" --out "$d/shelf/latest.json"
}
# Waits until the version serves in the root, whoever started it.
image_serves() { # root, version
  local f; f=$(image_runtime "$1")
  for _ in $(seq 900); do [ -f "$f" ] && [ "$(field "$f" version 2>/dev/null)" = "$2" ] && { URL=$(field "$f" public); curl -fs "$URL/readyz" > /dev/null && return 0; }; sleep 0.1; done
  echo "not serving: $2"; cat "$f" "$1/tmp/said"; return 1
}

image_updates() {
  local root=$1 shelf=$WORK/makers/shelf server
  check "AppImage: versions to update to" image_makers "$root"
  [ -d "$WORK/makers/out-9.9.9" ] || return
  node -e 'const fs=require("fs"),http=require("http");http.createServer((q,a)=>{const f=process.argv[1]+q.url;if(!fs.existsSync(f))return a.writeHead(404).end();fs.createReadStream(f).pipe(a)}).listen(18789,"127.0.0.1")' "$shelf" & server=$!
  cp "$WORK/makers/out-9.8.0/"*.AppImage "$root$IMAGE_HOME/Haoke.AppImage"; chroot "$root" chown -R shop: /home/shop
  export HAOKE_UPDATES_MANIFEST=http://127.0.0.1:18789/latest.json
  image_publish 9.9.0 2026-01-01T00:00:00Z > /dev/null
  check "AppImage: the older version serves" serve_image "$root" serve
  [ -n "$URL" ] || { kill $server; return; }
  ask "$URL" > /dev/null
  mount --bind "$root$IMAGE_HOME" "$root$IMAGE_HOME" && mount -o remount,ro,bind "$root$IMAGE_HOME"
  check "AppImage: an update in a folder that may not be written is refused with a sentence" eval "! as_shop '$root' './Haoke.AppImage update --apply' 2>&1 | tee '$WORK/refused' | grep -q serves && grep 'cannot be written' '$WORK/refused'"
  umount "$root$IMAGE_HOME"
  check "AppImage: ... and the version of before goes on" ask_again "$URL"
  check "AppImage: one command replaces the file by the newer version" eval "as_shop '$root' './Haoke.AppImage update --apply' 2>&1 | tee '$WORK/applied'; grep 'version 9.9.0 serves' '$WORK/applied'"
  check "AppImage: ... which serves the conversation of before" eval "image_serves '$root' 9.9.0 && ask_again \"\$URL\""
  check "AppImage: ... the file is the new one, the old one is kept" eval "cmp '$WORK/makers/out-9.9.0/'*.AppImage '$root$IMAGE_HOME/Haoke.AppImage' && cmp '$WORK/makers/out-9.8.0/'*.AppImage '$root$IMAGE_HOME/Haoke.AppImage.previous' && test ! -e '$root$IMAGE_HOME/Haoke.AppImage.next'"
  check "AppImage: ... the older image's folder went from the cache" eval "test \"\$(ls '$root/home/shop/.cache/haoke-appimage' | wc -l)\" -le 2"
  image_publish 9.9.9 2026-02-01T00:00:00Z > /dev/null
  as_shop "$root" './Haoke.AppImage update --apply' > "$WORK/applied" 2>&1 &
  check "AppImage: a version that dies after its trial: the one of before serves again" eval "sleep 3; for _ in \$(seq 300); do grep -q 9.9.9 '$root/home/shop/.local/share/haoke/update.json' && break; sleep 0.1; done; image_gone_back '$root'"
  check "AppImage: ... with the conversation of before" ask_again "$URL"
  check "AppImage: ... the owner is told" eval "as_shop '$root' './Haoke.AppImage update' | grep 'version 9.9.9 did not start, version 9.9.0 is back'"
  check "AppImage: ... the file is the one of before" eval "cmp '$WORK/makers/out-9.9.0/'*.AppImage '$root$IMAGE_HOME/Haoke.AppImage' && test ! -e '$root$IMAGE_HOME/Haoke.AppImage.next'"
  end_image "$root"
  unset HAOKE_UPDATES_MANIFEST
  kill $server
}
image_gone_back() { # root: the outcome is noted, and 9.9.0 serves
  local note=$1/home/shop/.local/share/haoke/update.json
  for _ in $(seq 900); do node -e 'const m=JSON.parse(require("fs").readFileSync(process.argv[1]));process.exit(!m.pending&&m.last.to==="9.9.9"&&!m.last.ok?0:1)' "$note" 2>/dev/null && break; sleep 0.1; done
  cat "$note"
  image_serves "$1" 9.9.0
}

image_window() {
  local image=$1 home=$WORK/appimage-home
  if ! have xvfb-run || ! have import; then skip "AppImage: no virtual display"; return; fi
  rm -rf "$home"; mkdir -p "$home/好客 shop"; cp "$image" "$home/好客 shop/Haoke.AppImage"
  check "AppImage: its window opens and it serves" env -u XDG_DATA_HOME -u XDG_CACHE_HOME HOME="$home" WORK="$WORK" dbus-run-session -- xvfb-run -a -s "-screen 0 1400x900x24 -nolisten tcp" bash -c '
    "$HOME/好客 shop/Haoke.AppImage" --data "$HOME/data" --public 127.0.0.1:0 --admin 127.0.0.1:0 > "$WORK/window-ready" 2> "$WORK/window.log" & pid=$!
    for _ in $(seq 300); do grep -q ready "$WORK/window-ready" && break; sleep 0.1; done
    url=$(sed -n "s/.*public=\([^ ]*\).*/\1/p" "$WORK/window-ready")
    node installers/ask.mjs "$url"; got=$?
    for _ in $(seq 100); do xdotool search --onlyvisible --name "^Haoke$" > /dev/null 2>&1 && break; sleep 0.1; done
    xdotool search --onlyvisible --name "^Haoke$" > /dev/null || got=1
    sleep 3; import -window root "$WORK/appimage-window.png"
    kill -TERM $pid; wait $pid
    exit $got'
}
