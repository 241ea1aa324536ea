import { afterEach, beforeEach, expect, test, vi } from 'vitest'

class Fake {
  static all: Fake[] = []
  sent: any[] = []
  closed = false
  onopen?: () => void
  onmessage?: (e: { data: unknown }) => void
  onclose?: (e: { code: number }) => void
  constructor() {
    Fake.all.push(this)
  }
  send(s: string) {
    if (this.closed) throw new Error('closed')
    this.sent.push(JSON.parse(s))
  }
  close() {
    this.closed = true
  }
  welcome() {
    this.onopen!()
    this.onmessage!({ data: '{"type":"welcome"}' })
  }
}

let link: any
let frames: any[]
let states: string[]
let refused: number

beforeEach(async () => {
  vi.useFakeTimers()
  vi.resetModules()
  Fake.all = []
  frames = []
  states = []
  refused = 0
  const { openLink } = await import('../src/link')
  link = openLink({
    url: () => 'ws://x',
    hello: () => ({ type: 'hello' }),
    frame: f => frames.push(f),
    changed: s => states.push(s),
    refused: () => refused++,
    open: () => new Fake() as unknown as WebSocket,
    random: () => 1,
  })
})
afterEach(() => vi.useRealTimers())

const last = () => Fake.all[Fake.all.length - 1]

test('says hello first and is open only after the welcome', () => {
  link.start()
  expect(link.send({ type: 'message' })).toBe(false)
  last().onopen!()
  expect(last().sent).toEqual([{ type: 'hello' }])
  expect(link.send({ type: 'message' })).toBe(false)
  last().welcome()
  expect(link.send({ type: 'message' })).toBe(true)
  link.start()
  expect(Fake.all.length).toBe(1)
})

test('backs off from half a second to 30 s, without end, and starts over after a lasting connection', () => {
  link.start()
  const waits: number[] = []
  for (let i = 0; i < 12; i++) {
    const n = Fake.all.length
    last().onclose!({ code: 1006 })
    let ms = 0
    while (Fake.all.length === n) {
      vi.advanceTimersByTime(100)
      ms += 100
    }
    waits.push(ms)
  }
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000, 30000, 30000])
  last().welcome()
  vi.advanceTimersByTime(5_000)
  const n = Fake.all.length
  last().onclose!({ code: 1006 })
  vi.advanceTimersByTime(500)
  expect(Fake.all.length).toBe(n + 1)
})

test('a server that welcomes and closes at once still meets a growing back-off', () => {
  link.start()
  for (let i = 0; i < 6; i++) {
    last().welcome()
    last().onclose!({ code: 1001 })
    vi.advanceTimersByTime(500 * 2 ** i)
  }
  expect(Fake.all.length).toBe(7)
})

test('pings after 45 s of silence and leaves a line that does not answer', () => {
  link.start()
  last().welcome()
  vi.advanceTimersByTime(44_999)
  expect(last().sent.length).toBe(1)
  vi.advanceTimersByTime(1)
  expect(last().sent[1]).toEqual({ type: 'ping' })
  last().onmessage!({ data: '{"type":"pong"}' })
  vi.advanceTimersByTime(45_000)
  expect(last().sent.length).toBe(3)
  vi.advanceTimersByTime(10_000)
  expect(states.at(-1)).toBe('waiting')
})

test('a question that nothing is heard of finds a dead line in ten seconds', () => {
  link.start()
  last().welcome()
  vi.advanceTimersByTime(30_000)
  link.send({ type: 'message' })
  vi.advanceTimersByTime(9_999)
  expect(states.at(-1)).toBe('open')
  vi.advanceTimersByTime(1)
  expect(states.at(-1)).toBe('waiting')
})

test('pings after 20 s while an answer is awaited, until it is there', () => {
  link.start()
  last().welcome()
  link.send({ type: 'message' })
  const pings = () => last().sent.filter((f: any) => f.type == 'ping').length
  const hear = (f: object) => last().onmessage!({ data: JSON.stringify(f) })
  hear({ type: 'ack' })
  hear({ type: 'message', from: 'visitor' }) // in another tab
  vi.advanceTimersByTime(20_000)
  expect(pings()).toBe(1)
  hear({ type: 'pong' })
  vi.advanceTimersByTime(20_000)
  expect(pings()).toBe(2)
  for (const [i, end] of [{ type: 'message', from: 'ai' }, { type: 'error', code: 'rate_limited' }].entries()) {
    link.send({ type: 'message' })
    hear(end)
    vi.advanceTimersByTime(44_999)
    expect(pings()).toBe(2 + i)
    vi.advanceTimersByTime(1)
    expect(pings()).toBe(3 + i)
  }
})

test('a probe finds a dead line in four seconds and cuts a wait short', () => {
  link.start()
  last().welcome()
  link.probe()
  vi.advanceTimersByTime(4_000)
  expect(states.at(-1)).toBe('waiting')
  link.probe()
  expect(states.at(-1)).toBe('connecting')
})

test('a connection without welcome is given up after 12 s', () => {
  link.start()
  last().onopen!()
  vi.advanceTimersByTime(12_000)
  expect(states.at(-1)).toBe('waiting')
})

test.each([
  [4100, 'final'],
  [4199, 'final'],
  [4000, 'paused'],
  [4200, 'waiting'],
  [1001, 'waiting'],
  [4003, 'waiting'],
])('close code %i ends in %s', (code, state) => {
  link.start()
  last().welcome()
  last().onclose!({ code })
  expect(states.at(-1)).toBe(state)
  const n = Fake.all.length
  vi.advanceTimersByTime(60_000)
  expect(Fake.all.length > n).toBe(state === 'waiting')
})

test('policy and too many connections wait at least ten seconds', () => {
  for (const code of [1008, 4008]) {
    link.start()
    const n = Fake.all.length
    last().onclose!({ code })
    vi.advanceTimersByTime(10_000)
    expect(Fake.all.length).toBe(n)
    vi.advanceTimersByTime(2_000)
    expect(Fake.all.length).toBe(n + 1)
  }
})

test('what the server refuses by closing is reported once', () => {
  link.start()
  last().welcome()
  last().onclose!({ code: 1009 })
  expect(refused).toBe(1)
})

test('nonsense is dropped, and a server of nothing else is left', () => {
  link.start()
  last().welcome()
  for (let i = 0; i < 30; i++) last().onmessage!({ data: ['{', '7', 'null', '{"type":5}'][i % 4] })
  expect(frames.length).toBe(1)
  expect(states.at(-1)).toBe('open')
  last().onclose!({ code: 1006 })
  vi.advanceTimersByTime(500)
  last().onopen!()
  for (let i = 0; i < 12; i++) {
    vi.advanceTimersByTime(1_000)
    last().onmessage!({ data: '{' })
  }
  expect(states.at(-1)).toBe('waiting')
})

test('late events of a connection that was left do nothing', () => {
  link.start()
  const old = last()
  old.welcome()
  link.kick()
  old.onmessage!({ data: '{"type":"message"}' })
  old.onclose!({ code: 4100 })
  expect(frames.length).toBe(1)
  expect(states.at(-1)).toBe('waiting')
})
