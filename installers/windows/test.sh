#!/usr/bin/env bash
# Tries the Windows installer under Wine. Sourced by ../test.sh, whose ok, bad,
# check, skip, ask and WORK it uses.
# shellcheck shell=bash disable=SC2034

WIN_PATH='好客 shop' # a folder with a space and Chinese characters
server=0 # of serve_in, once there is one

w() { # wine, without what it says about itself
  env -u DISPLAY WINEDEBUG=-all WINEPREFIX="$WIN" timeout "${WINE_TIME:-120}" wine "$@" 2> >(grep -v -E 'wine32|multiarch|execute "dpkg|apt-get install' >&2)
}
codes() { # wanted exit code, command...: passes when it ends with that code
  local want=$1 got=0; shift
  "$@" || got=$?
  [ "$got" = "$want" ] || { echo "exit code $got, not $want"; return 1; }
}
says() { local said; said=$(cat); echo "$said"; grep -qi -- "$1" <<<"$said"; }
key() { w reg query "$1\\Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\Haoke" /v "$2" 2>/dev/null | tr -d '\r' | awk -v v="$2" '$1==v{$1="";$2="";sub(/^ +/,"");print}'; }
# The uninstaller goes on as a copy of itself: wait for that one's end.
remove() { # folder, switches
  local dir=$1; shift
  w "$dir/uninstall.exe" /S "$@"
  for _ in $(seq 600); do grep -qsa '~nsu' /proc/[0-9]*/cmdline || break; sleep 0.1; done
  [ ! -e "$dir" ] || { echo "$dir is still there:"; ls "$dir"; return 1; }
}
# files and registry, to compare: without what Wine itself writes all the time
state() {
  WINEPREFIX="$WIN" wineserver -k 2>/dev/null; WINEPREFIX="$WIN" wineserver -w
  (cd "$WIN/drive_c" && find . -not -path '*/Temp/*' -not -path './windows/*' | LC_ALL=C sort)
  grep -ih haoke "$WIN"/*.reg || true
}
export WINEDLLOVERRIDES=winemenubuilder.exe=d
serve_in() { # folder of the programs, arguments: a server under Wine, killed by serve_end
  local dir=$1; shift
  : > "$WORK/wine-ready"
  (cd "$dir" && WINEDEBUG=-all WINEPREFIX="$WIN" exec wine haoked.exe serve --public 127.0.0.1:18787 --admin 127.0.0.1:18788 "$@" > "$WORK/wine-ready" 2> "$WORK/wine-serve.log") &
  server=$!
  for _ in $(seq 300); do grep -q ready "$WORK/wine-ready" && return 0; kill -0 $server 2>/dev/null || return 1; sleep 0.1; done
  return 1
}
serve_end() { [ $server = 0 ] || { kill -9 $server; wait $server; } 2>/dev/null; WINEPREFIX="$WIN" wineserver -k 2>/dev/null; return 0; }

prepare_wine() {
  WIN=$WORK/wine C=$WORK/wine/drive_c
  rm -rf "$WIN"
  w wineboot -i > "$WORK/wine.log" 2>&1
  w winecfg -v win10 >> "$WORK/wine.log" 2>&1
  local d=installers/windows/testdata cc=x86_64-w64-mingw32-gcc
  $cc -shared -o "$C/windows/system32/bcryptprimitives.dll" $d/prng.c -ladvapi32 &&
    $cc -municode -o "$C/lowly.exe" $d/lowly.c -ladvapi32 && $cc -o "$WORK/view.exe" $d/view.c -ladvapi32 && $cc -o "$WORK/stub.exe" $d/stub.c
}

# Installers to try with: an older and a newer version, one whose server does
# not start, one that takes no heed of the room on the disk.
variants() {
  V=$WORK/variants
  [ -z "${KEEP_VARIANTS:-}" ] || [ ! -f "$V/newer.exe" ] || return 0 # while this file is being written
  mkdir -p "$V"
  HAOKE_VERSION=9.9.0 WINDOWS_ARCHS=amd64 COMPRESSOR=zlib DIST=$V STAGE=$V/stage installers/windows/build.sh > "$WORK/variants.log" 2>&1 || { cat "$WORK/variants.log"; return 1; }
  local bad=$V/bad; rm -rf "$bad"; cp -r "$V/stage/amd64" "$bad"; cp "$WORK/stub.exe" "$bad/haoked.exe"
  local pack=(makensis -V1 -INPUTCHARSET UTF8 -DROOT="$ROOT" -DSTUB=amd64-unicode -DCOMPRESSOR=zlib -DWEBVIEW="$bad/webview2.exe")
  "${pack[@]}" -DVERSION=0.0.9 -DARCH=amd64 -DSTAGE="$V/stage/amd64" -DOUTFILE="$V/older.exe" installers/windows/haoke.nsi &&
    "${pack[@]}" -DVERSION=9.9.9 -DARCH=amd64 -DSTAGE="$bad" -DOUTFILE="$V/bad.exe" installers/windows/haoke.nsi &&
    "${pack[@]}" -DVERSION=9.9.0 -DARCH=amd64 -DNEED=1 -DSTAGE="$V/stage/amd64" -DOUTFILE="$V/careless.exe" installers/windows/haoke.nsi &&
    "${pack[@]}" -DVERSION=9.9.0 -DARCH=arm64 -DSTAGE="$V/stage/amd64" -DOUTFILE="$V/arm.exe" installers/windows/haoke.nsi &&
    mv "$V/haoke-9.9.0-windows-amd64-setup.exe" "$V/newer.exe"
}

windows() {
  local setup=build/dist/haoke-$VERSION-windows-amd64-setup.exe
  if ! have wine || ! have x86_64-w64-mingw32-gcc; then skip "Windows: needs wine and gcc-mingw-w64-x86-64-win32 (make setup-installers)"; return; fi
  [ -f "$setup" ] || { bad "Windows: run make windows first"; return; }
  prepare_wine || { bad "Windows: Wine could not be prepared"; return; }
  check "Windows: installers to try with" variants
  cp "$setup" "$C/setup.exe"; cp "$V"/{older,newer,bad,careless,arm}.exe "$C/"
  state > "$WORK/before"
  cd "$C" || return
  local part
  for part in ${WINDOWS_PARTS:-refusals person newer disk cut service links view oneclick signed plans}; do "win_$part"; done
  cd "$ROOT" || return
  skip "Windows: the window itself and Microsoft's WebView2 installer (Wine has no WebView2); the firewall rule and the folder's rights (Wine enforces neither)"
}

win_refusals() {
  local v
  for v in win7 win81; do
    w winecfg -v $v
    check "Windows: $v is refused with a sentence, nothing changed" eval "codes 64 w setup.exe /S | says 'needs Windows 10'"
  done
  w winecfg -v win10
  check "Windows: for everybody without rights is refused with a sentence" eval "codes 5 w lowly.exe setup.exe /S /ALLUSERS | says administrator"
  check "Windows: the installer for ARM is refused on another processor" eval "codes 68 w arm.exe /S | says ARM"
  mkdir -p /tmp/haoke-readonly && mount -t tmpfs -o ro,size=1m none /tmp/haoke-readonly 2>/dev/null &&
    check "Windows: a folder that may not be written is refused with a sentence" eval "codes 67 w setup.exe /S /NOWEBVIEW '/D=Z:\\tmp\\haoke-readonly\\Haoke' | says 'cannot be written'"
  umount /tmp/haoke-readonly 2>/dev/null; rmdir /tmp/haoke-readonly
  state > "$WORK/after"
  check "Windows: the refusals left nothing behind" diff "$WORK/before" "$WORK/after"
}

# One person, no administrator, a path with a space and Chinese characters.
win_person() {
  local dir="$C/$WIN_PATH" roaming
  check "Windows: silent install without rights into '$WIN_PATH'" w lowly.exe setup.exe /S /NOWEBVIEW /AUTOSTART "/D=C:\\$WIN_PATH"
  check "Windows: files" test -f "$dir/haoke.exe" -a -f "$dir/haoked.exe" -a -f "$dir/uninstall.exe" -a -f "$dir/LICENSE.txt" -a -f "$dir/THIRD-PARTY.txt" -a ! -e "$dir/new"
  check "Windows: registry" test "$(key HKCU DisplayVersion)" = "$VERSION" -a "$(key HKCU InstallLocation | tail -c 6)" = " shop" -a -z "$(key HKLM DisplayVersion)"
  check "Windows: start menu and start at sign-in" eval "find '$C/users' -name Haoke.lnk | grep -q . && grep -q -- --hidden '$WIN/user.reg' || { WINEPREFIX='$WIN' wineserver -k; grep -q -- --hidden '$WIN/user.reg'; }"
  check "Windows: haoked.exe version" eval "w '$dir/haoked.exe' version | grep -q 'haoked $VERSION'"
  check "Windows: serve" serve_in "$dir"
  check "Windows: a visitor asks and is answered" ask http://127.0.0.1:18787
  check "Windows: over a running version is refused with a sentence" eval "codes 66 w newer.exe /S /NOWEBVIEW | says 'is running'"
  check "Windows: ... which goes on serving" ask_again http://127.0.0.1:18787
  (sleep 3; kill -9 $server) & # the person quits while the installer waits
  check "Windows: with /WAIT it goes on when that has ended" w newer.exe /S /NOWEBVIEW /WAIT=60
  wait $server 2>/dev/null
  check "Windows: upgraded in place" eval "test \"$(key HKCU DisplayVersion)\" = 9.9.0 && w '$dir/haoked.exe' version | grep -q 9.9.0 && test ! -e '$dir/haoked.exe.old'"
  roaming=$(find "$C/users" -type d -path '*Roaming/Haoke' | head -1)
  check "Windows: the data was copied before" eval "ls '$roaming/before-upgrade'/*-$VERSION.backup"
  serve_in "$dir"; check "Windows: the conversation goes on after the upgrade" ask_again http://127.0.0.1:18787; serve_end
  check "Windows: the older version is refused with a sentence" eval "codes 65 w setup.exe /S /NOWEBVIEW | says 'newer version'"
  check "Windows: removal keeps the data" eval "remove '$dir' && test -f '$roaming/haoke.db'"
  check "Windows: installed again it finds the data" eval "w lowly.exe newer.exe /S /NOWEBVIEW '/D=C:\\$WIN_PATH' && test -f '$dir/haoked.exe'"
  check "Windows: removal with /PURGE" remove "$dir" /PURGE
  state > "$WORK/after"
  check "Windows: ... leaves no file and no key" diff "$WORK/before" "$WORK/after"
}

# Data that a newer version wrote: refused at the start, and left as it is.
win_newer() {
  local dir="$C/newer" db
  w setup.exe /S /NOWEBVIEW '/D=C:\newer'
  serve_in "$dir"; ask http://127.0.0.1:18787 > /dev/null; serve_end
  db=$(find "$C/users" -path '*Roaming/Haoke/haoke.db' | head -1)
  python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA user_version = 9999")' "$db"
  sha256sum "$db" > "$WORK/sums"
  check "Windows: data from a newer version is refused with a sentence" eval "codes 1 w '$dir/haoked.exe' serve --public 127.0.0.1:18787 --admin 127.0.0.1:18788 2>&1 | says 'newer version of Haoke'"
  check "Windows: ... and left as it is" sha256sum -c "$WORK/sums"
  remove "$dir" /PURGE
}

# The installer that was signed with a test certificate: what it leaves is signed.
win_signed() {
  local d=$WORK/sign
  [ -f "$d/dist/haoke-$VERSION-windows-amd64-setup.exe" ] || { skip "Windows: signed installer: run the part signing before"; return; }
  check "Windows: the signed installer installs" w "$d/dist/haoke-$VERSION-windows-amd64-setup.exe" /S /NOWEBVIEW '/D=C:\signed'
  check "Windows: ... programs and uninstaller are signed" eval "for f in haoke haoked uninstall; do osslsigncode verify -CAfile '$d/ca.crt' '$C/signed/'\$f.exe || exit 1; done"
  check "Windows: ... removal" remove "$C/signed" /PURGE
}

# A disk that is full before, and one that fills in the middle.
win_disk() {
  local at=/tmp/haoke-small at_win='Z:\tmp\haoke-small\Haoke'
  mkdir -p $at && mount -t tmpfs -o size=60m none $at || { skip "Windows: full disk: no small file system can be mounted here"; return; }
  check "Windows: a full disk is refused with a sentence" eval "codes 67 w setup.exe /S /NOWEBVIEW '/D=$at_win' | says 'not enough room'; test -z \"\$(ls $at)\""
  check "Windows: a disk that fills in the middle: a sentence, nothing left" eval "codes 67 w careless.exe /S /NOWEBVIEW '/D=$at_win' | says 'could not be written'; test -z \"\$(ls $at)\""
  mount -o remount,size=130m $at
  check "Windows: (a version on a small disk)" eval "w careless.exe /S /NOWEBVIEW '/D=$at_win' && test -f $at/Haoke/haoked.exe"
  sha256sum $at/Haoke/* > "$WORK/sums"
  check "Windows: an upgrade that fills the disk leaves the version of before" eval "codes 67 w careless.exe /S /NOWEBVIEW; sha256sum -c '$WORK/sums' && w $at/Haoke/haoked.exe version"
  check "Windows: ... which can be removed" remove $at/Haoke /PURGE
  umount $at; rmdir $at
}

# Power cuts: the installer is killed while it writes beside, and between the
# two programs.
win_cut() {
  local dir="$C/cut" when pid
  for when in new/haoked.exe haoked.exe.old; do
    w setup.exe /S /NOWEBVIEW '/D=C:\cut'
    serve_in "$dir"; ask http://127.0.0.1:18787 > /dev/null; serve_end
    WINEDEBUG=-all WINEPREFIX="$WIN" wine newer.exe /S /NOWEBVIEW > /dev/null 2>&1 &
    pid=$!
    for _ in $(seq 20000); do [ -e "$dir/$when" ] && break; kill -0 $pid 2>/dev/null || break; done
    kill -9 $pid; wait $pid 2>/dev/null
    WINEPREFIX="$WIN" wineserver -k; WINEPREFIX="$WIN" wineserver -w
    check "Windows: cut off at $when: there are two whole programs" eval "ls -la '$dir'; w '$dir/haoked.exe' version && test \$(stat -c %s '$dir/haoke.exe') -gt 20000000"
    serve_in "$dir"; check "Windows: ... which serve the conversation of before" ask_again http://127.0.0.1:18787; serve_end
    check "Windows: ... and the upgrade goes through afterwards" eval "w newer.exe /S /NOWEBVIEW && w '$dir/haoked.exe' version | grep -q 9.9.0 && test ! -e '$dir/new' && test ! -e '$dir/haoked.exe.old'"
    check "Windows: ... and the removal" remove "$dir" /PURGE
  done
  state > "$WORK/after"
  check "Windows: the cuts left nothing after the removal" diff "$WORK/before" "$WORK/after"
}

# The service, for everybody.
win_service() {
  local dir="$C/Program Files/Haoke" data="$C/ProgramData/Haoke"
  # Wine stops its services a moment after the last other program ended
  WINEDEBUG=-all WINEPREFIX="$WIN" wine cmd < <(exec sleep 1200) > /dev/null 2>&1 &
  local keeper=$!
  check "Windows service: installed, started" w setup.exe /S /NOWEBVIEW /SERVICE /FIREWALL
  check "Windows service: runs as LocalService with restarts" eval "w sc query haoked | grep -q RUNNING && w reg query 'HKLM\\System\\CurrentControlSet\\Services\\haoked' | says LocalService"
  check "Windows service: a visitor asks and is answered" ask http://127.0.0.1:8787
  check "Windows service: event log source and log file" eval "w reg query 'HKLM\\System\\CurrentControlSet\\Services\\EventLog\\Application\\haoked' && grep -q serving '$data/haoke.log'"
  check "Windows service: upgraded while it runs" w newer.exe /S /NOWEBVIEW
  check "Windows service: ... it runs again, the conversation goes on" ask_again http://127.0.0.1:8787
  check "Windows service: ... the data was copied before" eval "ls '$data/before-upgrade'/*-$VERSION.backup"
  check "Windows service: a version that does not start is taken back" eval "WINE_TIME=240 codes 70 w bad.exe /S /NOWEBVIEW | says 'put back'; w '$dir/haoked.exe' version | grep -q 9.9.0"
  for _ in $(seq 100); do curl -fs http://127.0.0.1:8787/readyz > /dev/null && break; sleep 0.1; done
  check "Windows service: ... and the one of before serves the conversation" ask_again http://127.0.0.1:8787
  check "Windows service: removal" remove "$dir" /PURGE
  kill $keeper 2>/dev/null
  state > "$WORK/after"
  check "Windows service: ... leaves no service, no file and no key" diff "$WORK/before" "$WORK/after"
}

# For everybody: the copy of a person's data is not written where a link leads
# that the person could have put there.
win_links() {
  local dir="$C/Program Files/Haoke" aside="$C/aside" mine link
  check "Windows links: a version for everybody, a person's data" eval "w setup.exe /S /NOWEBVIEW /ALLUSERS && serve_in '$dir' && ask http://127.0.0.1:18787"
  serve_end
  mine=$(find "$C/users" -type d -path '*Roaming/Haoke' | head -1)
  for link in "$mine/before-upgrade" "$mine"; do
    if [ "$link" = "$mine" ]; then mv "$mine" "$aside"; else mkdir "$aside"; fi
    ln -s "$aside" "$link"
    (cd "$aside" && find . | LC_ALL=C sort) > "$WORK/there"
    check "Windows links: ${link##*/} is a link: refused with a sentence, nothing written behind it" eval "codes 69 w newer.exe /S /NOWEBVIEW | says 'a link'; (cd '$aside' && find . | LC_ALL=C sort) | diff '$WORK/there' -"
    check "Windows links: ... and the version from before stays" test "$(key HKLM DisplayVersion)" = "$VERSION" -a ! -e "$dir/new"
    rm "$link"
    if [ "$link" = "$mine" ]; then mv "$aside" "$mine"; else rmdir "$aside"; fi
  done
  check "Windows links: without one it goes through, with a copy" eval "w newer.exe /S /NOWEBVIEW && ls '$mine/before-upgrade'/*-$VERSION.backup && test ! -e '$mine/before-upgrade/hold.tmp' && test \"\$(key HKLM DisplayVersion)\" = 9.9.0"
  mkdir -p "$aside/deep"; touch "$aside/kept" "$aside/deep/kept"; ln -s "$aside" "$mine/link"
  check "Windows links: a removal with /PURGE deletes nothing behind one" eval "remove '$dir' /PURGE && test ! -e '$mine/haoke.db' -a ! -e '$mine/before-upgrade' -a -e '$aside/kept' -a -e '$aside/deep/kept'"
  rm -rf "$mine" "$aside"
}

# The web view: what lies beside the installer is run, once.
win_view() {
  cp "$WORK/view.exe" "$C/MicrosoftEdgeWebview2Setup.exe"
  check "Windows: WebView2 is installed where it is missing" eval "w setup.exe /S '/D=C:\\view' && grep -q '/silent /install' view-ran.txt"
  rm -f view-ran.txt
  check "Windows: ... and left alone where it is there" eval "w setup.exe /S && test ! -e view-ran.txt"
  remove "$C/view" /PURGE
}

# One-click updates whose new version dies, hangs or is cut off in its first
# real start: the watcher's work with programs that really run.
win_plans() {
  check "Windows: (the watcher's tests for Windows)" eval "(cd '$ROOT' && CGO_ENABLED=0 GOOS=windows go test -c -o '$C/update-test.exe' ./backend/internal/update)"
  check "Windows: a new version that dies, hangs, fails or is cut off after its trial: the one of before is started again" eval "WINE_TIME=240 w update-test.exe -test.v -test.run 'RealPrograms|PlanIsCutOff' | tee '$WORK/plans' | tail -20; grep -q '^PASS' '$WORK/plans' && grep -c -- '--- PASS' '$WORK/plans' | grep -qx 6"
  rm -f update-test.exe
}

# One click from one version to the next: the makers' notice, their installer,
# the server that runs, started again by itself.
win_oneclick() {
  local at=$WORK/oneclick dir="$C/好客update" key=$WORK/oneclick/release.key public shelf web
  rm -rf "$at"; mkdir -p "$at/shelf/files"; shelf=$at/shelf
  keys() { go build -o "$at/manifest" ./installers/tools/manifest && "$at/manifest" keygen --key "$key" > "$at/public"; }
  both() { local v; for v in 9.1.0 9.2.0; do UPDATE_KEYS=$public HAOKE_VERSION=$v WINDOWS_ARCHS=amd64 COMPRESSOR=zlib DIST=$at STAGE=$at/stage-$v installers/windows/build.sh || return 1; done; }
  cd "$ROOT" || return
  check "Windows update: a key of the makers" keys
  public=$(cat "$at/public")
  check "Windows update: two versions that believe it" both
  mv "$at/haoke-9.2.0-windows-amd64-setup.exe" "$shelf/files/"
  check "Windows update: a signed notice" "$at/manifest" make --key "$key" --version 9.2.0 --dir "$shelf/files" --out "$shelf/latest.json"
  mv "$shelf"/files/*.exe "$shelf/"
  (cd "$shelf" && exec python3 -m http.server 18999 --bind 127.0.0.1 > "$at/web.log" 2>&1) & web=$!
  cd "$C" || return
  cp "$at/haoke-9.1.0-windows-amd64-setup.exe" from.exe
  export HAOKE_UPDATES_MANIFEST=http://127.0.0.1:18999/latest.json HAOKE_SECRETS_STORE=file
  check "Windows update: the version before, installed and serving" eval "w from.exe /S /NOWEBVIEW '/D=C:\\好客update' && serve_in '$dir' && ask http://127.0.0.1:18787"
  check "Windows update: it is told of the newer one" eval "w '$dir/haoked.exe' update | says 9.2.0"
  check "Windows update: one click" eval "WINE_TIME=290 w '$dir/haoked.exe' update --apply"
  check "Windows update: the new one serves by itself, the conversation goes on" eval "for _ in \$(seq 600); do curl -fs http://127.0.0.1:18787/readyz > /dev/null && w '$dir/haoked.exe' version | grep -q 9.2.0 && break; sleep 0.2; done; ask_again http://127.0.0.1:18787"
  check "Windows update: the registry has the new version" eval "test \"\$(key HKCU DisplayVersion)\" = 9.2.0"
  unset HAOKE_UPDATES_MANIFEST HAOKE_SECRETS_STORE
  kill $web 2>/dev/null; serve_end; rm -f from.exe
  check "Windows update: removal" remove "$dir" /PURGE
}
