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
  changed(s: LinkState): void
  /** The server closed because of what we sent: it must not be repeated. */
  refused(): void
  /** For tests. */
  open?: (url: string) => WebSocket
  random?: () => number
}

export type Link = ReturnType<typeof openLink>

/**
 * One WebSocket that is kept alive: it reconnects for ever with a jittered
 * back-off (half a second, doubling to 30 s), proves the way in both
 * directions, and stops only when told to or by a final close code.
 *
 * The proof is a ping after 45 s of silence: proxies cut a silent line after 55
 * or 60, and each ping keeps a phone's radio awake for seconds. While an answer
 * is awaited it is 20 s, and whoever is not heard within 10 s of a question is
 * taken for gone.
 *
 * Close codes: 1008 and 4008 wait at least 10 s; 4000 (replaced by another
 * connection) pauses until the visitor comes back to this tab, so that two
 * tabs never fight; 4100-4199 end the link until the next page load.
 */
export function openLink(d: LinkDeps) {
  let state: LinkState = 'idle'
  let ws: WebSocket | undefined
  let tries = 0
  let timer: number
  let beat: number
  let stable: number
  /** An answer is awaited. */
  let asked = false

  const set = (s: LinkState) => {
    if (state != s) d.changed((state = s))
  }
  const write = (f: object) => {
    try {
      ws!.send(enc(f))
      return true
    } catch {
      return false
    }
  }
  const drop = () => {
    cancel(timer)
    cancel(beat)
    cancel(stable)
    const old = ws
    ws = undefined
    try {
      if (old) old.close()
    } catch {
      /* it is gone already */
    }
  }
  const retry = (min: number) => {
    drop()
    const top = Math.min(30_000, 500 * 2 ** Math.min(tries++, 7))
    timer = later(dial, min + top * (0.3 + 0.7 * (d.random || Math.random)()))
    set('waiting')
  }
  const lost = (code: number) => {
    drop()
    if (code >= 4100 && code < 4200) set('final')
    else if (code == 4000) set('paused')
    else {
      if (code == 1009 || code == 4002) d.refused()
      retry(code == 1008 || code == 4008 ? 10_000 : 0)
    }
  }
  /** Something must be heard within so many ms. */
  const expect = (wait: number) => {
    cancel(beat)
    beat = later(() => lost(0), wait)
  }
  const ping = (wait: number) => {
    expect(wait)
    write({ type: 'ping' })
  }
  const got = (data: unknown) => {
    let f: Frame | undefined
    try {
      f = parse(data as string)
    } catch {
      /* nonsense: without a welcome in time the server is left and tried again */
    }
    if (!f || typeof f.type != 'string') return
    if (f.type == 'welcome') {
      // Only a connection that lasts counts as success: a server that
      // welcomes and closes at once still meets a growing back-off.
      stable = later(() => (tries = 0), 5_000)
      set('open')
    }
    // So does one over which something of ours arrived.
    if (f.type == 'ack') tries = 0
    if (f.type == 'error' || (f.type == 'message' && f.from != 'visitor')) asked = false
    if (state == 'open') {
      cancel(beat)
      beat = later(() => ping(10_000), asked ? 20_000 : 45_000)
    }
    d.frame(f)
  }
  function dial() {
    drop()
    set('connecting')
    let s: WebSocket
    try {
      ws = s = (d.open || socket)(d.url())
    } catch {
      return retry(5_000)
    }
    expect(12_000)
    s.onopen = () => s == ws && write(d.hello())
    s.onmessage = e => s == ws && got(e.data)
    s.onclose = e => s == ws && lost(e.code)
  }
  return {
    state: () => state,
    /** Connects unless connected, connecting or ended. */
    start() {
      if (state == 'idle' || state == 'paused') dial()
    },
    /** Closes for good until `start`. */
    stop() {
      drop()
      set('idle')
    },
    /** Sends a frame; false when there is no welcomed connection. */
    send(f: Frame) {
      if (state != 'open' || !write(f)) return false
      if (f.type == 'message') {
        asked = true
        expect(10_000)
      }
      return true
    },
    /** Is the line still alive? Called when the page wakes up or comes online. */
    probe() {
      if (state == 'open') ping(4_000)
      else if (state == 'waiting' || state == 'paused') {
        tries = 0
        dial()
      }
    },
    /** Drops the connection and makes a new one, soon. */
    kick() {
      if (state != 'final' && state != 'idle') retry(0)
    },
  }
}
