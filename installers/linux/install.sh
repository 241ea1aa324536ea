#!/bin/sh
# Puts the window of Haoke beside this file into your own account, without root:
# program, menu entry and icon. "./install.sh remove" takes them away again; the
# data in ~/.local/share/haoke stays. Wants GTK 3 and WebKitGTK 4.1 of the system.
set -e
cd "$(dirname "$0")"
data=${XDG_DATA_HOME:-$HOME/.local/share}
bin=$HOME/.local/bin
if [ "${1:-}" = remove ]; then
  rm -f "$bin/haoke" "$data/applications/haoke.desktop"
  for icon in icons/*.png; do s=$(basename "$icon" .png); rm -f "$data/icons/hicolor/${s}x$s/apps/haoke.png"; done
  echo "removed; the conversations stay in $data/haoke"
  exit 0
fi
if command -v ldd >/dev/null && ldd ./haoke | grep -q 'not found'; then
  echo "This system lacks what the window needs:" >&2
  ldd ./haoke | grep 'not found' >&2
  echo "Install WebKitGTK 4.1 (libwebkit2gtk-4.1-0, webkit2gtk4.1), or take haoked, which needs nothing." >&2
  exit 1
fi
fail() {
  rm -f "$bin/haoke.new"
  echo "Haoke was not installed: $1. What was there is as before." >&2
  exit 1
}
mkdir -p "$bin" "$data/applications" 2>/dev/null || fail "$bin or $data/applications cannot be made"
# Whole or not at all, also over a version that is running: it goes on, and the
# next start is the new one.
cp haoke "$bin/haoke.new" 2>/dev/null || fail "$bin cannot be written, or the disk is full"
chmod 0755 "$bin/haoke.new"
mv "$bin/haoke.new" "$bin/haoke" || fail "$bin/haoke cannot be replaced"
sed "s,^Exec=haoke,Exec=\"$bin/haoke\"," haoke.desktop > "$data/applications/haoke.desktop"
for icon in icons/*.png; do
  s=$(basename "$icon" .png)
  mkdir -p "$data/icons/hicolor/${s}x$s/apps"
  cp "$icon" "$data/icons/hicolor/${s}x$s/apps/haoke.png"
done
echo "Haoke is in your menu; its program is $bin/haoke"
