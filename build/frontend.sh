#!/usr/bin/env bash
# Builds the widget and the admin page into their dist folders, which the
# programs embed. Each is built only when its sources changed.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp() { # a hash over everything that shapes the build of $1
  (cd "$1" && find . -path ./node_modules -prune -o -path ./dist -prune -o -type f -print0 | sort -z | xargs -0 sha256sum; node --version) | sha256sum | cut -d' ' -f1
}

for part in widget admin; do
  dir=frontend/$part
  now=$(stamp "$dir")
  # The page draws answers with the widget's own Markdown.
  [ "$part" = widget ] || now+=$(sha256sum frontend/widget/src/{md,rich,dom}.ts | sha256sum)
  mark=$dir/node_modules/.built
  if [ -f "$mark" ] && [ "$(cat "$mark")" = "$now" ] && [ -n "$(find "$dir/dist" -type f ! -name .gitkeep -print -quit)" ]; then
    continue
  fi
  echo "frontend: building $part"
  (cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run --silent build)
  touch "$dir/dist/.gitkeep"
  echo "$now" > "$mark"
done

# With "test", also what the browser tests need; nothing is downloaded but
# packages of the lockfile.
if [ "${1:-}" = test ]; then
  lock=frontend/e2e/package-lock.json
  mark=frontend/e2e/node_modules/.installed
  now=$(sha256sum "$lock" | cut -d' ' -f1)
  if [ ! -f "$mark" ] || [ "$(cat "$mark")" != "$now" ]; then
    echo "frontend: installing the browser tests' packages"
    (cd frontend/e2e && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    echo "$now" > "$mark"
  fi
fi
