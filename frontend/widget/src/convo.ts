import { cancel, later, uid } from './safe'
import type { Frame } from './link'
import type { Pending, Store } from './store'

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

/** A message on its way. `fail`: why it was not accepted, in visitor's words. */
export interface Out extends Pending {
  fail?: string
  sent?: boolean
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
  stream(text: string | null, fresh: boolean): void
  /** Everything shown is void. */
  clear(): void
}

const MAX_TEXT = 400_000
const MAX_OUT = 200
const ACK_WAIT = 15_000

/**
 * The conversation as this tab knows it: durable messages by seq, the answer
 * under way, and the outbox. It asks for what is missing and drops what it has
 * already; the server's seq is the only truth about order.
 */
export class Convo {
  msgs = new Map<number, Msg>()
  outs: Out[] = []
  /** Everything up to here is known without a gap. */
  top = 0
  private high = 0
  private replay = 0
  private asked = 0
  private gap?: number
  private ackTimer?: number
  private sSeq = 0
  private sPart = 0
  private sText: string | null = null

  constructor(
    private d: ConvoDeps,
    private store: Store,
  ) {
    for (let i = 0; i < store.outbox.length; i++) this.outs[i] = { id: store.outbox[i].id, x: store.outbox[i].x }
  }

  get streaming() {
    return this.sText !== null
  }

  /** Queues a text; false when the outbox is full (200 messages). */
  say(text: string): boolean {
    if (this.outs.length >= MAX_OUT) return false
    const o: Out = { id: uid(), x: text }
    this.outs[this.outs.length] = o
    this.store.add({ id: o.id, x: text })
    this.d.out(o)
    this.post(o)
    return true
  }

  again(o: Out) {
    o.fail = undefined
    this.post(o)
    this.d.out(o)
  }

  /** Starts over, for another conversation. The outbox stays. */
  reset() {
    this.msgs.clear()
    this.top = this.high = this.replay = this.asked = 0
    this.endStream()
    this.d.clear()
    for (let i = 0; i < this.outs.length; i++) this.d.out(this.outs[i])
  }

  /**
   * Takes a welcome; false when the history has changed under us and the
   * caller must say hello again from the start.
   */
  welcome(f: Frame, sameEpoch: boolean): boolean {
    const last = +f.seq || 0
    if (this.top && (!sameEpoch || last < this.top)) {
      this.reset()
      return false
    }
    this.replay = last
    for (let i = 0; i < this.outs.length; i++) {
      this.outs[i].sent = false
      if (!this.outs[i].fail) this.post(this.outs[i])
    }
    return true
  }

  /** The line is cut: what was streamed stays on screen until it goes on. */
  cut() {
    cancel(this.gap)
    cancel(this.ackTimer)
    this.gap = undefined
  }

  take(f: Frame) {
    if (f.type === 'ai') this.piece(f)
    else if (f.type === 'ack') this.ack(f)
    else if (f.type === 'message') this.message(f)
  }

  /** An error frame that names a message. True when it was one of ours. */
  fail(f: Frame): boolean {
    const o = this.find(f.id)
    if (!o) return false
    o.fail = String(f.message || '') || ' '
    o.sent = false
    const wait = +f.retry_after
    if (wait > 0 && wait <= 120 && f.code !== 'blocked' && f.code !== 'too_long') {
      later(() => this.find(o.id) && o.fail && this.again(o), wait * 1000)
    }
    this.d.out(o)
    return true
  }

  /** The connection was closed because of what we sent: hold back the oldest. */
  refuse(why: string) {
    for (let i = 0; i < this.outs.length; i++) {
      const o = this.outs[i]
      if (o.sent && !o.fail) {
        o.fail = why
        this.d.out(o)
        return
      }
    }
  }

  /** Ends what is shown of an answer under way. */
  endStream() {
    if (this.sText !== null) {
      this.sText = null
      this.d.stream(null, false)
    }
  }

  private post(o: Out) {
    o.sent = this.d.send({ type: 'message', id: o.id, text: o.x })
    if (o.sent) {
      cancel(this.ackTimer)
      this.ackTimer = later(() => this.waiting() && this.d.resync(), ACK_WAIT)
    }
  }

  private waiting(): boolean {
    for (let i = 0; i < this.outs.length; i++) if (this.outs[i].sent && !this.outs[i].fail) return true
    return false
  }

  private find(id: unknown): Out | undefined {
    for (let i = 0; i < this.outs.length; i++) if (this.outs[i].id === id) return this.outs[i]
    return undefined
  }

  private settle(id: unknown): Out | undefined {
    const o = this.find(id)
    if (!o) return undefined
    const left: Out[] = []
    for (let i = 0; i < this.outs.length; i++) if (this.outs[i] !== o) left[left.length] = this.outs[i]
    this.outs = left
    this.store.remove(o.id)
    this.d.out(o, true)
    return o
  }

  private ack(f: Frame) {
    const seq = +f.seq
    if (!(seq > 0)) return
    const o = this.settle(f.id)
    if (o && !this.msgs.has(seq)) this.keep({ seq, from: 'visitor', text: o.x, id: o.id }, true)
  }

  private message(f: Frame) {
    const seq = +f.seq
    if (!(seq > 0) || seq > Number.MAX_SAFE_INTEGER || seq % 1) return
    if (f.id) this.settle(f.id)
    const had = this.msgs.get(seq)
    if (had && had.at) return
    const m: Msg = {
      seq,
      from: /^(ai|operator|visitor)$/.test(f.from) ? f.from : 'system',
      text: String(f.text ?? '').slice(0, MAX_TEXT),
    }
    if (typeof f.at === 'string') m.at = f.at
    if (typeof f.id === 'string') m.id = f.id
    if (typeof f.finish === 'string') m.finish = f.finish
    if (typeof f.name === 'string') m.name = f.name.slice(0, 80)
    if (Array.isArray(f.sources)) m.sources = f.sources
    const live = seq > this.replay && !had
    this.keep(m, live)
    if (m.from !== 'visitor' && this.sText !== null && (this.sSeq <= seq || m.finish)) {
      this.sText = null
      this.d.stream(null, false)
    }
  }

  private keep(m: Msg, live: boolean) {
    this.msgs.set(m.seq, m)
    if (m.seq > this.high) this.high = m.seq
    const before = this.top
    while (this.msgs.has(this.top + 1)) this.top++
    if (this.top > before) this.asked = 0
    this.d.put(m, live)
    if (this.high > this.top && !this.gap) {
      this.gap = later(() => {
        this.gap = undefined
        if (this.high <= this.top) return
        // After some vain attempts the server's numbers are taken as they are.
        if (++this.asked > 4) this.top = this.high
        else this.d.resync()
      }, 3_000)
    }
  }

  private piece(f: Frame) {
    const seq = +f.seq
    const part = +f.part
    if (!(seq > 0) || !(part >= 0) || typeof f.data !== 'string') return
    const had = this.msgs.get(seq)
    if (had && had.from !== 'visitor') return
    if (part && seq === this.sSeq && part < this.sPart) return
    if (part && (this.sText === null || part > this.sPart)) {
      // Pieces are missing; the server tells the answer from its start again.
      this.sPart = Infinity
      this.d.resync()
      return
    }
    const fresh = !part
    if (fresh) this.sText = ''
    this.sSeq = seq
    this.sPart = part + 1
    if (this.sText!.length < MAX_TEXT) this.sText += f.data
    this.d.stream(this.sText, fresh)
  }
}
