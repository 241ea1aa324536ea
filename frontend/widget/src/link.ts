import { cancel, enc, later, parse, socket } from './safe'

export type LinkState = 'idle' | 'connecting' | 'open' | 'waiting' | 'paused' | 'final'

export interface Frame {
  type: string
  [k: string]: any
}

export interface LinkDeps {
  url(): string
  /** The hello frame, made anew for every connection. */
  hello(): object
  frame(f: Frame): void
  state(s: LinkState): void
  /** The server closed because of what we sent: the sender must not repeat it. */
  refused(): void
  /** Injected for tests. */
  open?: (url: string, proto: string) => WebSocket
  random?: () => number
}

const PING = 25_000
const ANSWER = 10_000
const HELLO = 12_000
const CAP = 30_000

/**
 * One WebSocket that is kept alive: it reconnects for ever with a jittered
 * back-off (half a second, doubling to 30 s), proves the way in both
 * directions by pings, and stops only when told to or by a final close code.
 *
 * Close codes: 1008 and 4008 wait at least 10 s; 4000 (replaced by another
 * connection) pauses until the visitor comes back to this tab, so that two
 * tabs never fight; 4100-4199 end the link until the next page load.
 */
export class Link {
  state: LinkState = 'idle'
  private ws?: WebSocket
  private tries = 0
  private timer?: number
  private beat?: number
  private stable?: number
  private bad = 0

  constructor(private d: LinkDeps) {}

  /** Connects unless connected, connecting or ended. */
  start() {
    if (this.state === 'idle' || this.state === 'waiting' || this.state === 'paused') this.dial()
  }

  /** Closes for good until `start`. */
  stop() {
    this.drop()
    this.set('idle')
  }

  /** Sends a frame; false when there is no welcomed connection. */
  send(f: object): boolean {
    if (this.state !== 'open') return false
    return this.write(f)
  }

  /** Is the line still alive? Called when the page wakes up or comes online. */
  probe() {
    if (this.state === 'open') this.ping(4_000)
    else if (this.state !== 'final' && this.state !== 'idle') {
      this.tries = 0
      if (this.state !== 'connecting') this.dial()
    }
  }

  /** Drops the connection and makes a new one, soon. */
  kick() {
    if (this.state === 'final' || this.state === 'idle') return
    this.drop()
    this.retry(0)
  }

  private set(s: LinkState) {
    if (this.state !== s) {
      this.state = s
      this.d.state(s)
    }
  }

  private write(f: object): boolean {
    try {
      this.ws!.send(enc(f))
      return true
    } catch {
      return false
    }
  }

  private dial() {
    this.drop()
    this.set('connecting')
    let ws: WebSocket
    try {
      ws = (this.d.open || socket)(this.d.url(), 'haoke.v1')
    } catch {
      this.retry(5_000)
      return
    }
    this.ws = ws
    this.beat = later(() => this.lost(ws, 0), HELLO)
    ws.onopen = () => {
      if (ws === this.ws) this.write(this.d.hello())
    }
    ws.onmessage = e => {
      if (ws === this.ws) this.got(e.data)
    }
    ws.onclose = e => this.lost(ws, e.code)
    ws.onerror = () => {}
  }

  private got(data: unknown) {
    let f: Frame | undefined
    try {
      f = typeof data === 'string' ? parse(data) : undefined
    } catch {
      /* counted below */
    }
    if (!f || typeof f !== 'object' || typeof f.type !== 'string') {
      // A server that talks nonsense is left and tried again later.
      if (++this.bad > 20) this.lost(this.ws!, 1008)
      return
    }
    this.bad = 0
    if (f.type === 'welcome') {
      this.set('open')
      // Only a connection that lasts counts as success: a server that
      // welcomes and closes at once still meets a growing back-off.
      this.stable = later(() => (this.tries = 0), 5_000)
    }
    if (this.state === 'open') this.arm()
    this.d.frame(f)
  }

  private arm() {
    cancel(this.beat)
    this.beat = later(() => this.ping(ANSWER), PING)
  }

  private ping(wait: number) {
    const ws = this.ws!
    cancel(this.beat)
    this.beat = later(() => this.lost(ws, 0), wait)
    if (!this.write({ type: 'ping' })) this.lost(ws, 0)
  }

  private lost(ws: WebSocket, code: number) {
    if (ws !== this.ws) return
    this.drop()
    if (code >= 4100 && code < 4200) return this.set('final')
    if (code === 4000) return this.set('paused')
    if (code === 1009 || code === 4002) this.d.refused()
    this.retry(code === 1008 || code === 4008 ? 10_000 : 0)
  }

  private retry(min: number) {
    const top = Math.min(CAP, 500 * 2 ** Math.min(this.tries++, 7))
    this.set('waiting')
    const r = (this.d.random || Math.random)()
    cancel(this.timer)
    this.timer = later(() => this.dial(), min + top * (0.3 + 0.7 * r))
  }

  private drop() {
    cancel(this.timer)
    cancel(this.beat)
    cancel(this.stable)
    const ws = this.ws
    this.ws = undefined
    if (ws) {
      try {
        ws.close(1000)
      } catch {
        /* it is gone already */
      }
    }
  }
}
