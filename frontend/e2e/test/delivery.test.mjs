import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until } from '../lib/browser.mjs'
import { shops } from '../lib/shop.mjs'

const { shop, start, stop } = shops()
before(start)
after(stop)

test('100 network cuts during 1,000 messages: none lost, none doubled, order kept', { timeout: 240_000 }, async t => {
  const { mock, page, w } = await shop(t)
  mock.answer = () => null
  await w.open()
  await until('line', () => mock.sockets.size)
  // The line is cut at every tenth message the server takes, in one of three
  // ways: before it is stored, after it is stored but before its ack, and
  // after its ack.
  let taken = 0
  let cuts = 0
  mock.on = (f, ws) => {
    // What was under way behind the cut is lost with it.
    if (ws.dead) return true
    if (f.type !== 'message' || ++taken % 10 || cuts >= 100) return false
    const way = cuts++ % 3
    ws.dead = true
    if (way === 0) ws.terminate()
    else if (way === 1) {
      const send = ws.send
      ws.send = () => {}
      queueMicrotask(() => ws.terminate())
      setImmediate(() => (ws.send = send))
    } else setImmediate(() => ws.terminate())
    return way === 0
  }
  await page.evaluate(async () => {
    // At most 30 are on their way, so that a cut does not mean sending 200 anew.
    const waiting = () => JSON.parse(localStorage.getItem('haoke:default:o') || '[]').length
    for (let sent = 0; sent < 1000; ) {
      if (waiting() < 30 && Haoke.send('m' + sent)) sent++
      else await new Promise(r => setTimeout(r, 20))
    }
  })
  const expected = Array.from({ length: 1000 }, (_, i) => 'm' + i)
  const got = () => mock.last().messages.map(m => m.text)
  await until('1,000 on the server', () => got().length >= 1000 && cuts >= 100, 200_000)
  assert.deepEqual(got(), expected)
  await until('nothing pending', () => page.evaluate(() => JSON.parse(localStorage.getItem('haoke:default:o')).length === 0), 30_000)
  assert.deepEqual((await w.texts()).map(m => m.text), expected)
  assert.equal(cuts, 100)
  t.diagnostic(`cuts ${cuts}, frames ${mock.frames.length}, connections ${mock.requests.filter(r => r.startsWith('WS')).length}`)
})

test('a browser that goes offline and comes back gets exactly what it missed', async t => {
  const { mock, page, w } = await shop(t)
  await w.open()
  await w.say('Hi')
  await w.message('ai')
  mock.down = true
  mock.cut()
  const conv = mock.last()
  for (let i = 0; i < 5; i++) mock.say(conv, 'operator', 'Missed ' + i, { name: 'Mei' })
  await w.host.getByText('Connecting.').waitFor()
  mock.down = false
  await page.evaluate(() => dispatchEvent(new Event('online')))
  await until('all there', async () => (await w.texts()).length === 7)
  assert.deepEqual((await w.texts()).slice(2).map(m => m.text), [0, 1, 2, 3, 4].map(i => 'Missed ' + i))
  const hello = mock.frames.filter(f => f.type === 'hello').at(-1)
  assert.equal(hello.after, 2)
  await w.host.getByText('Connecting.').waitFor({ state: 'hidden' })
})

test('a gap in the numbers is asked for again', async t => {
  const { mock, w } = await shop(t)
  await w.open()
  await w.say('Hi')
  await w.message('ai')
  const conv = mock.last()
  // Number 3 is stored but its frame gets lost; number 4 arrives.
  conv.messages.push({ type: 'message', seq: 3, from: 'operator', text: 'Third', at: new Date().toISOString() })
  mock.say(conv, 'operator', 'Fourth')
  await until('both, in order', async () => (await w.texts()).map(m => m.text).slice(2).join() === 'Third,Fourth', 15_000)
})
