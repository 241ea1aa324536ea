// The same in stock Firefox: every test of a plain conversation (chat.test.mjs),
// and the real appliance behind it.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { FIREFOX, launch, openPage, until, Widget } from '../lib/browser.mjs'
import { cuttable } from '../lib/cut.mjs'
import { haveDaemon, startServe, startSim } from '../lib/daemon.mjs'
import { startMock } from '../lib/mock.mjs'

const there = existsSync(FIREFOX)
assert.ok(there || !process.env.HAOKE_TEST_REQUIRE, `${FIREFOX} is missing: make setup-test`)
const skip = !there ? FIREFOX + ' is missing' : !haveDaemon() && 'build/bin/haoked is missing'

process.env.HAOKE_BROWSER = 'firefox'
if (there) await import('./chat.test.mjs')

let browser, sim, serve, line
before(async () => {
  if (skip) return
  browser = await launch()
  sim = await startSim(['--latency', '100ms', '--pace', '40ms'])
  serve = await startServe({ config: `[upstream]\nbase_url = "${sim.url}/v1"\n[[upstream.keys]]\nname = "sim"\nvalue = "sk-sim"\n[secrets]\nstore = "file"\n` })
  line = await cuttable(new URL(serve.public).port)
})
after(async () => {
  await browser?.close()
  line?.end()
  await serve?.end()
  await sim?.stop()
})

async function demo(t, options = {}) {
  const page = await openPage(browser, options)
  t.after(() => page.context().close())
  await page.goto(`http://127.0.0.1:${line.port}/demo`)
  return { page, w: new Widget(page) }
}
const answer = async w => (await w.texts()).findLast(m => m.from === 'ai')?.text ?? ''

test('Firefox, real appliance: a cut in mid-answer, a reload, a second tab', { skip }, async t => {
  const { page, w } = await demo(t)
  await w.open()
  await w.say('Tell me about [[say:' + Array.from({ length: 50 }, (_, i) => 'word' + i).join(' ') + ']]')
  await until('a beginning', async () => /word3/.test(await w.host.locator('.tail').innerText().catch(() => '')))
  line.drop()
  await until('the whole answer', async () => /word49$/.test((await answer(w)).trim()))
  const said = await w.texts()
  assert.deepEqual(said.map(m => m.from), ['visitor', 'ai'])
  await page.reload()
  await until('the conversation again', async () => (await w.texts()).length === 2)
  assert.deepEqual(await w.texts(), said)

  const other = new Widget(await page.context().newPage())
  await other.page.goto(page.url())
  await other.open()
  await until('the conversation in the other tab', async () => (await other.texts()).length === 2)
  await other.say('From the other tab [[say:heard]]')
  await until('both tabs have it', async () => /heard/.test(await answer(w)) && /heard/.test(await answer(other)))
  assert.deepEqual(page.errors, [])
})

test('Firefox, real appliance: to another page and back', { skip }, async t => {
  const { page, w } = await demo(t)
  await w.open()
  await w.say('First [[say:one]]')
  await until('an answer', async () => /one/.test(await answer(w)))
  await page.goto('about:blank')
  await page.goBack()
  await until('the line again', () => page.evaluate(() => window.Haoke?.getStatus?.().connection === 'open'))
  await w.say('Second [[say:two]]')
  await until('the second answer', async () => /two/.test(await answer(w)))
  assert.deepEqual((await w.texts()).map(m => m.from), ['visitor', 'ai', 'visitor', 'ai'])
})

test('Firefox: Arabic, mirrored', { skip }, async t => {
  const mock = await startMock({ site: { title: 'متجر' } })
  const page = await openPage(browser, { locale: 'ar' })
  t.after(async () => {
    await page.context().close()
    await mock.stop()
  })
  await page.goto(mock.url + '/demo')
  const w = new Widget(page)
  await w.open()
  await until('the words', async () => /[\u0600-\u06ff]/.test(await w.box.getAttribute('placeholder')))
  await w.say('مرحبا')
  await w.message('ai')
  const [own, panel, send] = await Promise.all([w.host.locator('[data-from=visitor] .x').boundingBox(), w.panel.boundingBox(), w.go.boundingBox()])
  assert.ok(own.x - panel.x < panel.x + panel.width - (own.x + own.width), 'own messages stand at the left')
  assert.ok(send.x - panel.x < panel.width / 2, 'the send button stands at the left')
})
