import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { until, Widget } from '../lib/browser.mjs'
import { shops } from '../lib/shop.mjs'

const { shop, start, stop } = shops()
before(start)
after(stop)

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds in the widget of a page, in words. */
async function axe(page) {
  await page.waitForTimeout(250) // the panel has faded in
  await page.evaluate(AXE)
  const found = await page.evaluate(async () => {
    const r = await axe.run({ include: [['haoke-chat']] }, { resultTypes: ['violations'] })
    return r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + (n.any[0]?.message || '')).join('; '))
  })
  return found
}

const SITE = {
  greeting: 'Hello. Ask **anything**, or read [our pages](https://shop.example/).', quick: ['How long?', 'How much?'], poweredBy: true, upload: true,
  consent: { text: 'We keep this conversation for 90 days.', url: 'https://shop.example/privacy' },
}
const RICH = 'Yes, see [shipping](https://shop.example/s).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n1. one\n2. two\n\n> quote\n\n`code`\n\n```\nlong code\n```'

for (const theme of ['light', 'dark']) {
  for (const color of ['#0F7B6C', '#ffd400', '#777777']) {
    test(`axe finds nothing: ${theme}, ${color}`, async t => {
      const { mock, page, w } = await shop(t, { ...SITE, theme, color })
      mock.answer = () => ({ pieces: [RICH], sources: [{ title: 'FAQ', url: 'https://shop.example/faq' }] })
      assert.deepEqual(await axe(page), [], 'closed')
      await w.open()
      await w.host.getByText('90 days').waitFor()
      assert.deepEqual(await axe(page), [], 'open and empty')
      await w.say('Hi')
      await w.message('ai')
      await w.host.locator('.act').first().waitFor()
      assert.deepEqual(await axe(page), [], 'answered')
      mock.answer = () => ({ wait: 30_000, pieces: [] })
      await w.say('And?')
      await w.host.locator('.dots').waitFor()
      assert.deepEqual(await axe(page), [], 'thinking')
      await w.host.getByRole('button', { name: 'More' }).click()
      assert.deepEqual(await axe(page), [], 'menu')
      await w.host.getByRole('menuitem', { name: 'Rate this conversation' }).click()
      await w.host.locator('.card.rate').waitFor()
      assert.deepEqual(await axe(page), [], 'rating')
      mock.setMode(mock.last(), 'offline')
      await w.host.locator('.card.offline').waitFor()
      await w.host.locator('.offline .pri').click()
      assert.deepEqual(await axe(page), [], 'offline form with errors')
      await w.host.getByRole('button', { name: 'Emoji' }).click()
      await w.host.locator('.emo').waitFor()
      assert.deepEqual(await axe(page), [], 'emoji')
      mock.down = true
      mock.cut()
      await w.host.getByText('Connecting.').waitFor()
      assert.deepEqual(await axe(page), [], 'no line')
    })
  }
}

for (const theme of ['light', 'dark']) {
  test(`axe finds nothing: what stands before a conversation, and what can go wrong, ${theme}`, async t => {
    const { mock, page, w } = await shop(t, {
      theme, upload: true, maxUpload: 2000, launcher: 'Ask us', proactive: [{ text: 'May we help?' }],
      consent: { text: 'We keep this conversation for 90 days.', url: 'https://shop.example/privacy', required: true },
      prechat: [{ name: 'name', required: true }, { name: 'email' }, { name: 'order', label: 'Order number' }],
    })
    await w.host.getByText('May we help?').waitFor()
    assert.deepEqual(await axe(page), [], 'a rule has spoken')
    await w.open()
    await w.host.locator('.con .pri').waitFor()
    assert.deepEqual(await axe(page), [], 'consent')
    await w.host.locator('.con .pri').click()
    await w.host.getByLabel('E-mail').fill('nonsense')
    await w.host.locator('.prechat .pri').click()
    assert.deepEqual(await axe(page), [], 'questions with errors')
    await w.host.getByLabel('Name').fill('Ann')
    await w.host.getByLabel('E-mail').fill('')
    await w.host.locator('.prechat .pri').click()
    mock.on = (f, ws) => f.type === 'message' && (ws.send(JSON.stringify({ type: 'error', code: 'rate_limited', message: 'Too fast.', id: f.id })), true)
    await w.say('Too fast?')
    await w.host.locator('.bad').waitFor()
    assert.deepEqual(await axe(page), [], 'a message that was refused')
    mock.on = null
    await w.host.getByRole('button', { name: 'Try again' }).click()
    await w.message('ai')
    mock.answer = () => ({ system: 'Nobody could answer that.', finish: 'error' })
    await w.say('And this?')
    await w.message('system')
    mock.setMode(mock.last(), 'human')
    mock.say(mock.last(), 'operator', 'Hello, Mei here.', { name: 'Mei' })
    await w.message('operator')
    mock.push(mock.last(), { type: 'status', state: 'typing' })
    await w.host.locator('.dots').waitFor()
    assert.deepEqual(await axe(page), [], 'a person writes')
    await w.box.fill('x'.repeat(4100))
    await w.host.getByText('100 characters too many').waitFor()
    assert.deepEqual(await axe(page), [], 'too long')
    await w.box.fill('')
    await w.host.locator('.row').evaluate(r => {
      const d = new DataTransfer()
      d.items.add(new File(['x'.repeat(60_000)], 'big.txt', { type: 'text/plain' }))
      r.querySelector('textarea').dispatchEvent(new ClipboardEvent('paste', { clipboardData: d, bubbles: true, cancelable: true }))
    })
    await w.host.getByText('big.txt is larger').waitFor()
    assert.deepEqual(await axe(page), [], 'a file that is too large')
    await page.keyboard.press('Escape')
    await w.panel.waitFor({ state: 'hidden' })
    mock.say(mock.last(), 'operator', 'Are you still there?', { name: 'Mei' })
    await until('the badge', () => w.launcher.locator('b').isVisible())
    assert.deepEqual(await axe(page), [], 'unread')
  })
}

test('axe finds nothing on the demo shop and the full page, light and dark', async t => {
  for (const colorScheme of ['light', 'dark']) {
    const { page, mock } = await shop(t, SITE, { colorScheme })
    await page.evaluate(AXE)
    const demo = await page.evaluate(async () => (await axe.run()).violations.map(v => v.id + ' ' + v.nodes.map(n => n.target.join(' '))))
    assert.deepEqual(demo, [])
    await page.goto(mock.url + '/chat')
    await new Widget(page).panel.waitFor()
    assert.deepEqual(await axe(page), [])
  }
})

test('focus goes in and comes back, Esc closes, Tab stays inside on phones', async t => {
  const { page, w } = await shop(t, { quick: ['One'] }, { viewport: { width: 390, height: 800 } })
  await w.launcher.waitFor()
  await page.locator('.cta').focus()
  await page.locator('.cta').press('Enter')
  await w.panel.waitFor()
  await w.host.locator('[aria-haspopup=menu]').waitFor() // the trap comes with the comforts
  const inside = () => page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.tagName)
  assert.equal(await inside(), 'TEXTAREA')
  for (let i = 0; i < 20; i++) {
    await page.keyboard.press('Tab')
    assert.ok(await inside(), 'Tab left the panel at ' + i)
  }
  await page.keyboard.press('Escape')
  await w.panel.waitFor({ state: 'hidden' })
  assert.equal(await page.evaluate(() => document.activeElement.className), 'cta')
})

test('Enter that ends an input method word does not send', async t => {
  const { mock, w } = await shop(t)
  await w.open()
  await w.box.fill('nihao')
  await w.box.evaluate(b => {
    b.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true }))
    b.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true }))
  })
  assert.equal(await w.box.inputValue(), 'nihao')
  await w.box.press('Shift+Enter')
  assert.equal(await w.box.inputValue(), 'nihao\n')
  await w.box.press('Enter')
  await until('sent', () => mock.last()?.messages[0]?.text === 'nihao')
})

test('every control is at least 44 px high and wide, or in a line of text', async t => {
  const { w } = await shop(t, { ...SITE, consent: undefined })
  await w.open()
  await w.say('Hi')
  await w.message('ai')
  await w.host.locator('.act').waitFor()
  await w.host.getByRole('button', { name: 'More' }).click()
  const small = await w.host.evaluate(h => [...h.shadowRoot.querySelectorAll('button')].map(b => [b.getAttribute('aria-label') || b.innerText, b.getBoundingClientRect()]).filter(([, r]) => r.width && (r.height < 44 || r.width < 44)).map(([n, r]) => `${n} ${r.width}x${r.height}`))
  assert.deepEqual(small, [])
})

test('finished sentences are announced once each, pieces never', async t => {
  const { mock, page, w } = await shop(t)
  mock.answer = () => ({ pieces: 'First one. Second **one** is longer. And a third'.match(/.{1,4}/g), pause: 40 })
  await w.open()
  await page.evaluate(() => {
    window.heard = []
    const live = document.querySelector('haoke-chat').shadowRoot.querySelector('[aria-live=polite]')
    new MutationObserver(l => l.forEach(m => m.addedNodes.forEach(n => window.heard.push(n.textContent)))).observe(live, { childList: true })
  })
  await w.say('Speak')
  await w.message('ai')
  await until('the last', () => page.evaluate(() => window.heard.includes('And a third')))
  assert.deepEqual(await page.evaluate(() => window.heard), ['First one.', 'Second one is longer.', 'And a third'])
  assert.equal(await w.host.locator('[role=log]').getAttribute('aria-live'), 'off')
})
