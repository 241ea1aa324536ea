import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until, Widget } from '../lib/browser.mjs'
import { shops } from '../lib/shop.mjs'

const { shop, start, stop } = shops()
before(start)
after(stop)

test('nothing is requested, stored or connected before the first click', async t => {
  const { mock, page, w } = await shop(t)
  await w.launcher.waitFor()
  await page.waitForTimeout(300)
  const extra = mock.requests.filter(r => !/GET \/(demo|demo\.css|demo\.js|widget\.js)$/.test(r))
  assert.deepEqual(extra, ['GET /v1/site?site=default'])
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, ''])
  await w.open()
  await until('a socket', () => mock.sockets.size === 1)
})

test('the bubble shifts nothing and the shadow root is closed', async t => {
  const body = '<!doctype html><title>t</title><script src="/widget.js" async></script><body><h1>A page</h1>' + '<p>words</p>'.repeat(60)
  const { page } = await shop(t, { color: '#8a2be2', side: 'right' }, { path: '/bare', pages: { '/bare': body }, closed: true, init: () => {
    window.shift = 0
    new PerformanceObserver(l => l.getEntries().forEach(e => (window.shift += e.value))).observe({ type: 'layout-shift', buffered: true })
  } })
  await page.locator('haoke-chat').waitFor({ state: 'attached' })
  await page.waitForTimeout(300)
  assert.equal(await page.evaluate(() => document.querySelector('haoke-chat').shadowRoot), null)
  assert.equal(await page.evaluate(() => window.shift), 0)
  // A real click at the bubble's place opens it.
  await page.mouse.click(1280 - 15 - 48, 800 - 48)
  await until('open', () => page.evaluate(() => window.Haoke.isOpen()))
  assert.equal(await page.evaluate(() => window.shift), 0)
})

test('ask, read the streamed answer, reload, it is still there', async t => {
  const { mock, page, w } = await shop(t)
  mock.answer = () => ({ pieces: ['Two ', '**working**', ' days.'], pause: 800 })
  await w.open()
  await w.say('How long?')
  await until('a piece', async () => /Two/.test(await w.host.locator('.tail').innerText()))
  assert.equal(await w.message('ai'), 'Two working days.')
  assert.equal(await w.host.locator('[data-from=ai] strong').innerText(), 'working')
  await page.reload()
  assert.equal(await w.message('ai'), 'Two working days.')
  assert.equal(await w.message('visitor'), 'How long?')
  assert.deepEqual(page.errors, [])
})

test('dots at once, gone with the first piece, never stuck after a cut', async t => {
  const { mock, page, w } = await shop(t)
  let go
  mock.answer = () => ({ wait: new Promise(r => (go = r)), pieces: ['Yes.'], pause: 300 })
  await w.open()
  await until('line', () => mock.sockets.size)
  await page.evaluate(() => {
    const root = document.querySelector('haoke-chat').shadowRoot
    let at
    Haoke.on('message:sent', () => (at = performance.now()))
    new MutationObserver(() => (window.dots ??= root.querySelector('.dots') && performance.now() - at)).observe(root, { childList: true, subtree: true })
  })
  await w.say('Hi')
  await w.host.locator('.dots').waitFor()
  t.diagnostic(`dots after ${Math.round(await page.evaluate(() => window.dots))} ms`)
  go()
  await w.message('ai')
  assert.equal(await w.host.locator('.dots').count(), 0)
  mock.answer = () => ({ wait: new Promise(() => {}), pieces: [] })
  await w.say('Again')
  await w.host.locator('.dots').waitFor()
  mock.down = true
  mock.cut()
  await until('dots gone', async () => (await w.host.locator('.dots').count()) === 0)
})

test('comforts that come late take away neither the dots nor what was read', async t => {
  for (const piece of ['', 'So **far**']) {
    const { mock, page, w } = await shop(t)
    const dots = w.host.locator('.dots')
    const tail = w.host.locator('.tail')
    let free
    const held = new Promise(r => (free = r))
    await page.route('**/assets/more.js*', async route => (await held, route.continue()))
    mock.answer = () => null
    await w.open()
    await w.say('Hi')
    await dots.waitFor()
    if (piece) {
      mock.push(mock.last(), { type: 'ai', seq: 2, part: 0, data: piece })
      await tail.getByText('So far').waitFor()
    }
    free()
    await w.host.getByRole('button', { name: 'More', exact: true }).waitFor()
    assert.deepEqual([await dots.count(), await tail.allInnerTexts()], piece ? [0, ['So far']] : [1, []])
    assert.deepEqual(page.errors, [])
  }
})

test('a cut in the middle of an answer: what was read stays and goes on', async t => {
  const { mock, w } = await shop(t)
  mock.answer = () => ({ pieces: 'one two three four five six seven eight nine ten'.split(/(?= )/), pause: 150 })
  await w.open()
  await w.say('Count')
  await until('pieces', async () => /three/.test(await w.host.locator('.tail').innerText()))
  mock.cut()
  assert.match(await w.host.locator('.tail').innerText(), /three/)
  assert.equal(await w.message('ai'), 'one two three four five six seven eight nine ten')
  assert.equal(await w.host.locator('.tail').count(), 0)
})

test('stop ends the answer and says so', async t => {
  const { mock, w } = await shop(t)
  mock.answer = () => ({ pieces: Array(400).fill('word '), pause: 20 })
  await w.open()
  await w.say('Talk')
  await w.host.locator('.tail').waitFor({ state: 'attached' })
  await until('the button stops', async () => (await w.go.getAttribute('aria-label')) === 'Stop the answer')
  await w.go.click()
  await w.message('ai')
  assert.ok((await w.host.locator('.src').innerText()).includes('Stopped'))
})

test('an answer that could not be made offers to try again', async t => {
  const { mock, w } = await shop(t)
  mock.answer = text => (mock.tries = (mock.tries || 0) + 1) > 1 ? { pieces: ['Fine: ' + text] } : { system: 'I could not find an answer just now.', finish: 'error' }
  await w.open()
  await w.say('Hello?')
  await w.host.getByRole('button', { name: 'Try again' }).click()
  assert.equal(await w.message('ai'), 'Fine: Hello?')
})

test('a refused message shows why, is sent again after the time that was named', async t => {
  const { mock, w } = await shop(t)
  let times = 0
  mock.on = (f, ws) => {
    if (f.type !== 'message' || times++) return false
    ws.send(JSON.stringify({ type: 'error', code: 'rate_limited', message: 'Please wait a second.', retry_after: 1, id: f.id }))
    return true
  }
  await w.open()
  await w.say('Fast')
  await w.host.getByText('Please wait a second.').waitFor()
  assert.match(await w.message('ai'), /Fast/)
  assert.equal(await w.host.getByText('Please wait a second.').count(), 0)
})

test('two tabs share one conversation', async t => {
  const { mock, page, w } = await shop(t)
  await w.open()
  await w.say('From the first')
  await w.message('ai')
  const second = await page.context().newPage()
  await second.goto(mock.url + '/demo')
  const v = new Widget(second)
  await v.open()
  assert.equal(await v.message('visitor'), 'From the first')
  await v.say('From the second')
  await until('both see it', async () => (await w.texts()).some(m => m.text === 'From the second'))
  assert.equal(mock.conversations.size, 1)
})

test('a new message while closed: badge, title, one sound', async t => {
  const { mock, page, w } = await shop(t)
  await w.open()
  await w.say('Hi')
  await w.message('ai')
  await page.evaluate(() => {
    window.sounds = 0
    Haoke.on('sound', () => window.sounds++)
    Haoke.close()
  })
  mock.say(mock.last(), 'operator', 'Mei here.', { name: 'Mei' })
  await until('badge', async () => (await w.host.locator('.l b').innerText()) === '1')
  assert.match(await page.title(), /^\(1\) /)
  await until('sound', () => page.evaluate(() => window.sounds === 1))
  assert.match(await w.launcher.getAttribute('aria-label'), /1 unread/)
  await w.open()
  assert.doesNotMatch(await page.title(), /^\(/)
  assert.equal(await page.evaluate(() => Haoke.getUnread()), 0)
})

test('a text that was not sent survives a reload, a message that waits too', async t => {
  const { mock, page, w } = await shop(t)
  await w.open()
  await until('line', () => mock.sockets.size)
  mock.down = true
  mock.cut()
  await w.say('Kept')
  await w.box.fill('half a thou')
  await page.reload()
  await w.panel.waitFor()
  assert.equal(await w.box.inputValue(), 'half a thou')
  mock.down = false
  await until('it arrives', () => mock.last()?.messages.some(m => m.text === 'Kept'), 20_000)
})

test('an unknown token starts a new conversation and loses no message', async t => {
  const { mock, page, w } = await shop(t)
  await w.open()
  await w.say('One')
  await w.message('ai')
  mock.conversations.clear()
  mock.cut()
  await w.say('Two')
  await until('a new one', () => mock.last()?.messages.some(m => m.text === 'Two'), 15_000)
  await until('its answer', async () => (await w.texts()).length === 2)
  assert.deepEqual((await w.texts()).map(m => m.from), ['visitor', 'ai'])
  assert.equal(await w.message('visitor'), 'Two')
  assert.deepEqual(page.errors, [])
})

test('a changed epoch: the history is read again from the start', async t => {
  const { mock, w } = await shop(t)
  await w.open()
  await w.say('One')
  await w.message('ai')
  const conv = mock.last()
  conv.epoch = 'e2'
  conv.messages[1].text = 'Restored.'
  mock.cut()
  await until('restored', async () => (await w.texts()).at(-1)?.text === 'Restored.')
  assert.equal((await w.texts()).length, 2)
})

test('final and pausing close codes are respected', async t => {
  const { mock, page, w } = await shop(t)
  await w.open()
  await until('line', () => mock.sockets.size)
  mock.closeAll(4000)
  await until('paused', () => page.evaluate(() => Haoke.getStatus().connection === 'paused'))
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  await until('back', () => mock.sockets.size)
  await until('open', () => page.evaluate(() => Haoke.getStatus().connection === 'open'))
  mock.closeAll(4101)
  await w.host.getByText('not available').waitFor()
  const n = mock.requests.length
  await page.waitForTimeout(1500)
  assert.equal(mock.requests.length, n)
})
