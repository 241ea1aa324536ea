// The weight of the first paint: everything that index.html loads at once. The
// build fails above the budget, and on anything that the policy would refuse.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET = 120 * 1024;
const dist = new URL('../dist/', import.meta.url);
const read = (path) => readFileSync(new URL(path, dist));

const html = read('index.html').toString();
const scripts = [...html.matchAll(/(?:src|href)="\.\/([^"]+\.js)"/g)].map((m) => m[1]);
if (scripts.length === 0) throw new Error('index.html loads no script');

// A static import is loaded with its importer; dynamic ones come later.
const initial = new Set();
const queue = [...scripts];
while (queue.length) {
  const file = queue.pop();
  if (initial.has(file)) continue;
  initial.add(file);
  const code = read(file).toString();
  for (const match of code.matchAll(/(?:^|[;}\s])(?:import|export)\s*(?:[^'"()]*?from\s*)?["']\.\/([^"']+\.js)["']/g)) queue.push(`assets/${match[1]}`);
}
const weigh = (files) => files.reduce((sum, file) => sum + gzipSync(read(file), { level: 9 }).length, 0);
const first = weigh([...initial]);
const all = weigh(readdirSync(new URL('assets/', dist)).filter((f) => f.endsWith('.js')).map((f) => `assets/${f}`));

if (/<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle="|\son\w+="/.test(html)) throw new Error('index.html has an inline script or style, which the policy refuses');
if (/https?:\/\/(?!www\.w3\.org)/.test(html)) throw new Error('index.html loads something from elsewhere');
for (const file of readdirSync(new URL('assets/', dist)).filter((f) => f.endsWith('.js'))) {
  const code = read(`assets/${file}`).toString();
  if (/\beval\(|new Function\(/.test(code)) throw new Error(`${file} evaluates code, which the policy refuses`);
  if (/<[a-z]+[^<>]*\sstyle="/.test(code)) throw new Error(`${file} has a style attribute in a template, which the policy refuses`);
}
writeFileSync(new URL('.gitkeep', dist), '');
const kb = (n) => `${(n / 1024).toFixed(1)} KB`;
console.log(`first paint: ${kb(first)} of ${kb(BUDGET)} gzip JS in ${initial.size} files; all pages: ${kb(all)}`);
if (first > BUDGET) {
  console.error('The first paint is above its budget.');
  process.exit(1);
}
