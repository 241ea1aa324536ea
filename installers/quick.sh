#!/usr/bin/env bash
# The quick part of the installers' tests, for every "make test": what can be
# wrong without anything being installed. Packages are made of a built daemon
# (quick.sh PROGRAM, default build/bin/haoked) and read; nothing outside
# build/tmp is touched.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
ROOT=$PWD
DAEMON=$(realpath "${1:-build/bin/haoked}")
WORK=$ROOT/build/tmp/quick
rm -rf "$WORK"; mkdir -p "$WORK/stage/share" "$WORK/out"
. installers/check.sh
. installers/env.sh
. installers/linux/pack.sh
set +e
DEB=$WORK/out/haoked_${VERSION}-1_amd64.deb RPM=$WORK/out/haoked-${VERSION}-1.x86_64.rpm

scripts() {
  if have shellcheck; then check "scripts: shellcheck" shellcheck -S warning build/*.sh installers/*.sh installers/*/*.sh installers/*/*/*.sh installers/linux/haoked.p* installers/linux/appimage/AppRun; else skip "scripts: no shellcheck"; fi
  for f in installers/linux/haoked.p* installers/linux/install.sh installers/darwin/install.sh; do check "scripts: $f parses" sh -n "$f"; done
}

# Licences and parts: of everything that is linked and bundled.
parts() {
  check "notices: a text of every licence" share "$WORK/stage/share" "$DAEMON"
  check "list of parts" eval "installers/sbom.sh '$DAEMON' > '$WORK/list.json'"
  check "notices, list of parts, lock files and page agree" node installers/parts.mjs "$WORK/stage/share/THIRD-PARTY.txt" "$WORK/list.json"
}

# Real packages of the daemon; those of the window have a stand-in in them.
packages() {
  local s=$WORK/stage
  cp "$DAEMON" "$s/haoked"; printf '#!/bin/sh\n' > "$s/haoke"
  check "deb, rpm: the daemon's are made" pack haoked amd64 "$s" "$WORK/out" deb rpm
  check "deb, rpm: the window's are made" pack haoke amd64 "$s" "$WORK/out" deb rpm
  check "deb: name, version, processor" eval "[ \"\$(dpkg-deb -f '$DEB' Package Version Architecture | cut -d' ' -f2 | xargs)\" = 'haoked $VERSION-1 amd64' ]"
  dpkg-deb -c "$DEB" > "$WORK/deb.list"
  check "deb: everything belongs to root, nobody else may write" eval "! grep -vE '^[dl-]r[w-][x-]r-[x-]r-[x-] root/root ' '$WORK/deb.list'"
  check "deb: program, unit, account, settings, man page, completion, notices" eval "[ \$(grep -cE './usr/(bin/haoked|lib/systemd/system/haoked.service|lib/sysusers.d/haoke.conf|share/man/man1/haoked.1.gz|share/bash-completion/completions/haoked|share/doc/haoked/(copyright|THIRD-PARTY.txt))\$|./etc/default/haoked\$' '$WORK/deb.list') = 8 ]"
  check "deb: settings of the owner stay at an upgrade" eval "dpkg-deb --ctrl-tarfile '$DEB' | tar -xO ./conffiles | grep -qx /etc/default/haoked"
  check "deb: the program in it is the built one" eval "dpkg-deb --fsys-tarfile '$DEB' | tar -xO ./usr/bin/haoked | cmp - '$DAEMON'"
  mkdir -p "$WORK/control"; dpkg-deb -e "$DEB" "$WORK/control"
  for f in preinst postinst prerm postrm; do check "deb: $f parses, nothing is left to fill in" eval "sh -n '$WORK/control/$f' && ! grep -E '@[A-Z]+@|\\$\\{PKG' '$WORK/control/$f'"; done
  check "window's deb names the libraries it needs" eval "dpkg-deb -f '$WORK/out/haoke_${VERSION}-1_amd64.deb' Depends | grep -q libwebkit2gtk-4.1-0"
  if ! have rpm; then skip "rpm: no rpm"; return; fi
  check "rpm: sums right" rpm -K --nosignature "$RPM"
  check "rpm: the same files as the deb" eval "diff <(rpm -qpl '$RPM' | sort) <(sed -n 's,.* \\./,/,p' '$WORK/deb.list' | grep -v '/\$' | cat - <(echo /etc/haoke) | sort)"
  check "rpm: has the four scripts" eval "[ \$(rpm -qp --scripts '$RPM' | grep -c 'scriptlet (using /bin/sh)') = 4 ]"
}

# The script before an upgrade, in a root of its own with a program that only
# says its version.
downgrade() {
  local root=$WORK/root before=$WORK/control/preinst
  pretend() {
    rm -rf "$root"; mkdir -p "$root/usr/bin" "$root/var/lib/haoke"; echo data > "$root/var/lib/haoke/haoke.db"
    printf '#!/bin/sh\ncase $1 in version) echo "haoked %s (abc)";; backup) [ "$2 $4" = "--data --out" ] && cp "$3/haoke.db" "$5";; esac\n' "$1" > "$root/usr/bin/haoked"; chmod 0755 "$root/usr/bin/haoked"
  }
  copied() { DPKG_ROOT=$root sh "$before" upgrade && cmp "$root/var/lib/haoke/haoke.db" "$root/var/lib/haoke/before-upgrade/$1"-*.backup; }
  untouched() { [ ! -e "$root/var/lib/haoke/before-upgrade" ]; }
  for newer in 99.0.0 "$VERSION.1" 99.0.0-rc.1; do
    pretend "$newer"
    check "upgrade: over $newer this version is refused with a sentence" eval "refused 'which is newer than $VERSION' env DPKG_ROOT='$root' sh '$before' upgrade && untouched"
  done
  for older in 0.0.9 "$VERSION-rc.1" "$VERSION"; do
    pretend "$older"
    check "upgrade: over $older it goes on, the data is copied" copied "$older"
  done
  pretend 99.0.0
  check "upgrade: backwards when it is asked for" env HAOKE_ALLOW_DOWNGRADE=1 DPKG_ROOT="$root" sh "$before" upgrade
  rm -rf "$root"; mkdir -p "$root"
  check "upgrade: where nothing is installed there is nothing to do" eval "DPKG_ROOT='$root' sh '$before' install && test -z \"\$(ls '$root')\""
}

linux() {
  if have systemd-analyze; then
    sed "s,/usr/bin/haoked,$DAEMON," installers/linux/haoked.service > "$WORK/haoked.service"
    check "systemd unit is valid" eval "said=\$(SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no '$WORK/haoked.service' 2>&1) && echo \"\$said\" && [ -z \"\$said\" ]"
    check "systemd unit exposes at most 2.0" systemd-analyze security --offline=true --threshold=20 "$WORK/haoked.service"
  else skip "systemd unit: no systemd-analyze"; fi
  if have desktop-file-validate; then check "desktop entry" desktop-file-validate installers/linux/haoke.desktop; else skip "desktop entry: no desktop-file-validate"; fi
  if have appstreamcli; then check "AppStream data" appstreamcli validate --no-net "$WORK/stage/share/io.haoke.Haoke.metainfo.xml"; else skip "AppStream data: no appstreamcli"; fi
  if have mandoc; then check "man page" sh -c "gzip -dc '$WORK/stage/share/haoked.1.gz' | mandoc -T lint -W error"; else skip "man page: no mandoc"; fi
  check "completion for bash parses" bash -n "$WORK/stage/share/haoked.bash"
}

mac() {
  check "macOS: property lists" python3 - <<'P'
import plistlib
read = lambda name: plistlib.load(open("installers/darwin/" + name, "rb"))
info, daemon = read("Info.plist"), read("haoke.haoked.plist")
assert info["CFBundleShortVersionString"] == "@VERSION@" and info["CFBundleExecutable"] == "haoke", info
assert all(read("entitlements.plist").values())
program = daemon["ProgramArguments"][0]
script = open("installers/darwin/install.sh").read()
assert f"label={daemon['Label']}\n" in script and f"mv {program}.new {program}" in script, "install.sh and launchd disagree"
P
}

docker() {
  if have yamllint; then check "compose file: lint" yamllint -d '{extends: relaxed, rules: {line-length: disable}}' installers/docker/compose.yaml; else skip "compose file: no yamllint"; return; fi
  check "compose file: limits, read-only, no rights, admin page on this machine alone" python3 - <<'P'
import yaml
services = yaml.safe_load(open("installers/docker/compose.yaml"))["services"]
h = services["haoke"]
assert h["deploy"]["resources"]["limits"] == {"cpus": "2", "memory": "2G"}, h["deploy"]
assert h["read_only"] and h["cap_drop"] == ["ALL"] and h["security_opt"] == ["no-new-privileges:true"]
assert h["ports"] == ["8787:8787", "127.0.0.1:8788:8788"], h["ports"]
assert h["image"].endswith(":-" + open("build/VERSION").read().strip() + "}"), h["image"]
assert ":?" in h["environment"]["HAOKE_ADMIN_PASSWORD"], "a password has to be wanted"
assert services["clickhouse"]["profiles"] == ["archive"], "the archive is optional"
P
  # the rules that every linter of Dockerfiles begins with
  check "Dockerfile: FROM scratch, no root, health, no ADD" eval "grep -qx 'FROM scratch' installers/docker/Dockerfile && grep -q '^USER 10001' installers/docker/Dockerfile && grep -q '^HEALTHCHECK' installers/docker/Dockerfile && ! grep -qE '^(ADD|RUN|MAINTAINER)' installers/docker/Dockerfile"
}

# The Windows installer with small files in place of the programs.
windows() {
  if ! have makensis; then skip "Windows: no makensis"; return; fi
  local s=$WORK/nsis arch stub
  mkdir -p "$s"; for f in haoke.exe haoked.exe LICENSE.txt THIRD-PARTY.txt webview2.exe; do echo "in place of $f" > "$s/$f"; done
  for arch in amd64 arm64; do
    stub=amd64-unicode; [ $arch = amd64 ] || stub=x86-unicode
    check "Windows: the installer for $arch compiles without a warning" makensis -V2 -WX -INPUTCHARSET UTF8 -DCOMPRESSOR=zlib -DROOT="$ROOT" -DVERSION="$VERSION" -DARCH=$arch -DSTUB=$stub \
      -DSTAGE="$s" -DWEBVIEW="$s/webview2.exe" -DOUTFILE="$s/setup-$arch.exe" installers/windows/haoke.nsi
    check "Windows: ... is a program with this version in it" python3 -c 'import sys
b = open(sys.argv[1], "rb").read(); assert b[:2] == b"MZ" and sys.argv[2].encode("utf-16-le") in b' "$s/setup-$arch.exe" "$VERSION"
  done
  check "Windows: every sentence in both languages" python3 - <<'P'
import re
lines = [l for l in open("installers/windows/words.nsh", encoding="utf-8") if l.startswith("!insertmacro Words ")]
han = lambda text: re.search("[\u4e00-\u9fff]", text)
assert len(lines) > 20, f"{len(lines)} sentences only"
for l in lines:
    english, chinese = re.fullmatch(r'!insertmacro Words \w+ "(.+?)" "(.+)"', l.strip()).groups()
    assert han(chinese) and not han(english), l
P
  check "Windows: exit codes of the installer are those of the manual" eval "diff <(grep -ohE '(Stop [^ ]* \"[^\"]*\" |SetErrorLevel )[0-9]+' installers/windows/*.nsi installers/windows/*.nsh | grep -oE '[0-9]+\$' | sort -un) <(grep '^Exit codes' installers/README.md | grep -oE '(: |, )[0-9]+' | grep -oE '[0-9]+' | sort -un)"
}

# The notice of a new version: signed, checked, not believed when changed.
updates() {
  local m=$WORK/manifest k=$WORK/release.key d=$WORK/release public
  mkdir -p "$d"; echo "a program" > "$d/haoke-$VERSION-windows-amd64-setup.exe"; cp "$DEB" "$d/" 2>/dev/null
  check "notice: the makers' tool builds" go build -o "$m" ./installers/tools/manifest
  check "notice: a key" eval "'$m' keygen --key '$k' > '$WORK/public'"
  public=$(cat "$WORK/public")
  check "notice: made and signed" "$m" make --key "$k" --version "$VERSION" --dir "$d"
  check "notice: believed with the makers' key" eval "'$m' check --public '$public' '$d/latest.json' | grep -q 'version $VERSION'"
  check "notice: not with another's" eval "'$m' keygen --key '$k.other' > '$WORK/other' && ! '$m' check --public \"\$(cat '$WORK/other')\" '$d/latest.json'"
  sed -i 's/"version":/"version" :/' "$d/latest.json"
  check "notice: not when a byte was changed" eval "! '$m' check --public '$public' '$d/latest.json'"
}

# What is read by those who install.
papers() {
  check "changes: this version has a part of its own" eval "awk -v v='## $VERSION' '/^## /{on=index(\$0, v)==1; next} on' CHANGELOG.md | grep -q ."
  check "pictures of the manuals are there, none is large" eval "for f in \$(grep -ohE '\\]\\(\\.?\\.?/?build/readme/[^)]*' README*.md installers/README*.md | sed 's,.*build/,build/,' | sort -u); do [ -s \$f ] && [ \$(stat -c %s \$f) -lt 153600 ] || { echo \$f; exit 1; }; done"
  check "migrations: a data folder of every release" eval "for v in \$(sed -n 's/^## \\([0-9][^ ]*\\).*/\\1/p' CHANGELOG.md); do [ -s backend/testdata/releases/\$v.tar.gz ] || { echo \"of \$v is none\"; exit 1; }; done"
}

begun=$SECONDS
for part in scripts parts packages downgrade linux mac docker windows updates papers; do $part; done
echo "installers: $passed passed, $failed failed, $skipped not tried, $((SECONDS - begun)) s"
[ $failed = 0 ]
