#!/usr/bin/env bash
# Large: what was built is installed, run, upgraded and removed. Linux packages
# in clean roots (debootstrap), Windows under Wine, files checked by the tools
# of their kind. What cannot be tried on this machine is named, not passed over.
set -uo pipefail
export LC_ALL=C.UTF-8 # Wine takes names of files by it
cd "$(dirname "$0")/.." || exit
for name in ${!HAOKE_@}; do unset "$name"; done # what makes a release is no setting of a server
ROOT=$PWD
VERSION=$(cat build/VERSION)
WORK=$ROOT/build/tmp/installers
mkdir -p $WORK
. installers/check.sh
# A visitor's question, answered durably; ask_again resumes that conversation.
ask() { node "$ROOT/installers/ask.mjs" "$@" > $WORK/asked && cat $WORK/asked && tail -1 $WORK/asked > $WORK/token; }
ask_again() { node "$ROOT/installers/ask.mjs" "$1" "Do you ship abroad?" "$(cat $WORK/token)" | tee $WORK/asked && grep -q '^replayed [1-9]' $WORK/asked; }
. installers/linux/test.sh
. installers/linux/live.sh
. installers/docker/test.sh
. installers/windows/test.sh

statics() {
  local said
  said=$(installers/quick.sh build/tmp/linux/amd64/haoked) || failed=$((failed + 1))
  echo "$said"
  passed=$((passed + $(grep -c '^ok' <<<"$said")))
}

signing() {
  if ! have osslsigncode; then skip "signing: no osslsigncode"; return; fi
  local d=$WORK/sign exe=build/tmp/windows/amd64/haoked.exe
  [ -f $exe ] || { skip "signing: run make windows first"; return; }
  mkdir -p $d; rm -rf $d/dist $d/stage
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=Test root" -addext basicConstraints=critical,CA:TRUE -keyout $d/ca.key -out $d/ca.crt 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj "/CN=Test signer" -keyout $d/cs.key -out $d/cs.csr 2>/dev/null
  printf 'extendedKeyUsage=codeSigning\n' > $d/ext
  openssl x509 -req -in $d/cs.csr -CA $d/ca.crt -CAkey $d/ca.key -CAcreateserial -days 2 -extfile $d/ext -out $d/cs.crt 2>/dev/null
  local sign=(env "HAOKE_SIGN_CERT=$d/cs.crt" "HAOKE_SIGN_KEY=$d/cs.key" "HAOKE_SIGN_CA=$d/ca.crt")
  signed() { local f; for f; do osslsigncode verify -CAfile $d/ca.crt "$f" || return 1; done; }
  check "signing: a whole installer is built with a certificate" "${sign[@]}" WINDOWS_ARCHS=amd64 COMPRESSOR=zlib DIST=$d/dist STAGE=$d/stage installers/windows/build.sh
  check "signing: setup.exe and both programs are signed, by osslsigncode" signed $d/dist/haoke-$VERSION-windows-amd64-setup.exe $d/stage/amd64/haoke.exe $d/stage/amd64/haoked.exe
  check "signing: what was not signed is told apart" eval "! signed $exe"
  cp $d/stage/amd64/haoked.exe $d/t.exe
  printf 'X' | dd of=$d/t.exe bs=1 seek=4096 conv=notrunc 2>/dev/null
  if osslsigncode verify -CAfile $d/ca.crt $d/t.exe >/dev/null 2>&1; then bad "signing: a changed byte is noticed"; else ok "signing: a changed byte is noticed"; fi
}

mac() {
  local f
  for f in arm64 amd64; do
    check "macOS: haoked for $f is a program of macOS" eval "file build/tmp/darwin/$f/haoked | grep -q 'Mach-O 64-bit'"
    check "macOS: the archive for $f is whole" eval "tar -tzf build/dist/haoked-$VERSION-darwin-$f.tar.gz | grep -c -E '/(haoked|LICENSE|THIRD-PARTY.txt|install.sh|haoke.haoked.plist)$' | grep -qx 5"
  done
  skip "macOS: the app, the dmg, launchd, signing and notarising need a Mac; their scripts were parsed only"
}

# all of them, or those named on the command line
for part in "${@:-statics linux docker_ mac signing windows}"; do for p in $part; do "$p"; done; done
echo "$passed passed, $failed failed, $skipped not tried"
[ $failed = 0 ]
