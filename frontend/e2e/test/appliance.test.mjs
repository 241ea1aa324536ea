// The whole appliance in a real browser: the demo shop for a visitor, the admin
// page for the owner, the real daemon and its simulator behind both.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { launch, openPage, until, Widget } from '../lib/browser.mjs'
import { cuttable } from '../lib/cut.mjs'
import { haveDaemon, startServe, startSim } from '../lib/daemon.mjs'

const SHOTS = join(import.meta.dirname, '../../../build/shots')
const TOKEN = 'script-token-for-the-tests'

let browser, sim, serve
before(async () => {
  assert.ok(haveDaemon(), 'build/bin/haoked is missing: make daemon')
  mkdirSync(SHOTS, { recursive: true })
  browser = await launch()
  sim = await startSim(['--latency', '150ms', '--pace', '60ms', '--key', 'sk-right-one-1234'])
  serve = await startServe({ config: config(sim) })
})
after(async () => {
  await browser?.close()
  await serve?.end()
  await sim?.stop()
})

/** The text of the latest answer, '' while there is none. */
const answered = async w => (await w.texts()).findLast(m => m.from === 'ai')?.text ?? ''

const config = sim => `
[admin]
token = "${TOKEN}"
[upstream]
base_url = "${sim.url}/v1"
[[upstream.keys]]
name = "first"
value = "sk-right-one-1234"
[secrets]
store = "file"
`

const api = async (path, init = {}) => {
  const res = await fetch(serve.admin + '/api/admin/v1' + path, { ...init, headers: { Authorization: 'Bearer ' + TOKEN, 'Content-Type': 'application/json', ...init.headers } })
  return { status: res.status, body: res.headers.get('content-type')?.includes('json') ? await res.json() : await res.text() }
}

async function shop(t, options) {
  const page = await openPage(browser, options)
  t.after(() => page.context().close())
  await page.goto((options?.url ?? serve.public) + '/demo')
  return { page, w: new Widget(page) }
}

test('demo shop: ask, read the streamed answer, reload, it is still there', async t => {
  const { page, w } = await shop(t)
  await w.open()
  await w.say('Do you ship to Norway? [[say:We ship to Norway within five working days, and the parcel is tracked all the way.]]')
  await until('a half answer', async () => /Norway/.test(await w.host.locator('.tail').innerText().catch(() => '')))
  await until('the whole answer', async () => /tracked all the way/.test(await answered(w)))
  await page.screenshot({ path: join(SHOTS, 'demo-desktop.png') })
  const before = await w.texts()
  await page.reload()
  await w.open()
  await until('the conversation again', async () => (await w.texts()).length === before.length)
  assert.deepEqual(await w.texts(), before)
})

test('demo shop on a phone, in Chinese', async t => {
  const { page, w } = await shop(t, { viewport: { width: 390, height: 844 }, locale: 'zh-CN', hasTouch: true })
  await w.open()
  await w.say('请问怎么退货？')
  await until('an answer', async () => (await w.texts()).some(m => m.from === 'ai' && m.text.length > 5))
  await page.screenshot({ path: join(SHOTS, 'demo-phone-zh.png') })
})

test('the network is cut in the middle of an answer and comes back', async t => {
  const cut = await cuttable(new URL(serve.public).port)
  t.after(() => cut.end())
  const { w } = await shop(t, { url: `http://127.0.0.1:${cut.port}` })
  await w.open()
  await w.say('Tell me about [[say:' + Array.from({ length: 60 }, (_, i) => 'word' + i).join(' ') + ']]')
  await until('a beginning', async () => /word3/.test(await w.host.locator('.tail').innerText().catch(() => '')))
  cut.drop()
  await until('the whole answer', async () => /word59/.test(await answered(w)), 20_000)
  const all = await w.texts()
  assert.equal(all.filter(m => m.from === 'visitor').length, 1)
  assert.equal(all.filter(m => m.from === 'ai').length, 1)
})

test('kill -9 of the appliance: nothing acknowledged is lost, the open turn is answered', async t => {
  const { w } = await shop(t)
  await w.open()
  await w.say('First [[say:the first answer]]')
  await until('an answer', async () => /first answer/.test(await answered(w)))
  await w.say('Second [[say:' + 'slowly '.repeat(80) + 'done]]')
  await until('the second begins', async () => /slowly/.test(await w.host.locator('.tail').innerText().catch(() => '')))
  serve = await serve.restart('SIGKILL')
  await until('the second answer after the restart', async () => /done$/.test((await answered(w)).trim()), 40_000)
  const from = (await w.texts()).map(m => m.from).filter(f => f !== 'system')
  assert.deepEqual(from, ['visitor', 'ai', 'visitor', 'ai'])
})

test('full page at /chat', async t => {
  const page = await openPage(browser)
  t.after(() => page.context().close())
  await page.goto(serve.public + '/chat?site=default')
  const w = new Widget(page)
  await w.panel.waitFor()
  await w.say('Hello [[say:good day to you]]')
  await until('an answer', async () => /good day to you/.test(await answered(w)))
})

test('owner: claim the page, see a conversation live, take it over, answer', async t => {
  const page = await openPage(browser, { viewport: { width: 1280, height: 800 } })
  t.after(() => page.context().close())
  await page.goto(serve.admin + '/')
  const words = /type these words: (.+)$/m.exec(serve.errors())?.[1]?.trim()
  assert.ok(words, 'the log does not show the words to claim with: ' + serve.errors())
  const fields = page.locator('input')
  await fields.first().waitFor()
  await page.screenshot({ path: join(SHOTS, 'admin-claim.png') })
  const claim = await page.evaluate(
    async ([token, password]) => (await fetch('/api/admin/v1/session/claim', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token, name: 'owner', password }) })).status,
    [words, 'a long enough password'],
  )
  assert.equal(claim, 200)
  await api('/wizard', { method: 'PUT', body: JSON.stringify({ step: '', done: true }) })
  const visitor = await shop(t)
  await visitor.w.open()
  await visitor.w.say('I need help with order 4711')
  await until('an answer', async () => (await visitor.w.texts()).some(m => m.from === 'ai'))
  await page.goto(serve.admin + '/#/conversations')
  await page.reload()
  await page.getByText('order 4711').first().click()
  await page.getByRole('button', { name: /take over/i }).click()
  await until('the visitor is told', async () => (await visitor.w.texts()).some(m => m.from === 'system'))
  const box = page.getByRole('textbox').last()
  await box.fill('This is Anna. I have found your order.')
  await box.press('Enter')
  await until('the operator at the visitor', async () => (await visitor.w.texts()).some(m => m.from === 'operator' && /Anna/.test(m.text)))
  await page.screenshot({ path: join(SHOTS, 'admin-conversation.png') })
  assert.deepEqual(page.errors.filter(e => !/401|favicon/.test(e)), [])
})

test('owner: overview, keys with a test, widget snippet, settings', async t => {
  const page = await openPage(browser, { viewport: { width: 1280, height: 800 } })
  t.after(() => page.context().close())
  page.on('response', r => r.status() >= 400 && r.status() !== 401 && page.errors.push(`${r.status()} ${r.url()}`))
  await page.goto(serve.admin + '/')
  await page.evaluate(async () => fetch('/api/admin/v1/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name: 'owner', password: 'a long enough password' }) }))
  for (const name of ['overview', 'keys', 'widget', 'settings', 'filters', 'faq', 'archive', 'logs', 'backup', 'about']) {
    await page.goto(`${serve.admin}/#/${name}`)
    if (name === 'overview') await page.reload()
    await page.getByRole('heading', { level: 1 }).first().waitFor()
    await page.waitForTimeout(400)
    await page.screenshot({ path: join(SHOTS, `real-${name}.png`) })
  }
  await page.goto(`${serve.admin}/#/keys`)
  const test = await api('/keys/first/test', { method: 'POST' })
  assert.equal(test.body.ok, true, JSON.stringify(test.body))
  const wrong = await api('/keys/test', { method: 'POST', body: JSON.stringify({ preset: 'custom', base_url: sim.url + '/v1', value: ' sk-wrong-key-9999\n', model: '' }) })
  assert.equal(wrong.body.ok, false)
  assert.match(wrong.body.text, /401|refused/)
  assert.deepEqual(page.errors.filter(e => !/401|favicon/.test(e)), [])
})
