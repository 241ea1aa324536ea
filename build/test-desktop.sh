#!/usr/bin/env bash
# The real window under a virtual display with a session bus of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in dbus-run-session xvfb-run xdotool import convert node; do
  command -v "$tool" >/dev/null || { echo "test-desktop: $tool is missing; make setup-test installs it"; exit 1; }
done
mkdir -p build/shots
export WINDOW_UNDER_TEST="${WINDOW_UNDER_TEST:-build/bin/haoke}" DAEMON_UNDER_TEST="${DAEMON_UNDER_TEST:-build/bin/haoked}"
[ -x "$DAEMON_UNDER_TEST" ] || make --no-print-directory daemon
export XDG_CONFIG_HOME; XDG_CONFIG_HOME=$(mktemp -d)
trap 'rm -rf "$XDG_CONFIG_HOME"' EXIT
dbus-run-session -- xvfb-run -a -s "-screen 0 1400x900x24 -nolisten tcp" node build/test-desktop.mjs
