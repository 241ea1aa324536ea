// Builds the widget: one classic script, and one file for each part that is
// loaded on use. Fails when what every visitor loads outgrows its budget.
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

const BUDGET = 14 * 1024
const root = import.meta.dirname
const dist = root + '/dist'

mkdirSync(dist, { recursive: true })
for (const f of readdirSync(dist)) if (f !== '.gitkeep') rmSync(`${dist}/${f}`, { recursive: true })

/** Bundles one entry into one classic script. */
async function bundle(entry, file, define = {}) {
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    define,
    build: {
      target: ['es2020', 'chrome90', 'firefox90', 'safari15'],
      cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
      outDir: dist,
      emptyOutDir: false,
      lib: { entry: `${root}/src/${entry}`, formats: ['iife'], name: 'hk', fileName: () => file },
      rollupOptions: { output: { extend: false } },
    },
  })
}

const parts = []
for (const f of readdirSync(`${root}/src/parts`)) if (f.endsWith('.ts')) parts.push([`parts/${f}`, f.replace(/\.ts$/, '.js')])
for (const f of readdirSync(`${root}/src/lang`)) {
  if (/^(en|pick|dict)\.ts$/.test(f)) continue
  parts.push([`lang/${f}`, 'l-' + f.replace(/\.ts$/, '.js')])
}
for (const f of readdirSync(`${root}/src/shims`)) if (f !== 'shim.ts') parts.push([`shims/${f}`, 'shim-' + f.replace(/\.ts$/, '.js')])
const hash = createHash('sha256')
for (const [entry, file] of parts.sort()) {
  await bundle(entry, file)
  hash.update(readFileSync(`${dist}/${file}`))
}
// The parts' addresses change with their content, so they may be cached for ever.
await bundle('main.ts', 'widget.js', { __V__: JSON.stringify(hash.digest('hex').slice(0, 10)) })
cpSync(`${root}/public`, dist, { recursive: true })
cpSync(`${root}/haoke.d.ts`, `${dist}/haoke.d.ts`)

const sizes = readdirSync(dist)
  .filter(f => f.endsWith('.js'))
  .map(f => [f, gzipSync(readFileSync(`${dist}/${f}`), { level: 9 }).length])
for (const [f, n] of sizes) console.log(String(n).padStart(7), f)
writeFileSync(`${dist}/sizes.json`, JSON.stringify(Object.fromEntries(sizes), null, 1) + '\n')

const core = sizes.find(([f]) => f === 'widget.js')[1]
if (core > BUDGET) {
  console.error(`widget.js has ${core} bytes gzip, ${core - BUDGET} more than the ${BUDGET} that a visitor should have to load`)
  process.exit(1)
}
console.log(`widget.js: ${core} of ${BUDGET} bytes gzip`)
