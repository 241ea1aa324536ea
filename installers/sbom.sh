#!/usr/bin/env bash
# Prints a CycloneDX 1.5 list of what is inside the built programs: Go and its
# modules as the programs themselves tell, what else is in them, and (as excluded)
# what only built the pages. SOURCE_DATE_EPOCH is the time in it.
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
// what is in the programs beside modules, as the page "About" lists it
const name = (p) => p.replace("@", "%40");
for (const o of JSON.parse(fs.readFileSync("backend/internal/adminapi/others.json"))) {
  const purl = o.npm ? `pkg:npm/${name(o.package)}@${o.version}` : `pkg:generic/${encodeURIComponent(o.package)}`;
  parts.push({ type: o.npm ? "library" : "data", name: o.package, version: o.version, scope: "required", licenses: [{ license: { id: o.licence } }], purl });
}
// what only built the pages
for (const part of ["admin", "widget"]) {
  for (const [at, p] of Object.entries(JSON.parse(fs.readFileSync(`frontend/${part}/package-lock.json`, "utf8")).packages)) {
    const called = at.replace(/^.*node_modules\//, "");
    if (at) parts.push({ type: "library", name: called, version: p.version, scope: p.dev ? "excluded" : "required", purl: `pkg:npm/${name(called)}@${p.version}` });
  }
}
const seen = new Set();
const components = parts.filter((p) => !seen.has(p.purl) && seen.add(p.purl)).sort((a, b) => (a.purl < b.purl ? -1 : 1));
console.log(JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.5", version: 1, metadata: { timestamp: new Date(Number(process.env.SOURCE_DATE_EPOCH || 0) * 1000).toISOString(), component: { type: "application", name: "haoke", version: process.argv[1] } }, components }, null, 1));
' "$(cat build/VERSION)"
