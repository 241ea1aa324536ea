// Builds the widget: one classic script, and one file for each part that is
// loaded on use. Fails when what every visitor loads outgrows its budget.
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

/** Bytes gzip of what a text chat needs, and of that with the comforts. */
const BUDGET = 12 * 1024
const WITH_COMFORTS = 20 * 1024
const root = import.meta.dirname
const dist = root + '/dist'

mkdirSync(dist, { recursive: true })
for (const f of readdirSync(dist)) if (f !== '.gitkeep') rmSync(`${dist}/${f}`, { recursive: true })

/** Takes the blanks out of style sheets and keeps the order of declarations, which packs better than a sorted one. */
const css = {
  name: 'css',
  enforce: 'pre',
  resolveId: (file, from) => (file.endsWith('.css?inline') ? '\0' + resolve(dirname(from), file.replace('?inline', '.txt')) : null),
  load(id) {
    if (!id.startsWith('\0') || !id.endsWith('.css.txt')) return
    const text = readFileSync(id.slice(1, -4), 'utf8')
    const packed = text.replace(/\/\*[^]*?\*\//g, '').replace(/\s+/g, ' ').replace(/ ?([{};,>]) ?/g, '$1').replace(/: /g, ':').replace(/;}/g, '}').replace(/\b0\./g, '.')
    return { code: 'export default ' + JSON.stringify(packed.trim()), moduleType: 'js' }
  },
}

/** Bundles one entry into one classic script. */
async function bundle(entry, file, define = {}) {
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    define,
    plugins: [css],
    build: {
      target: ['es2021', 'chrome90', 'firefox90', 'safari15'],
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

const size = Object.fromEntries(sizes)
for (const [what, n, most] of [
  ['widget.js', size['widget.js'], BUDGET],
  ['widget.js and more.js', size['widget.js'] + size['more.js'], WITH_COMFORTS],
]) {
  console.log(`${what}: ${n} of ${most} bytes gzip`)
  if (n > most) {
    console.error(`${what}: ${n - most} bytes more than a visitor should have to load`)
    process.exitCode = 1
  }
}
