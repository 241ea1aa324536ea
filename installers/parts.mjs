// Is what the pages bundle, and what the programs link, in every list of parts?
// node installers/parts.mjs THIRD-PARTY.txt LIST.cdx.json
// The admin page is built once more with source maps, which name every file
// that went into it; the widget must take nothing from a package at all.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [, , noticesFile, listFile] = process.argv;
const root = join(import.meta.dirname, '..');
const faults = [];
const want = (right, fault) => right || faults.push(fault);
const lockOf = (part) => JSON.parse(readFileSync(join(root, 'frontend', part, 'package-lock.json'))).packages;
const others = JSON.parse(readFileSync(join(root, 'backend/internal/adminapi/others.json')));
const shown = new Map(others.filter((o) => o.npm).map((o) => [o.package, o.version]));

/** The packages of which the built admin page has code, by its source maps. */
function bundled() {
  const out = mkdtempSync(join(tmpdir(), 'haoke-parts-'));
  try {
    execFileSync(join(root, 'frontend/admin/node_modules/.bin/vite'), ['build', '--sourcemap', 'hidden', '--logLevel', 'error', '--emptyOutDir', '--outDir', out], { cwd: join(root, 'frontend/admin') });
    const names = new Set();
    for (const f of readdirSync(join(out, 'assets')).filter((f) => f.endsWith('.map')))
      for (const s of JSON.parse(readFileSync(join(out, 'assets', f))).sources) {
        const found = [...s.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].at(-1);
        if (found) names.add(found[1]);
      }
    return names;
  } finally {
    rmSync(out, { recursive: true });
  }
}

const lock = lockOf('admin');
const inPage = bundled();
want(inPage.size > 2, 'the source maps of the admin page name no packages');
for (const name of inPage) want(shown.has(name), `the admin page has code of ${name}, which the page "About" does not name (backend/internal/adminapi/others.json)`);
for (const [at, p] of Object.entries(lock)) {
  const name = at.replace(/^.*node_modules\//, '');
  if (at && !p.dev) want(shown.has(name), `${name} is for production by the lock file, but not in others.json`);
}
for (const o of others.filter((o) => o.npm)) {
  want(o.helper || inPage.has(o.package), `others.json names ${o.package}, of which nothing is in the admin page`);
  const locked = lock[`node_modules/${o.package}`];
  want(locked?.version === o.version, `others.json has ${o.package} ${o.version}, the lock file ${locked?.version}`);
  want(locked?.license === o.licence, `others.json has ${o.licence} for ${o.package}, the lock file ${locked?.license}`);
}
for (const [at, p] of Object.entries(lockOf('widget'))) want(!at || p.dev, `${at} is for production by the lock file of the widget, which shall need no package`);
const sources = execFileSync('git', ['ls-files', 'frontend/widget/src'], { cwd: root, encoding: 'utf8' }).trim().split('\n').filter((f) => f.endsWith('.ts'));
let imports = 0;
for (const f of sources)
  for (const [, from, bare, later] of readFileSync(join(root, f), 'utf8').matchAll(/^(?:(?:import|export)\b[^'"\n=]*|\} )from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)|\bimport\(\s*['"]([^'"]+)/gm)) {
    imports++;
    want((from ?? bare ?? later).startsWith('.'), `${f} takes ${from ?? bare ?? later} from a package`);
  }
want(imports > 50, `only ${imports} imports were found in the widget`);

// both lists
const notices = new Map(readFileSync(noticesFile, 'utf8').split(/^={16} /m).slice(1).map((s) => [s.split('\n', 1)[0], s.length]));
const components = JSON.parse(readFileSync(listFile)).components;
const listed = (name, version) => components.some((c) => c.name === name && (c.version ?? '') === version && c.scope !== 'excluded');
const noticed = (name) => want(notices.get(name) > 300, `the notices have no text of ${name}`);
for (const o of others) {
  noticed(o.version ? `${o.package} ${o.version}` : o.package);
  want(listed(o.package, o.version), `the list of parts lacks ${o.package} ${o.version}`);
}
let modules = 0;
for (const c of components.filter((c) => c.purl?.startsWith('pkg:golang/'))) modules += noticed(`${c.name} ${c.version}`) ? 1 : 0;
want(modules > 20, `the list of parts names ${modules} Go modules only`);
want(listed('go', execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).trim()), 'the list of parts does not name Go');

for (const f of faults) console.error(`parts: ${f}`);
console.log(`parts: ${inPage.size} packages in the admin page, ${others.length} parts beside ${modules} Go modules, ${notices.size} notices, ${components.length} components`);
process.exit(faults.length ? 1 : 0);
