#!/usr/bin/env bash
# Starts what was built: the window where there is a display, else the daemon.
set -euo pipefail
cd "$(dirname "$0")/.."
display=no
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ "$(uname)" = Darwin ]; then display=yes; fi
if [ "$display" = yes ] && pkg-config --exists webkit2gtk-4.1 gtk+-3.0 2>/dev/null; then
  make --no-print-directory desktop
  echo "run: starting the window; its first page shows the demo shop's address"
  exec build/bin/haoke "$@"
fi
make --no-print-directory daemon
[ "$display" = yes ] || echo "run: no display here, so the daemon runs without the window"
exec build/bin/haoked serve "$@"
