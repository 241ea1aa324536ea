// Against the real appliance: HAOKE_URL names a running one; else the built
// daemon is started with the simulator as its upstream.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, openPage, until, Widget } from '../lib/browser.mjs'
import { haveDaemon, startServe, startSim } from '../lib/daemon.mjs'

const url = process.env.HAOKE_URL
const skip = !url && !haveDaemon() && 'neither HAOKE_URL nor build/bin/haoked is there'

let browser
let sim
let served
before(async () => {
  if (skip) return
  browser = await launch()
  if (url) return
  sim = await startSim(['--latency', '300ms', '--pace', '60ms', '--tokens', '40'])
  served = await startServe({ config: `[upstream]\nbase_url = "${sim.url}/v1"\n[[upstream.keys]]\nname = "sim"\nvalue = "sk-sim"\n` })
})
after(async () => {
  await browser?.close()
  await served?.end()
  await sim?.stop()
})

async function demo(t, options) {
  const page = await openPage(browser, options)
  t.after(() => page.context().close())
  await page.goto((url || served.public) + '/demo')
  return { page, w: new Widget(page) }
}

test('the demo shop: ask, read the streamed answer, reload, it is still there', { skip }, async t => {
  const { page, w } = await demo(t)
  await w.open()
  await w.say('Please tell me about your teapots, number ' + Date.now())
  await w.host.locator('.tail').waitFor({ state: 'attached', timeout: 15_000 })
  const text = await w.message('ai')
  assert.ok(text.length > 20, text)
  await page.reload()
  assert.equal(await w.message('ai'), text)
  assert.deepEqual(page.errors, [])
})

test('the line is cut in the middle of an answer: it goes on, nothing is lost or doubled', { skip }, async t => {
  const { page, w } = await demo(t)
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Network.enable')
  await w.open()
  await w.say('First, number ' + Date.now())
  await w.host.locator('.tail').waitFor({ state: 'attached', timeout: 15_000 })
  const offline = off => cdp.send('Network.emulateNetworkConditions', { offline: off, latency: 0, downloadThroughput: -1, uploadThroughput: -1 })
  await offline(true)
  await w.say('Second, written without a line')
  await page.waitForTimeout(500)
  await offline(false)
  await until('both asked, both answered', async () => {
    const all = (await w.texts()).map(m => m.from)
    return all.filter(f => f === 'visitor').length === 2 && all.at(-1) === 'ai'
  }, 40_000)
  const asked = (await w.texts()).filter(m => m.from === 'visitor').map(m => m.text.split(',')[0])
  assert.deepEqual(asked, ['First', 'Second'])
})

test('a restart of the appliance in the middle of an answer', { skip: skip || (url && 'needs its own appliance') }, async t => {
  const { w } = await demo(t)
  await w.open()
  await w.say('Will this survive, number ' + Date.now())
  await w.host.locator('.tail').waitFor({ state: 'attached', timeout: 15_000 })
  served = await served.restart('SIGKILL')
  await until('an end of the turn', async () => /ai|system/.test((await w.texts()).at(-1)?.from), 60_000)
  assert.equal((await w.texts()).filter(m => m.from === 'visitor').length, 1)
})
