import { cancel, later, uid } from './safe'
import type { Frame } from './link'
import { MAX_OUT, type Out, type Store } from './store'

export interface Msg {
  seq: number
  from: string
  text: string
  at?: string
  id?: string
  finish?: string
  name?: string
  sources?: { title: string; url?: string }[]
}

export interface ConvoDeps {
  send(f: object): boolean
  /** The connection must be made anew: something is missing. */
  resync(): void
  /** A durable message; `live` is false for what is replayed. */
  put(m: Msg, live: boolean): void
  /** A message on its way appeared, changed or (`gone`) left. */
  out(o: Out, gone?: boolean): void
  /** The text so far of the answer that is being written; null: none. */
  stream(text: string | null, fresh?: boolean): void
  /** Everything shown is void. */
  clear(): void
}

/** Longest text that is shown of one message. */
const MAX_TEXT = 400_000

export type Convo = ReturnType<typeof openConvo>

/**
 * The conversation as this tab knows it: durable messages by seq, the answer
 * under way, and the outbox. It asks for what is missing and drops what it has
 * already; the server's seq is the only truth about order.
 */
export function openConvo(d: ConvoDeps, store: Store) {
  const msgs = new Map<number, Msg>()
  let top = 0
  let high = 0
  let replay = 0
  let asked = 0
  let gap: number
  let ackTimer: number
  // The answer under way: its seq, the next part, its text.
  let sSeq = 0
  let sPart = 0
  let sText: string | null = null

  const { outs } = store
  const pending = () => {
    let n = 0
    outs.forEach(o => o.go && !o.f && n++)
    return n
  }
  const post = (o: Out) => {
    o.go = d.send({ type: 'message', id: o.id, text: o.x })
    cancel(ackTimer)
    ackTimer = later(() => pending() && d.resync(), 15_000)
  }
  const again = (o: Out) => {
    o.f = undefined
    post(o)
    d.out(o)
  }
  const settle = (id: string) => {
    const o = outs.get(id)
    if (o) {
      store.out(o, true)
      d.out(o, true)
    }
    return o
  }
  const endStream = () => {
    if (sText != null) {
      sText = null
      d.stream(null)
    }
  }
  const keep = (m: Msg, live: boolean) => {
    msgs.set(m.seq, m)
    high = Math.max(high, m.seq)
    const before = top
    while (msgs.has(top + 1)) top++
    if (top > before) asked = 0
    d.put(m, live)
    cancel(gap)
    if (high > top) {
      // After some vain attempts the server's numbers are taken as they are.
      gap = later(() => (++asked > 4 ? (top = high) : d.resync()), 3_000)
    }
  }
  const message = (f: Frame) => {
    const seq = f.seq
    if (!Number.isSafeInteger(seq) || seq < 1) return
    if (f.id) settle(f.id)
    const had = msgs.get(seq)
    if (had && had.at) return
    const m: Msg = { ...f, seq, from: /^(ai|operator|visitor)$/.test(f.from) ? f.from : 'system', text: String(f.text ?? '').slice(0, MAX_TEXT), at: f.at && String(f.at) }
    keep(m, seq > replay && !had)
    if (m.from != 'visitor' && (sSeq <= seq || m.finish)) endStream()
  }
  const piece = (f: Frame) => {
    const { seq, part, data } = f
    const had = msgs.get(seq)
    if (!(seq > 0 && part >= 0) || typeof data != 'string' || (had && had.from != 'visitor') || (part && part < sPart)) return
    if (part && (sText == null || part > sPart)) {
      // Pieces are missing; the server tells the answer from its start again.
      sPart = 1 / 0
      return d.resync()
    }
    if (!part) sText = ''
    sSeq = seq
    sPart = part + 1
    if (sText!.length < MAX_TEXT) sText += data
    d.stream(sText, !part)
  }

  return {
    msgs,
    /** Everything up to here is known without a gap. */
    top: () => top,
    streaming: () => sText != null,
    pending,
    again,
    endStream,
    /** Queues a text; false when the outbox is full. */
    say(x: string): boolean {
      if (outs.size >= MAX_OUT) return false
      const o: Out = { id: uid(), x }
      store.out(o)
      d.out(o)
      post(o)
      return true
    },
    /** Starts over, for another conversation. The outbox stays. */
    reset() {
      msgs.clear()
      top = high = replay = asked = sPart = 0
      endStream()
      d.clear()
      outs.forEach(o => d.out(o))
    },
    /**
     * Takes a welcome; false when the history has changed under us and the
     * caller must say hello again from the start.
     */
    welcome(last: number, sameEpoch: boolean): boolean {
      if (top && (!sameEpoch || last < top)) {
        this.reset()
        return false
      }
      replay = last
      outs.forEach(o => o.f || post(o))
      return true
    },
    /** The line is cut: what was streamed stays on screen until it goes on. */
    cut() {
      cancel(gap)
      cancel(ackTimer)
      outs.forEach(o => (o.go = false))
    },
    take(f: Frame) {
      if (f.type == 'ai') piece(f)
      else if (f.type == 'message') message(f)
      else if (f.type == 'ack' && f.seq > 0) {
        const o = settle(f.id)
        if (o && !msgs.has(f.seq)) keep({ seq: f.seq, from: 'visitor', text: o.x, id: o.id }, true)
      }
    },
    /** An error frame. True when it named a message of ours. */
    fail(f: Frame): boolean {
      const o = outs.get(f.id)
      if (!o) return false
      o.f = String(f.message || ' ')
      o.go = false
      const wait = +f.retry_after
      if (wait > 0 && wait <= 120) later(() => o.f && outs.has(o.id) && again(o), wait * 1000)
      d.out(o)
      return true
    },
    /** The connection was closed because of what we sent: holds back the oldest. */
    refuse() {
      let first: Out | undefined
      outs.forEach(o => !first && o.go && !o.f && (first = o))
      if (first) {
        first.f = ' '
        d.out(first)
      }
    },
  }
}
