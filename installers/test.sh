#!/usr/bin/env bash
# Large: what was built is installed, run, upgraded and removed. Linux packages
# in clean roots (debootstrap), Windows under Wine, files checked by the tools
# of their kind. What cannot be tried on this machine is named, not passed over.
set -uo pipefail
export LC_ALL=C.UTF-8 # Wine takes names of files by it
cd "$(dirname "$0")/.." || exit
ROOT=$PWD
VERSION=$(cat build/VERSION)
WORK=$ROOT/build/tmp/installers
mkdir -p $WORK
passed=0 failed=0 skipped=0
ok() { passed=$((passed + 1)); echo "ok    $1"; }
bad() { failed=$((failed + 1)); echo "FAIL  $1"; }
check() { local name=$1; shift; if "$@" > $WORK/last.log 2>&1; then ok "$name"; else bad "$name"; tail -5 $WORK/last.log; fi; }
skip() { skipped=$((skipped + 1)); echo "not tried: $1"; }
have() { command -v "$1" >/dev/null; }
# A visitor's question, answered durably; ask_again resumes that conversation.
ask() { node "$ROOT/installers/ask.mjs" "$@" > $WORK/asked && cat $WORK/asked && tail -1 $WORK/asked > $WORK/token; }
ask_again() { node "$ROOT/installers/ask.mjs" "$1" "Do you ship abroad?" "$(cat $WORK/token)" | tee $WORK/asked && grep -q '^replayed [1-9]' $WORK/asked; }
. installers/windows/test.sh

statics() {
  if have systemd-analyze; then
    mkdir -p $WORK/unit/usr/bin && cp installers/linux/haoked.service $WORK/unit/ && touch $WORK/unit/usr/bin/haoked && chmod +x $WORK/unit/usr/bin/haoked
    sed "s,/usr/bin/haoked,$ROOT/build/bin/haoked," installers/linux/haoked.service > $WORK/haoked.service
    check "systemd unit is valid" env SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no $WORK/haoked.service
    check "systemd unit exposes at most 2.0" systemd-analyze security --offline=true --threshold=20 $WORK/haoked.service
  else skip "systemd unit: no systemd-analyze"; fi
  if have desktop-file-validate; then check "desktop entry" desktop-file-validate installers/linux/haoke.desktop; else skip "desktop entry: no desktop-file-validate"; fi
  if have appstreamcli; then check "AppStream data" appstreamcli validate --no-net build/tmp/linux/share/io.haoke.Haoke.metainfo.xml; else skip "AppStream data: no appstreamcli"; fi
  if have mandoc; then check "man page" sh -c "gzip -dc build/tmp/linux/share/haoked.1.gz | mandoc -T lint -W error"; else skip "man page: no mandoc"; fi
  if have shellcheck; then check "scripts" shellcheck -S warning installers/*.sh installers/*/*.sh installers/linux/haoked.p*; else skip "scripts: no shellcheck"; fi
  check "list of parts" sh -c "installers/sbom.sh build/bin/haoked | node -e 'const b=JSON.parse(require(\"fs\").readFileSync(0));if(b.components.length<20)process.exit(1)'"
}

linux() {
  local root=$WORK/root deb=build/dist/haoked_${VERSION}_amd64.deb
  # nfpm writes a release into the name of the file
  [ -f "$deb" ] || deb=$(ls build/dist/haoked_"$VERSION"*_amd64.deb 2>/dev/null | head -1)
  [ -f "$deb" ] || { bad "deb: run make linux first"; return; }
  if ! have debootstrap || [ "$(id -u)" != 0 ]; then skip "deb in a clean root: needs debootstrap and root"; return; fi
  [ -x $root/bin/sh ] || debootstrap --variant=minbase bookworm $root > $WORK/debootstrap.log 2>&1 || { skip "clean root: debootstrap failed"; return; }
  cp "$deb" $root/root/haoked.deb
  check "deb installs without anything else" chroot $root dpkg -i /root/haoked.deb
  check "deb: account, unit, completion, man page" sh -c "chroot $root getent passwd haoke && test -f $root/usr/lib/systemd/system/haoked.service && test -s $root/usr/share/bash-completion/completions/haoked && test -s $root/usr/share/man/man1/haoked.1.gz"
  check "deb: version" sh -c "chroot $root haoked version | grep -q $VERSION"
  chroot $root sh -c 'mkdir -p /var/lib/haoke && chown haoke:haoke /var/lib/haoke && su -s /bin/sh haoke -c "haoked serve --data /var/lib/haoke --public 127.0.0.1:0 --admin 127.0.0.1:0 >/tmp/ready 2>/tmp/log & echo \$! > /tmp/pid"'
  for _ in $(seq 100); do grep -q ready $root/tmp/ready 2>/dev/null && break; sleep 0.1; done
  check "deb: serves a visitor's page" sh -c "url=\$(sed 's/.*public=\\([^ ]*\\).*/\\1/' $root/tmp/ready); node -e 'fetch(process.argv[1]+\"/widget.js\").then(r=>process.exit(r.ok?0:1),()=>process.exit(1))' \$url"
  check "deb: haoked health" chroot $root su -s /bin/sh haoke -c "haoked health --data /var/lib/haoke"
  kill -TERM "$(cat $root/tmp/pid)" 2>/dev/null
  for _ in $(seq 200); do kill -0 "$(cat $root/tmp/pid)" 2>/dev/null || break; sleep 0.1; done
  check "deb: upgrade in place keeps the data and a copy" sh -c "chroot $root dpkg -i /root/haoked.deb && test -f $root/var/lib/haoke/haoke.db && ls $root/var/lib/haoke/before-upgrade/*.backup"
  check "deb: removal keeps the data" sh -c "chroot $root dpkg -r haoked && test -f $root/var/lib/haoke/haoke.db && test ! -e $root/usr/bin/haoked"
  check "deb: purge leaves nothing" sh -c "chroot $root dpkg -P haoked && test ! -e $root/var/lib/haoke && test ! -e $root/etc/haoke && test ! -e $root/etc/default/haoked"
  if have rpm; then check "rpm: readable, sums right" sh -c "rpm -K --nosignature build/dist/haoked-$VERSION*x86_64.rpm"; else skip "rpm: no rpm"; fi
}

signing() {
  if ! have osslsigncode; then skip "signing: no osslsigncode"; return; fi
  local d=$WORK/sign exe=build/tmp/windows/amd64/haoked.exe
  [ -f $exe ] || { skip "signing: run make windows first"; return; }
  mkdir -p $d
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=Test root" -addext basicConstraints=critical,CA:TRUE -keyout $d/ca.key -out $d/ca.crt 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj "/CN=Test signer" -keyout $d/cs.key -out $d/cs.csr 2>/dev/null
  printf 'extendedKeyUsage=codeSigning\n' > $d/ext
  openssl x509 -req -in $d/cs.csr -CA $d/ca.crt -CAkey $d/ca.key -CAcreateserial -days 2 -extfile $d/ext -out $d/cs.crt 2>/dev/null
  cp $exe $d/t.exe
  check "signing: signed and verified" env HAOKE_SIGN_CERT=$d/cs.crt HAOKE_SIGN_KEY=$d/cs.key HAOKE_SIGN_CA=$d/ca.crt installers/windows/sign.sh $d/t.exe
  printf 'X' | dd of=$d/t.exe bs=1 seek=4096 conv=notrunc 2>/dev/null
  if osslsigncode verify -CAfile $d/ca.crt $d/t.exe >/dev/null 2>&1; then bad "signing: a changed byte is noticed"; else ok "signing: a changed byte is noticed"; fi
}

# all of them, or those named on the command line
for part in "${@:-statics linux signing windows}"; do for p in $part; do "$p"; done; done
if have docker && docker info >/dev/null 2>&1; then
  check "container: builds" docker build -q -f installers/docker/Dockerfile -t haoke-test .
else skip "container: no engine is running here"; fi
skip "macOS: no Mac"
echo "$passed passed, $failed failed, $skipped not tried"
[ $failed = 0 ]
