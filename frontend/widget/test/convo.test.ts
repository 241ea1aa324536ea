import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Frame } from '../src/link'

let convo: any
let store: any
let sent: any[]
let puts: [number, string, boolean][]
let streams: (string | null)[]
let resyncs: number
let online: boolean
let clears: number

async function make() {
  const { openConvo } = await import('../src/convo')
  const { openStore } = await import('../src/store')
  store = openStore('t')
  store.unlock()
  convo = openConvo(
    {
      send: f => online && !!sent.push(f),
      resync: () => resyncs++,
      put: (m, live) => puts.push([m.seq, m.text, live]),
      out: () => {},
      stream: t => streams.push(t),
      clear: () => clears++,
    },
    store,
  )
}

beforeEach(async () => {
  vi.useFakeTimers()
  vi.resetModules()
  localStorage.clear()
  sent = []
  puts = []
  streams = []
  resyncs = clears = 0
  online = true
  await make()
})
afterEach(() => vi.useRealTimers())

const message = (seq: number, from: string, text: string, more = {}): Frame => ({ type: 'message', seq, from, text, at: '2026-01-01T00:00:00Z', ...more })

test('a message leaves the outbox with its ack and takes the number of the ack', () => {
  convo.say('hi')
  expect(store.outs.size).toBe(1)
  convo.take({ type: 'ack', id: sent[0].id, seq: 1 })
  expect(store.outs.size).toBe(0)
  expect(puts).toEqual([[1, 'hi', true]])
  expect(convo.top()).toBe(1)
})

test('what was not acknowledged is sent again, with the same ids and in order; after a reload too', async () => {
  convo.say('a')
  convo.say('b')
  const ids = sent.map(f => f.id)
  convo.cut()
  convo.welcome(0, true)
  expect(sent.slice(2).map(f => f.id)).toEqual(ids)
  vi.resetModules()
  sent = []
  await make()
  convo.welcome(0, true)
  expect(sent.map(f => [f.id, f.text])).toEqual([[ids[0], 'a'], [ids[1], 'b']])
})

test('a replayed message with our id settles it: no double', () => {
  convo.say('a')
  const id = sent[0].id
  convo.cut()
  convo.welcome(1, true)
  convo.take(message(1, 'visitor', 'a', { id }))
  convo.take({ type: 'ack', id, seq: 1 })
  expect(puts).toEqual([[1, 'a', false]])
  expect(store.outs.size).toBe(0)
})

test('an ack that does not come in 15 s makes the connection anew', () => {
  convo.say('a')
  vi.advanceTimersByTime(15_000)
  expect(resyncs).toBe(1)
})

test('a gap is asked for after three seconds, and given up after four vain attempts', () => {
  convo.take(message(1, 'ai', 'x'))
  convo.take(message(3, 'ai', 'z'))
  expect(convo.top()).toBe(1)
  vi.advanceTimersByTime(2_999)
  expect(resyncs).toBe(0)
  vi.advanceTimersByTime(1)
  expect(resyncs).toBe(1)
  for (let i = 4; i < 9; i++) {
    convo.take(message(i, 'ai', 'more'))
    vi.advanceTimersByTime(3_000)
  }
  expect(resyncs).toBe(4)
  expect(convo.top()).toBeGreaterThanOrEqual(7)
})

test('pieces: in order, part 0 starts over, repeats are dropped, a hole asks again', () => {
  const ai = (part: number, data: string, seq = 2) => convo.take({ type: 'ai', seq, part, data })
  ai(0, 'a')
  ai(1, 'b')
  ai(1, 'b')
  expect(streams).toEqual(['a', 'ab'])
  ai(3, 'd')
  expect(resyncs).toBe(1)
  ai(4, 'e')
  expect(streams.at(-1)).toBe('ab')
  ai(0, 'abcd')
  ai(1, 'e')
  expect(streams.at(-1)).toBe('abcde')
  convo.take(message(2, 'ai', 'abcde.', { finish: 'stop' }))
  expect(streams.at(-1)).toBe(null)
  ai(2, 'late')
  expect(streams.at(-1)).toBe(null)
})

test('an answer whose number a message of the visitor took goes on under the next one', () => {
  convo.take({ type: 'ai', seq: 2, part: 0, data: 'a' })
  convo.take(message(2, 'visitor', 'wait'))
  expect(convo.streaming()).toBe(true)
  convo.take({ type: 'ai', seq: 3, part: 0, data: 'ab' })
  expect(streams.at(-1)).toBe('ab')
})

test('a changed epoch or a shorter history starts from the beginning', () => {
  convo.take(message(1, 'ai', 'x'))
  expect(convo.welcome(1, true)).toBe(true)
  expect(convo.welcome(1, false)).toBe(false)
  expect([convo.top(), clears]).toEqual([0, 1])
  convo.take(message(1, 'ai', 'x'))
  convo.take(message(2, 'ai', 'y'))
  expect(convo.welcome(1, true)).toBe(false)
})

test('errors: shown, kept, repeated after retry_after, not for ever', () => {
  convo.say('a')
  const id = sent[0].id
  expect(convo.fail({ type: 'error', id: 'other', message: 'x' })).toBe(false)
  expect(convo.fail({ type: 'error', code: 'rate_limited', id, message: 'Slow', retry_after: 5 })).toBe(true)
  expect([...store.outs.values()][0].f).toBe('Slow')
  vi.advanceTimersByTime(5_000)
  expect(sent.length).toBe(2)
  convo.fail({ type: 'error', code: 'too_long', id, message: 'Long' })
  vi.advanceTimersByTime(600_000)
  expect(sent.length).toBe(2)
  convo.again([...store.outs.values()][0])
  expect(sent.length).toBe(3)
})

test('the outbox is bounded at 200', () => {
  online = false
  for (let i = 0; i < 200; i++) expect(convo.say('x')).toBe(true)
  expect(convo.say('x')).toBe(false)
})

test('numbers that are none are dropped', () => {
  for (const seq of [0, -1, 1.5, '1', null, 1e300, NaN]) convo.take(message(seq as number, 'ai', 'x'))
  expect(puts).toEqual([])
})

test('nothing is written before it is permitted', async () => {
  localStorage.clear()
  const { openStore } = await import('../src/store')
  const s = openStore('quiet')
  s.save({ m: true })
  s.out({ id: '1', x: 'x' })
  s.tab(':d', 'draft')
  expect([localStorage.length, sessionStorage.length]).toEqual([0, 0])
  s.unlock()
  s.out({ id: '1', x: 'x' })
  expect(localStorage.getItem('haoke:quiet:o')).toBe('[{"id":"1","x":"x"}]')
})

test('tabs keep what the others are still sending', async () => {
  const { openStore } = await import('../src/store')
  localStorage.clear()
  const a = openStore('tabs')
  const b = openStore('tabs')
  a.unlock()
  b.unlock()
  a.out({ id: 'a1', x: 'from a' })
  b.out({ id: 'b1', x: 'from b' })
  a.out({ id: 'a2', x: 'more from a' })
  b.out({ id: 'b1', x: 'from b' }, true)
  expect([...openStore('tabs').outs.keys()]).toEqual(['a1', 'a2'])
  a.out({ id: 'a1', x: 'from a' }, true)
  a.out({ id: 'unknown', x: '' }, true)
  expect([...openStore('tabs').outs.values()]).toEqual([{ id: 'a2', x: 'more from a' }])
})
