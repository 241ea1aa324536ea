#!/usr/bin/env bash
# Tries the service under a running systemd: a machine of its own that boots
# from a folder (systemd-nspawn), without a network but its own loopback.
# Sourced by ../test.sh after test.sh, whose helpers it uses.
# shellcheck shell=bash

# A root that boots, made once.
booting_root() {
  local at=$WORK/base-systemd
  have debootstrap && have systemd-nspawn && [ "$(id -u)" = 0 ] || return 1
  [ -f "$at/.complete" ] || { rm -rf "$at"; debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,procps bookworm "$at" > "$WORK/debootstrap.log" 2>&1 && touch "$at/.complete"; } || return 1
  rm -rf "$1" && cp -a --reflink=auto "$at" "$1" && rm -f "$1/.complete" "$1/etc/machine-id" && echo haoke-test > "$1/etc/hostname"
}

# Boots it: sets machine (the process to end) and leader (whose world it is).
boot() {
  systemd-nspawn -D "$1" --boot --register=no --keep-unit --private-network --console=pipe < /dev/null > "$WORK/boot.log" 2>&1 &
  machine=$!
  for _ in $(seq 1500); do
    leader=$(pgrep -P $machine | head -1)
    [ -n "$leader" ] && [[ $(inside systemctl is-system-running 2>&1) =~ running|degraded ]] && return 0
    kill -0 $machine 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}
inside() { nsenter -t "$leader" -m -u -i -n -p -- "$@"; }
net() { nsenter -t "$leader" -n -- "$@"; } # programs of this machine, that one's network
shut_down() { inside systemctl poweroff > /dev/null 2>&1; for _ in $(seq 300); do kill -0 $machine 2>/dev/null || return 0; sleep 0.1; done; kill -9 $machine; }
becomes() { # state of the service, within 90 s
  for _ in $(seq 900); do [ "$(inside systemctl is-active haoked)" = "$1" ] && return 0; sleep 0.1; done
  inside systemctl status haoked --no-pager; return 1
}
property() { inside systemctl show haoked -p "$1" --value; }
net_ask() { net node "$ROOT/installers/ask.mjs" http://127.0.0.1:8787 > "$WORK/asked" && tail -1 "$WORK/asked" > "$WORK/token"; }
net_again() {
  if net node "$ROOT/installers/ask.mjs" http://127.0.0.1:8787 "Do you ship abroad?" "$(cat "$WORK/token")" | tee "$WORK/asked" && grep -q '^replayed [1-9]' "$WORK/asked"; then return 0; fi
  inside journalctl -u haoked --no-pager -n 4
  return 1
}

linux_live() {
  local root=$WORK/live pid before
  if ! booting_root "$root"; then skip "systemd: needs debootstrap, systemd-container and root"; return; fi
  cp "$(file_of "$WORK/older/haoked_*_amd64.deb")" "$root/root/older.deb"; cp "$(file_of "build/dist/haoked_$VERSION*_amd64.deb")" "$root/root/new.deb"
  if ! boot "$root"; then skip "systemd: does not boot in a folder here (control groups): $(tail -1 "$WORK/boot.log")"; kill $machine 2>/dev/null; return; fi
  check "systemd: the package starts the service, which says when it is ready" eval "inside dpkg -i /root/older.deb && becomes active && [ \"\$(property Type)\" = notify ] && inside systemctl is-enabled haoked"
  check "systemd: a visitor asks and is answered" net_ask
  check "systemd: the words for claiming the admin page stand in the journal" eval "inside journalctl -u haoked --no-pager -o cat | grep -qE 'type these words: [A-Z0-9]{4}-'"
  pid=$(property MainPID)
  check "systemd: an account of its own, no capability, no new rights, a filter of calls" eval "inside cat /proc/$pid/status > '$WORK/status' && grep -qE '^CapEff:\\s+0+\$' '$WORK/status' && grep -qE '^NoNewPrivs:\\s+1' '$WORK/status' && grep -qE '^Seccomp:\\s+2' '$WORK/status' && ! grep -qE '^Uid:\\s+0' '$WORK/status'"
  # a machine inside a machine cannot be given more than that one has
  check "systemd: 65,536 files may be open, or what is the most here" eval "[ \"\$(property LimitNOFILE)\" = 65536 ] && [ \$(inside prlimit --pid $pid --nofile --output HARD --noheadings) -ge \$(( \$(ulimit -Hn) < 65536 ? \$(ulimit -Hn) : 65536 )) ]"
  check "systemd: the data are closed to others" eval "[ \"\$(inside stat -c '%a %U' /var/lib/haoke)\" = '700 haoke' ]"
  inside kill -9 "$pid"
  check "systemd: killed, it is started again" eval "sleep 3; becomes active && [ \"\$(property NRestarts)\" = 1 ] && net_again"
  pid=$(property MainPID)
  inside kill -STOP "$pid"
  check "systemd: hung, it is ended by the watchdog and started again" eval "for _ in \$(seq 900); do [ \"\$(property NRestarts)\" = 2 ] && break; sleep 0.1; done; becomes active && [ \"\$(property MainPID)\" != $pid ] && net_again"
  check "systemd: upgraded, the new one serves and the conversation goes on" eval "inside dpkg -i /root/new.deb && becomes active && inside haoked version | grep -q 'haoked $VERSION' && net_again"
  check "systemd: ... the data was copied before" eval "inside sh -c 'ls /var/lib/haoke/before-upgrade/0.0.9-*.backup'"
  before=$(property MainPID)
  check "systemd: an older version is refused, the newer goes on" eval "refuses_older '$root' inside dpkg -i /root/older.deb && [ \"\$(property MainPID)\" = $before ] && net_again"
  check "systemd: after a power cut it serves again" eval "kill -9 $machine; kill -9 $leader; sleep 2; boot '$root' && becomes active && net_again"
  check "systemd: removal ends the service" eval "inside dpkg -r haoked && ! inside systemctl is-active haoked && ! inside pgrep haoked"
  check "systemd: purge leaves no data" eval "inside dpkg -P haoked && ! inside test -e /var/lib/haoke"
  shut_down
}
