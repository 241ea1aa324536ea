#!/usr/bin/env bash
# Prints a CycloneDX 1.5 list of what is inside a built program: Go modules as
# the program itself tells, and what the pages bundle by their lock files.
set -euo pipefail
cd "$(dirname "$0")/.."
go version -m "$1" | node -e '
const fs = require("node:fs");
const parts = [];
for (const line of fs.readFileSync(0, "utf8").split("\n")) {
  const [, kind, path, version] = line.split("\t");
  if (kind === "dep") parts.push({ type: "library", name: path, version, purl: `pkg:golang/${path}@${version}` });
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
console.log(JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.5", version: 1, metadata: { component: { type: "application", name: "haoke", version: process.argv[1] } }, components }, null, 1));
' "$(cat build/VERSION)"
