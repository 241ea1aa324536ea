#!/usr/bin/env bash
# The real window under a virtual display with a session bus of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in dbus-run-session xvfb-run xdotool import convert node gdbus dunst openbox xfce4-panel; do
  command -v "$tool" >/dev/null || { echo "test-desktop: $tool is missing; make setup-test installs it"; exit 1; }
done
# What needs no display but links the system's web view.
CGO_ENABLED=1 GOFLAGS="-buildvcs=false -trimpath" go test -tags webkit2_41,desktop,production ./app
mkdir -p build/shots
export WINDOW_UNDER_TEST="${WINDOW_UNDER_TEST:-build/bin/haoke}" DAEMON_UNDER_TEST="${DAEMON_UNDER_TEST:-build/bin/haoked}"
[ -x "$DAEMON_UNDER_TEST" ] || make --no-print-directory daemon
export XDG_CONFIG_HOME; XDG_CONFIG_HOME=$(mktemp -d)
trap 'rm -rf "$XDG_CONFIG_HOME"' EXIT
PARTS=${TEST_DESKTOP:-desktop desktop-wizard desk tray update}
case " $PARTS " in *" update "*) # two versions of the window with one makers' key
  export GOFLAGS="-buildvcs=false -trimpath"
  export RELEASE_KEY_UNDER_TEST="$XDG_CONFIG_HOME/release.key" MANIFEST_TOOL="$XDG_CONFIG_HOME/manifest" NEXT_UNDER_TEST="$XDG_CONFIG_HOME/haoke-next"
  go build -o "$MANIFEST_TOOL" ./installers/tools/manifest
  public=$("$MANIFEST_TOOL" keygen --key "$RELEASE_KEY_UNDER_TEST")
  for version in 0.1.0 0.2.0; do
    CGO_ENABLED=1 go build -tags webkit2_41,desktop,production -ldflags "-s -w -X haoke/backend.Version=$version -X haoke/backend.UpdateKeys=$public" -o "$XDG_CONFIG_HOME/haoke-$version" .
  done
  mv "$XDG_CONFIG_HOME/haoke-0.2.0" "$NEXT_UNDER_TEST" ;;
esac
# Each part has a display, a bus and settings of its own. TEST_DESKTOP names some.
for part in $PARTS; do
  mkdir -p "$XDG_CONFIG_HOME/$part"
  window=$WINDOW_UNDER_TEST
  [ "$part" = update ] && window="$XDG_CONFIG_HOME/haoke-0.1.0"
  WINDOW_UNDER_TEST=$window XDG_CONFIG_HOME="$XDG_CONFIG_HOME/$part" dbus-run-session -- xvfb-run -a -s "-screen 0 1400x900x24 -nolisten tcp" node "build/test-$part.mjs"
done
