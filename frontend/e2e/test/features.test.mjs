import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import { until, Widget } from '../lib/browser.mjs'
import { shops } from '../lib/shop.mjs'

const { shop, start, stop } = shops()
before(start)
after(stop)

test('quick questions, person, a person answers and leaves', async t => {
  const { mock, page, w } = await shop(t, { quick: ['How long?', 'How much?'] })
  await page.evaluate(() => {
    window.seen = []
    for (const e of ['handoff:requested', 'handoff:joined', 'handoff:ended']) Haoke.on(e, () => window.seen.push(e))
  })
  await w.open()
  await w.host.getByRole('button', { name: 'How long?' }).click()
  await w.message('ai')
  assert.equal(await w.host.locator('.q').isVisible(), false)
  await w.host.getByRole('button', { name: 'Talk to a person' }).click()
  assert.match(await w.message('system'), /person/)
  await until('waiting', async () => /soon/.test(await w.host.locator('.who p').innerText()))
  const conv = mock.last()
  mock.setMode(conv, 'human')
  mock.say(conv, 'operator', 'Hello, Mei here.', { name: 'Mei' })
  await until('named', async () => (await w.host.locator('.who p').innerText()) === 'Mei')
  assert.equal(await w.host.locator('[data-from=operator] .n span').innerText(), 'Mei')
  mock.push(conv, { type: 'status', state: 'typing' })
  await w.host.locator('.dots').waitFor()
  mock.setMode(conv, 'ai')
  await until('events', () => page.evaluate(() => window.seen.join() === 'handoff:requested,handoff:joined,handoff:ended'))
})

test('the person can be asked for before any line is there', async t => {
  const { mock, w } = await shop(t)
  mock.down = true
  await w.open()
  await w.host.getByRole('button', { name: 'Talk to a person' }).click()
  mock.down = false
  await until('asked', () => mock.last()?.mode === 'waiting', 15_000)
})

test('nobody there: the form tells what is wrong, is sent, says thanks', async t => {
  const { mock, w } = await shop(t, { away: 'We are back on Tuesday.' })
  mock.mode = 'offline'
  await w.open()
  await w.host.getByText('We are back on Tuesday.').waitFor()
  const f = w.host.locator('.card.offline')
  await f.getByRole('button', { name: 'Send' }).click()
  assert.equal(await f.locator('[aria-invalid=true]').count(), 2)
  await f.getByLabel('E-mail').fill('not an address')
  await f.getByLabel('Message').fill('Is the pot oven-safe?')
  await f.getByRole('button', { name: 'Send' }).click()
  await f.getByText('This is not an e-mail address.').waitFor()
  await f.getByLabel('E-mail').fill('ann@example.com')
  await f.getByRole('button', { name: 'Send' }).click()
  await f.getByText('We will write to ann@example.com').waitFor()
  assert.equal(mock.offline.length, 1)
  const { page: url, ...rest } = mock.offline[0]
  assert.deepEqual(rest, { site: 'default', name: '', email: 'ann@example.com', message: 'Is the pot oven-safe?' })
  assert.match(url, /\/demo$/)
})

test('required consent: nothing is connected or stored until agreed', async t => {
  const { mock, page, w } = await shop(t, { consent: { text: 'We keep this for 90 days.', url: '/privacy', required: true } })
  await w.open()
  await w.host.getByText('90 days').waitFor()
  assert.equal(await w.box.isVisible(), false)
  assert.equal(await w.host.getByRole('button', { name: 'Talk to a person' }).count(), 0)
  await page.waitForTimeout(300)
  assert.equal(mock.sockets.size, 0)
  assert.equal(await page.evaluate(() => localStorage.length), 0)
  await w.host.getByRole('button', { name: 'Agree and start' }).click()
  await w.say('Hi')
  await w.message('ai')
  await page.reload()
  await w.message('ai')
  assert.equal(await w.host.getByText('90 days').count(), 0)
})

test('pre-chat questions go with the hello', async t => {
  const { mock, page, w } = await shop(t, { prechat: [{ name: 'name', required: true }, { name: 'email' }, { name: 'order', label: 'Order number' }] })
  await w.open()
  const f = w.host.locator('.card.prechat')
  await f.getByRole('button', { name: 'Start the chat' }).click()
  await f.getByText('Please fill this in.').waitFor()
  assert.equal(mock.sockets.size, 0)
  await f.getByLabel('Name').fill('Ann')
  await f.getByLabel('Order number').fill('A-17')
  await f.getByRole('button', { name: 'Start the chat' }).click()
  await w.say('Hi')
  await w.message('ai')
  assert.deepEqual(mock.frames.find(x => x.type === 'hello').visitor, { name: 'Ann', email: '', order: 'A-17' })
  await page.reload()
  await w.message('ai')
  assert.equal(await f.count(), 0)
})

test('rating: thumbs with words, stars for the conversation', async t => {
  const { mock, w } = await shop(t)
  await w.open()
  await w.say('Hi')
  await w.message('ai')
  await w.host.getByRole('button', { name: 'Not helpful' }).click()
  await until('1', () => mock.frames.some(f => f.type === 'rate' && f.seq === 2 && f.score === 1))
  await w.host.getByLabel('What was missing?').fill('The price')
  await w.host.locator('.g .card').getByRole('button', { name: 'Send' }).click()
  await until('words', () => mock.frames.some(f => f.type === 'rate' && f.comment === 'The price'))
  await w.host.getByRole('button', { name: 'More' }).click()
  await w.host.getByRole('menuitem', { name: 'Rate this conversation' }).click()
  await w.host.getByRole('radio', { name: '4 / 5' }).click()
  await w.host.locator('.card.rate').getByRole('button', { name: 'Send' }).click()
  await until('4', () => mock.frames.some(f => f.type === 'rate' && f.score === 4))
})

test('a new conversation, and back to the old one', async t => {
  const { mock, w } = await shop(t)
  await w.open()
  await w.say('Old')
  await w.message('ai')
  await w.host.getByRole('button', { name: 'More' }).click()
  await w.host.getByRole('menuitem', { name: 'New conversation' }).click()
  await until('empty', async () => (await w.texts()).length === 0)
  await until('a second conversation', () => mock.conversations.size === 2)
  await w.host.getByRole('button', { name: 'Back to the old one' }).click()
  assert.equal(await w.message('visitor'), 'Old')
  await w.say('Still the old one')
  await until('there', () => [...mock.conversations.values()][0].messages.length === 4)
})

test('transcript: a text file with everything', async t => {
  const { page, w } = await shop(t)
  await w.open()
  await w.say('Häagen 你好')
  await w.message('ai')
  await w.host.getByRole('button', { name: 'More' }).click()
  const [file] = await Promise.all([page.waitForEvent('download'), w.host.getByRole('menuitem', { name: 'Download transcript' }).click()])
  assert.equal(file.suggestedFilename(), 'chat.txt')
  let text = ''
  for await (const c of await file.createReadStream()) text += c.toString('utf8')
  assert.match(text, /You: Häagen 你好/)
  assert.match(text, /AI: You said: \*\*Häagen 你好\*\*/)
})

test('files: by button and by paste, with the visitor token; own pictures show', async t => {
  const { mock, page, w } = await shop(t, { upload: true, maxUpload: 50_000 })
  await w.open()
  await w.say('Hi')
  await w.message('ai')
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), w.host.getByRole('button', { name: 'Attach a file' }).click()])
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')
  await chooser.setFiles({ name: 'broken [cup].png', mimeType: 'image/png', buffer: png })
  await w.host.locator('[data-from=visitor] img').waitFor()
  assert.equal(mock.uploads[0].auth, 'Bearer ' + mock.last().token)
  assert.ok(mock.uploads[0].data.equals(png))
  await w.box.evaluate(b => {
    const d = new DataTransfer()
    d.items.add(new File(['x'.repeat(60_000)], 'big.txt', { type: 'text/plain' }))
    b.dispatchEvent(new ClipboardEvent('paste', { clipboardData: d, bubbles: true, cancelable: true }))
  })
  await w.host.getByText('big.txt is larger than 0 MB.').waitFor()
  assert.equal(mock.uploads.length, 1)
})

test('emoji go in at the caret', async t => {
  const { w } = await shop(t)
  await w.open()
  await w.box.fill('ab')
  await w.box.evaluate(b => b.setSelectionRange(1, 1))
  await w.host.getByRole('button', { name: 'Emoji' }).click()
  await w.host.getByRole('button', { name: '🍵' }).click()
  assert.equal(await w.box.inputValue(), 'a🍵b')
})

for (const [locale, placeholder, dir] of [['zh-CN', '输入您的问题', 'ltr'], ['ar', 'اكتب رسالتك', 'rtl'], ['de-DE', 'Nachricht schreiben', 'ltr'], ['zh-HK', '輸入您的問題', 'ltr']]) {
  test(`speaks ${locale}, and mirrors where that is read from the right`, async t => {
    const { page, w } = await shop(t, { texts: { 'zh-CN': { title: '青山' } } }, { locale, path: '/chat' })
    await w.panel.waitFor()
    await until('words', async () => (await w.box.getAttribute('placeholder')) === placeholder)
    assert.equal(await w.host.locator('section').getAttribute('dir'), dir)
    if (locale === 'zh-CN') assert.equal(await w.host.locator('h2').innerText(), '青山')
    await w.say('OK')
    await w.message('ai')
    const x = await w.host.locator('[data-from=visitor] .x').boundingBox()
    assert.equal(x.x > 640, dir === 'ltr')
    await page.evaluate(() => Haoke.setLocale('en'))
    await until('English', async () => (await w.box.getAttribute('placeholder')) === 'Write a message')
  })
}

test('the page’s handle: queue, methods, events, unsubscribe, types of call', async t => {
  const body = `<!doctype html><title>t</title><script>window.HaokeSettings={title:'From the page',color:'#8a2be2'};
    window.got=[];window.Haoke=[['on','ready',()=>got.push('ready')],h=>h.on('open',()=>got.push('open')),['prefill','Hello <b>']]</script>
    <script src="/widget.js" data-side="left" data-offset-x="40" async></script><body>x`
  const { mock, page, w } = await shop(t, { title: 'From the server', color: '#000000' }, { path: '/p', pages: { '/p': body } })
  await w.panel.waitFor()
  assert.equal(await w.box.inputValue(), 'Hello <b>')
  assert.equal(await w.host.locator('h2').innerText(), 'From the page')
  assert.equal((await w.panel.boundingBox()).x, 40)
  const r = await page.evaluate(async () => {
    const seen = []
    const off = Haoke.on('unread', n => seen.push(n))
    off()
    Haoke.on('message:sent', () => {
      throw new Error('a handler of the page that throws')
    })
    const first = Haoke.send('  by the page ')
    Haoke.push(['setAttributes', { cart: 3 }])
    Haoke.tag('vip')
    Haoke.setUser({ id: 'u1', name: 'Ann', hash: 'abc' })
    return { got: got.sort(), first, empty: Haoke.send('   '), open: Haoke.isOpen(), status: Haoke.getStatus().mode, version: typeof Haoke.version, seen }
  })
  assert.deepEqual(r, { got: ['open', 'ready'], first: true, empty: false, open: true, status: 'ai', version: 'string', seen: [] })
  await until('told', () => mock.frames.some(f => f.type === 'hello' && f.hmac?.id === 'u1' && f.attributes?.cart === 3 && f.tags?.[0] === 'vip'))
  await page.evaluate(() => Haoke.hide())
  assert.equal(await w.launcher.isVisible(), false)
  await page.evaluate(() => Haoke.show())
  assert.equal(await w.launcher.isVisible(), true)
  await page.evaluate(() => Haoke.shutdown())
  await until('gone', async () => (await page.locator('haoke-chat').count()) === 0)
  assert.equal(await page.evaluate(() => typeof Haoke), 'undefined')
})

test('a signed identity goes with the hello', async t => {
  const b64 = o => Buffer.from(JSON.stringify(o)).toString('base64url')
  const head = b64({ alg: 'HS256', typ: 'JWT' }) + '.' + b64({ sub: 'u1', name: 'Ann' })
  const token = head + '.' + createHmac('sha256', 'secret').update(head).digest('base64url')
  const { mock, w } = await shop(t, {}, { init: `window.HaokeSettings={user:{token:'${token}'}}` })
  await w.open()
  await until('hello', () => mock.frames.some(f => f.type === 'hello' && f.user === token))
})

test('a rule speaks first, once a session, not over a form', async t => {
  const { page, w, mock } = await shop(t, { proactive: [{ text: 'Looking for a gift?', path: '/de*' }] }, { path: null })
  await page.goto(mock.url + '/demo')
  await w.host.getByText('Looking for a gift?').click()
  await w.panel.waitFor()
  await page.evaluate(() => Haoke.close())
  await page.reload()
  await page.waitForTimeout(1500)
  assert.equal(await w.host.getByText('Looking for a gift?').count(), 0)
})

test('a single-page shop: rules hold anew on each route, the server learns where the visitor is', async t => {
  const { mock, page, w } = await shop(t, { proactive: [{ text: 'Need help with tea?', path: '/tea*' }] })
  await w.launcher.waitFor()
  await page.evaluate(() => history.pushState({}, '', '/clay/1'))
  await page.evaluate(() => history.pushState({}, '', '/tea/1'))
  await w.host.getByText('Need help with tea?').click()
  await w.panel.waitFor()
  await until('the page in the hello', () => mock.frames.some(f => f.type === 'hello' && f.page.url.endsWith('/tea/1')))
  await w.host.locator('[aria-haspopup=menu]').waitFor()
  await page.evaluate(() => history.replaceState({}, '', '/tea/2'))
  await until('the new page', () => mock.frames.some(f => f.type === 'context' && f.page.url.endsWith('/tea/2')))
  await page.evaluate(() => history.back())
  await until('the page before', () => mock.frames.some(f => f.type === 'context' && f.page.url.endsWith('/clay/1')))
  await page.evaluate(() => Haoke.setContext({ cart: 2 }))
  mock.cut()
  await until('all of it in the next hello', () => mock.frames.filter(f => f.type === 'hello').at(-1).page.url.endsWith('/clay/1') && mock.frames.filter(f => f.type === 'hello').at(-1).attributes?.cart === 2)
  await page.evaluate(() => Haoke.shutdown())
  await until('gone', async () => (await page.locator('haoke-chat').count()) === 0)
  const n = mock.frames.length
  await page.evaluate(() => history.pushState({}, '', '/tea/9'))
  await page.waitForTimeout(300)
  assert.equal(mock.frames.length, n)
})

test('on phones the panel fills the screen', async t => {
  const { w } = await shop(t, {}, { viewport: { width: 360, height: 640 } })
  await w.open()
  await w.panel.page().waitForTimeout(250)
  assert.deepEqual(await w.panel.boundingBox(), { x: 0, y: 0, width: 360, height: 640 })
  assert.equal(await w.launcher.isVisible(), false)
  assert.equal(await w.box.evaluate(b => getComputedStyle(b).fontSize), '16px')
})

test('shims: calls of four other widgets reach ours', async t => {
  const body = s => `<!doctype html><title>t</title>${s}<script src="/widget.js"></script><body>x`
  const pages = {
    '/chatwoot': body(`<script>window.chatwootSettings={position:'left'}</script><script src="/assets/shim-chatwoot.js"></script><script>$chatwoot.toggle('open');$chatwoot.setUser('7',{name:'Ann',identifier_hash:'h'})</script>`),
    '/crisp': body(`<script>window.$crisp=[['do','chat:open'],['set','user:nickname',['Ann']]]</script><script src="/assets/shim-crisp.js"></script>`),
    '/tawk': body(`<script>var Tawk_API={onLoad(){Tawk_API.maximize()},visitor:{name:'Ann'}}</script><script src="/assets/shim-tawk.js"></script>`),
    '/intercom': body(`<script>window.Intercom=function(){(Intercom.q=Intercom.q||[]).push(arguments)};Intercom('boot',{name:'Ann',alignment:'left'});Intercom('show')</script><script src="/assets/shim-intercom.js"></script>`),
  }
  const { mock, page } = await shop(t, {}, { path: null, pages })
  for (const p of Object.keys(pages)) {
    mock.frames.length = 0
    await page.goto(mock.url + p)
    await new Widget(page).panel.waitFor()
    await until('the name: ' + p, () => mock.frames.some(f => f.type === 'hello' && f.visitor?.name === 'Ann'))
    if (p === '/chatwoot' || p === '/intercom') assert.ok((await new Widget(page).panel.boundingBox()).x < 100, p)
    await page.evaluate(() => sessionStorage.clear())
  }
})

test('what a page tells while the line is being made is told once there is one', async t => {
  const { mock, page, w } = await shop(t)
  let welcome
  mock.on = (f, ws) => {
    if (f.type !== 'hello' || welcome) return false
    // The hello is out, its welcome is not yet in: neither of both can carry it.
    page.evaluate(() => {
      Haoke.setAttributes({ cart: 3 })
      Haoke.tag('vip')
      Haoke.track('checkout', 7)
      Haoke.track('paid')
    }).then(() => setTimeout(() => {
      welcome = true
      ws.emit('message', JSON.stringify(f))
    }, 300))
    return true
  }
  await w.open()
  const told = () => mock.frames.filter(f => f.type === 'context')
  await until('both events', () => told().filter(f => f.event).length === 2)
  assert.deepEqual(told().filter(f => f.event).map(f => f.event), [{ name: 'checkout', data: 7 }, { name: 'paid' }])
  assert.deepEqual([told().at(-1).attributes, told().at(-1).tags], [{ cart: 3 }, ['vip']])
})
