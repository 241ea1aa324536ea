// What visitors may do beside chatting, against the real appliance: files, the
// form for when nobody is there, identities that the shop has signed, a page
// of another origin.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { openPage, until, Widget } from '../lib/browser.mjs'
import { open, skip } from '../lib/house.mjs'
import { script } from '../lib/office.mjs'

const SECRET = 'a-secret-of-the-shop-that-is-long-enough'
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

let browser, serve, close, outside
before(async () => {
  if (skip) return
  // A shop that lives elsewhere: its page embeds the widget of the appliance.
  outside = createServer((_, res) => {
    res.setHeader('content-type', 'text/html; charset=utf-8')
    res.end(`<!doctype html><title>Shop elsewhere</title><body><h1>Shop</h1><script src="${serve.public}/widget.js" data-site="default" async></script>`)
  })
  await new Promise(r => outside.listen(0, '127.0.0.1', r))
  outside.url = `http://127.0.0.1:${outside.address().port}`
  ;({ browser, serve, close } = await open(`
[server]
allowed_origins = ["${outside.url}"]
[site]
identity_secret = "${SECRET}"
[upload]
enabled = true
`))
})
after(async () => {
  await close?.()
  outside?.closeAllConnections()
  outside?.close()
})

/** Calls the admin API; the answer's body, which must not be an error. */
const admin = (path, body, method = body ? 'POST' : 'GET') => script(serve, method, path, body)

async function shop(t, { url = serve.public + '/demo', ...options } = {}) {
  const page = await openPage(browser, options)
  t.after(() => page.context().close())
  await page.goto(url)
  return { page, w: new Widget(page) }
}

/** Says something nobody else says, and resolves with the conversation at the appliance. */
async function talk(w, text) {
  await w.open()
  await w.say(text)
  await w.message('ai')
  const { items } = await admin('/conversations?state=all&limit=50')
  for (const c of items) {
    const full = await admin('/conversations/' + c.id)
    if (full.messages.some(m => m.text === text)) return full.conversation || full
  }
  throw new Error('no conversation has: ' + text)
}

const b64 = o => Buffer.from(JSON.stringify(o)).toString('base64url')
function jwt(claims, secret = SECRET) {
  const head = b64({ alg: 'HS256', typ: 'JWT' }) + '.' + b64(claims)
  return head + '.' + createHmac('sha256', secret).update(head).digest('base64url')
}
const inAnHour = () => Math.floor(Date.now() / 1000) + 3600

/** Attaches a file by the button. */
async function attach(page, w, file) {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), w.host.getByRole('button', { name: 'Attach a file' }).click()])
  await chooser.setFiles(file)
}

for (const where of ['the demo shop', 'a page of another origin']) {
  test(`a picture is stored, shown and served as a download: ${where}`, { skip }, async t => {
    const { page, w } = await shop(t, where === 'the demo shop' ? {} : { url: outside.url })
    await w.open()
    await w.say('A picture is coming')
    await w.message('ai')
    await attach(page, w, { name: 'broken [cup].png', mimeType: 'image/png', buffer: PNG })
    const img = w.host.locator('[data-from=visitor] img')
    await img.waitFor()
    await until('its pixels', () => img.evaluate(i => i.complete && i.naturalWidth === 1))
    const src = await img.evaluate(i => i.src)
    assert.equal(new URL(src).origin, serve.public)
    const res = await fetch(src)
    assert.match(res.headers.get('content-disposition'), /^attachment/)
    assert.equal(res.headers.get('content-type'), 'image/png')
    await page.reload()
    await img.waitFor()
  })
}

test('a file of another kind than its name says is refused in words', { skip }, async t => {
  const { page, w } = await shop(t)
  await w.open()
  await w.say('A page is coming')
  await w.message('ai')
  const before = (await w.texts()).length
  await attach(page, w, { name: 'cup.png', mimeType: 'image/png', buffer: Buffer.from('<html><script>alert(1)</script></html>') })
  await w.host.getByText('Files like cup.png are not accepted.').waitFor()
  assert.equal((await w.texts()).length, before)
})

test('a file without a visitor token is refused', { skip }, async () => {
  const form = new FormData()
  form.append('file', new Blob([PNG], { type: 'image/png' }), 'x.png')
  const res = await fetch(serve.public + '/v1/upload?site=default', { method: 'POST', body: form, headers: { authorization: 'Bearer nonsense' } })
  assert.equal(res.status, 401)
})

test('nobody is there: the form reaches the owner', { skip }, async t => {
  const page = await openPage(browser)
  t.after(() => page.context().close())
  // The appliance with its simulator always has an answer, so it is the test
  // that says on its behalf that nobody is there.
  await page.routeWebSocket(/\/v1\/chat/, ws => {
    const server = ws.connectToServer()
    server.onMessage(m => ws.send(String(m).replace('"mode":"ai"', '"mode":"offline"')))
  })
  await page.goto(serve.public + '/demo')
  const w = new Widget(page)
  await w.open()
  const f = w.host.locator('.card.offline')
  await f.waitFor()
  const text = 'Please call me back, ' + Date.now()
  await f.getByLabel('Name').fill('Ann <b>Example</b>')
  await f.getByLabel('E-mail').fill('ann@example.com')
  await f.getByLabel('Message').fill(text)
  await f.getByRole('button', { name: 'Send' }).click()
  await f.getByText('We will write to ann@example.com').waitFor()
  const { items } = await admin('/left-messages')
  const left = items.find(m => m.text === text)
  assert.equal(left.name, 'Ann <b>Example</b>')
  assert.equal(left.email, 'ann@example.com')
  assert.match(left.page_url, /\/demo$/)
})

test('an identity that the shop has signed is believed, others are not', { skip }, async t => {
  const as = token => ({ init: `window.HaokeSettings={user:{token:'${token}'}}` })
  const cases = [
    [jwt({ sub: 'u-1', name: 'Ann', email: 'ann@example.com', exp: inAnHour() }), 'u-1'],
    [jwt({ sub: 'u-2', name: 'Bob', exp: inAnHour() }, 'another secret'), undefined],
    [jwt({ sub: 'u-3', name: 'Eve', exp: 1 }), undefined],
    [b64({ alg: 'none' }) + '.' + b64({ sub: 'u-4', exp: inAnHour() }) + '.', undefined],
  ]
  for (const [token, sub] of cases) {
    const { w } = await shop(t, as(token))
    const c = await talk(w, 'Who am I, ' + token.slice(-12))
    assert.equal(c.visitor.sub, sub, token)
    if (sub) assert.deepEqual([c.visitor.name, c.visitor.email], ['Ann', 'ann@example.com'])
  }
})

test('the HMAC of an id is believed, as of those who come from Chatwoot', { skip }, async t => {
  const hash = createHmac('sha256', SECRET).update('u-7').digest('hex')
  const { w } = await shop(t, { init: `window.HaokeSettings={user:{id:'u-7',name:'Ann',hash:'${hash}'}}` })
  const c = await talk(w, 'Known by hash, ' + Date.now())
  assert.equal(c.visitor.sub, 'u-7')
  assert.equal(c.visitor.name, 'Ann')
})

test('a page that may not embed the widget gets no line', { skip }, async t => {
  const { page, w } = await shop(t, { url: outside.url.replace('127.0.0.1', 'localhost') })
  await w.open()
  await w.host.getByText('Connecting.').waitFor()
  assert.notEqual(await page.evaluate(() => Haoke.getStatus().connection), 'open')
})
