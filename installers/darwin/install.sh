#!/bin/sh
# Puts the daemon beside this file into /usr/local/bin and has launchd keep it
# running for your account; "./install.sh remove" undoes that, the conversations
# in ~/Library/Application Support/Haoke stay.
set -e
cd "$(dirname "$0")"
[ "$(uname)" = Darwin ] || { echo "this is for macOS" >&2; exit 1; }
label=haoke.haoked
agent=$HOME/Library/LaunchAgents/$label.plist
launchctl bootout "gui/$(id -u)/$label" 2>/dev/null || true
if [ "${1:-}" = remove ]; then
  rm -f "$agent"
  sudo rm -f /usr/local/bin/haoked
  echo "removed; the conversations stay in ~/Library/Application Support/Haoke"
  exit 0
fi
if [ -f "$HOME/Library/Application Support/Haoke/haoke.db" ] && [ -x /usr/local/bin/haoked ]; then
  mkdir -p "$HOME/Library/Application Support/Haoke/before-upgrade"
  /usr/local/bin/haoked backup --out "$HOME/Library/Application Support/Haoke/before-upgrade/$(date -u +%Y%m%dT%H%M%S).backup"
fi
xattr -d com.apple.quarantine haoked 2>/dev/null || true # what a browser downloaded
sudo mkdir -p /usr/local/bin
sudo install -m 0755 haoked /usr/local/bin/haoked.new
sudo mv /usr/local/bin/haoked.new /usr/local/bin/haoked # whole or not at all
mkdir -p "$HOME/Library/LaunchAgents"
cp $label.plist "$agent"
launchctl bootstrap "gui/$(id -u)" "$agent"
echo "Haoke serves: http://127.0.0.1:8787/demo is the demo shop, http://127.0.0.1:8788 the admin page"
