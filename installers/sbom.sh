#!/usr/bin/env bash
# Prints a CycloneDX 1.5 list of what is inside the built programs: Go and its
# modules as the programs themselves tell, and what the pages bundle by their
# lock files. SOURCE_DATE_EPOCH is the time in it.
set -euo pipefail
cd "$(dirname "$0")/.."
go version -m "$@" | node -e '
const fs = require("node:fs");
const parts = [];
for (const line of fs.readFileSync(0, "utf8").split("\n")) {
  const [, kind, path, version, sum] = line.split("\t");
  const go = /: (go[0-9.]+)/.exec(line);
  if (go) parts.push({ type: "platform", name: "go", version: go[1], purl: `pkg:generic/go@${go[1].slice(2)}` });
  if (kind === "dep") parts.push({ type: "library", name: path, version, purl: `pkg:golang/${path}@${version}`, ...(sum && { properties: [{ name: "go:sum", value: sum }] }) });
}
for (const part of ["admin", "widget"]) {
  const file = `frontend/${part}/package-lock.json`;
  if (!fs.existsSync(file)) continue;
  for (const [at, p] of Object.entries(JSON.parse(fs.readFileSync(file, "utf8")).packages)) {
    if (!at) continue;
    const name = at.replace(/^.*node_modules\//, "");
    parts.push({ type: "library", name, version: p.version, scope: p.dev ? "excluded" : "required", purl: `pkg:npm/${name.replace("@", "%40")}@${p.version}` });
  }
}
const seen = new Set();
const components = parts.filter((p) => !seen.has(p.purl) && seen.add(p.purl)).sort((a, b) => (a.purl < b.purl ? -1 : 1));
console.log(JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.5", version: 1, metadata: { timestamp: new Date(Number(process.env.SOURCE_DATE_EPOCH || 0) * 1000).toISOString(), component: { type: "application", name: "haoke", version: process.argv[1] } }, components }, null, 1));
' "$(cat build/VERSION)"
