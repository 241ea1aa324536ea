// A server that keeps to the visitors' protocol, small enough to be read at
// once and with handles for faults that a real server should never show. The
// browser tests run against it when HAOKE_URL does not name a real appliance.
import { randomUUID } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { WebSocketServer } from 'ws'

const DIST = join(import.meta.dirname, '../../widget/dist')
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.json': 'application/json', '.png': 'image/png' }
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'"

const sleep = ms => new Promise(r => setTimeout(r, ms))

/** Starts the mock; `site` is the look that it serves. */
export async function startMock({ site = {}, pages = {} } = {}) {
  const m = {
    site,
    pages,
    mode: 'ai',
    conversations: new Map(),
    sockets: new Set(),
    requests: [],
    offline: [],
    uploads: [],
    frames: [],
    /** What the AI answers: pieces, the pause between them, and what to wait for before (milliseconds or a promise). */
    answer: text => ({ pieces: `You said: **${text}**. That is all.`.match(/.{1,6}/gs), pause: 10 }),
    epoch: 'e1',
    /** Refuses every upgrade while true. */
    down: false,
    /** Called with each parsed frame before it is handled; true swallows it. */
    on: null,
    badTokens: new Set(),
  }

  const http = createServer((req, res) => serve(m, req, res))
  const wss = new WebSocketServer({ noServer: true, maxPayload: 1 << 20, handleProtocols: p => (p.has('haoke.v1') ? 'haoke.v1' : false) })
  http.on('upgrade', (req, sock, head) => {
    m.requests.push('WS ' + req.url)
    if (m.down || !req.url.startsWith('/v1/chat')) return sock.destroy()
    wss.handleUpgrade(req, sock, head, ws => visitor(m, ws))
  })
  await new Promise(r => http.listen(0, '127.0.0.1', r))
  m.port = http.address().port
  m.url = `http://127.0.0.1:${m.port}`
  /** Cuts every line without a goodbye, as a dying network does. */
  m.cut = () => {
    for (const ws of m.sockets) ws.terminate()
  }
  m.closeAll = code => {
    for (const ws of m.sockets) ws.close(code)
  }
  m.push = (conv, frame) => broadcast(m, conv, frame)
  m.say = (conv, from, text, more = {}) => append(m, conv, { from, text, ...more })
  m.setMode = (conv, mode) => {
    conv.mode = mode
    broadcast(m, conv, { type: 'status', state: 'idle', mode })
  }
  m.last = () => [...m.conversations.values()].at(-1)
  m.stop = async () => {
    m.cut()
    http.closeAllConnections()
    await new Promise(r => http.close(r))
  }
  return m
}

function serve(m, req, res) {
  const url = new URL(req.url, 'http://x')
  m.requests.push(req.method + ' ' + req.url)
  res.setHeader('Access-Control-Allow-Origin', '*')
  res.setHeader('Access-Control-Allow-Headers', 'authorization, content-type')
  if (req.method === 'OPTIONS') return res.writeHead(204).end()
  const p = url.pathname
  if (m.pages[p]) {
    const page = m.pages[p]
    res.writeHead(200, { 'content-type': TYPES['.html'], ...(page.headers || {}) })
    return res.end(page.body ?? page)
  }
  if (p === '/v1/site') {
    if (m.siteDown) return res.writeHead(503).end()
    res.writeHead(200, { 'content-type': 'application/json' })
    return res.end(JSON.stringify(m.site))
  }
  if (p === '/v1/offline' || p === '/v1/upload') return take(m, req, res, p)
  if (p.startsWith('/v1/files/')) {
    const f = m.uploads.find(u => p.startsWith(u.url))
    if (!f) return res.writeHead(404).end()
    res.writeHead(200, { 'content-type': f.type, 'content-disposition': 'attachment' })
    return res.end(f.data)
  }
  const file = p === '/' || p === '/demo' ? 'demo.html' : p === '/chat' ? 'chat.html' : p.replace(/^\/assets\//, '/').slice(1)
  const path = join(DIST, file)
  if (file.includes('..') || !existsSync(path)) return res.writeHead(404).end('not found')
  const headers = { 'content-type': TYPES[extname(file)] || 'application/octet-stream' }
  if (file.endsWith('.html')) headers['content-security-policy'] = CSP.replace("connect-src 'self'", `connect-src 'self' ws://127.0.0.1:${m.port}`)
  res.writeHead(200, headers)
  createReadStream(path).pipe(res)
}

function take(m, req, res, p) {
  const chunks = []
  req.on('data', c => chunks.push(c))
  req.on('end', () => {
    const body = Buffer.concat(chunks)
    if (p === '/v1/offline') {
      m.offline.push(JSON.parse(body))
      return res.writeHead(204).end()
    }
    const head = body.subarray(0, 600).toString('latin1')
    const name = Buffer.from(/filename="([^"]*)"/.exec(head)?.[1] || 'file', 'latin1').toString()
    const type = /content-type: ([^\r\n]+)/i.exec(head)?.[1] || 'application/octet-stream'
    const data = body.subarray(body.indexOf('\r\n\r\n') + 4, body.lastIndexOf('\r\n--'))
    const id = randomUUID()
    const f = { id, url: '/v1/files/' + id, name, type, size: data.length, data, auth: req.headers.authorization }
    m.uploads.push(f)
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ id, url: f.url, name, type, size: f.size }))
  })
}

function tx(ws, frame) {
  if (ws.readyState === 1) ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
}

function broadcast(m, conv, frame) {
  for (const ws of m.sockets) if (ws.conv === conv) tx(ws, frame)
}

function append(m, conv, msg) {
  const full = { type: 'message', seq: conv.messages.length + 1, at: new Date().toISOString(), ...msg }
  conv.messages.push(full)
  broadcast(m, conv, full)
  return full
}

function visitor(m, ws) {
  m.sockets.add(ws)
  ws.on('close', () => m.sockets.delete(ws))
  ws.on('error', () => {})
  ws.on('message', data => {
    let f
    try {
      f = JSON.parse(data)
    } catch {
      return tx(ws, { type: 'error', code: 'bad_frame', message: 'bad frame' })
    }
    m.frames.push(f)
    if (m.on && m.on(f, ws)) return
    handle(m, ws, f)
  })
}

function handle(m, ws, f) {
  if (f.type === 'hello') return hello(m, ws, f)
  if (!ws.conv) return ws.close(4002)
  const conv = ws.conv
  if (f.type === 'message') return message(m, ws, conv, f)
  if (f.type === 'ping') return tx(ws, { type: 'pong', t: f.t })
  if (f.type === 'stop') {
    conv.stop = true
    return
  }
  if (f.type === 'human') {
    if (conv.mode === 'human') return
    conv.mode = 'waiting'
    broadcast(m, conv, { type: 'status', state: 'idle', mode: 'waiting' })
    append(m, conv, { from: 'system', text: 'A person will join you soon.' })
    return
  }
  if (f.type === 'rate' || f.type === 'read' || f.type === 'typing') return
  tx(ws, { type: 'error', code: 'unknown_type', message: 'unknown type' })
}

function hello(m, ws, f) {
  let conv = f.token && m.conversations.get(f.token)
  if (f.token && (!conv || m.badTokens.has(f.token))) return tx(ws, { type: 'error', code: 'bad_token', message: 'This conversation has ended.' })
  if (!conv) {
    conv = { id: randomUUID(), token: randomUUID(), messages: [], acks: new Map(), mode: m.mode, epoch: m.epoch }
    m.conversations.set(conv.token, conv)
  }
  ws.conv = conv
  tx(ws, { type: 'welcome', conversation: conv.id, token: conv.token, epoch: conv.epoch, seq: conv.messages.length, mode: conv.mode, settings: m.site })
  for (const msg of conv.messages) if (msg.seq > (f.after || 0)) tx(ws, msg)
  if (conv.live) tx(ws, { type: 'ai', seq: conv.live.seq, part: 0, data: conv.live.text }), (ws.parts = 1)
}

function message(m, ws, conv, f) {
  if (conv.acks.has(f.id)) return tx(ws, { type: 'ack', id: f.id, seq: conv.acks.get(f.id) })
  const seq = conv.messages.length + 1
  const msg = { type: 'message', seq, from: 'visitor', text: f.text, at: new Date().toISOString(), id: f.id }
  conv.messages.push(msg)
  conv.acks.set(f.id, seq)
  tx(ws, { type: 'ack', id: f.id, seq })
  broadcast(m, conv, msg)
  if (conv.mode === 'ai') void answer(m, conv, f.text)
}

async function answer(m, conv, text) {
  const a = m.answer(text, conv)
  if (!a) return
  if (conv.answering) {
    ;(conv.more = conv.more || []).push(text)
    return
  }
  conv.answering = true
  conv.stop = false
  broadcast(m, conv, { type: 'status', state: 'thinking' })
  await (a.wait > 0 ? sleep(a.wait) : a.wait)
  conv.live = { seq: conv.messages.length + 1, text: '' }
  for (const p of a.pieces || []) {
    if (conv.stop) break
    // A message of the visitor has taken our number: tell the answer again.
    const moved = conv.live.seq !== conv.messages.length + 1
    conv.live.seq = conv.messages.length + 1
    conv.live.text += p
    for (const s of m.sockets) {
      if (s.conv !== conv) continue
      if (moved || !s.parts) tx(s, { type: 'ai', seq: conv.live.seq, part: 0, data: conv.live.text }), (s.parts = 1)
      else tx(s, { type: 'ai', seq: conv.live.seq, part: s.parts++, data: p })
    }
    if (a.pause) await sleep(a.pause)
  }
  const done = conv.live.text
  conv.live = null
  for (const s of m.sockets) if (s.conv === conv) s.parts = 0
  if (a.system) append(m, conv, { from: 'system', text: a.system, finish: a.finish || 'error' })
  else append(m, conv, { from: 'ai', text: done, finish: conv.stop ? 'stopped' : a.finish || 'stop', sources: a.sources })
  broadcast(m, conv, { type: 'status', state: 'idle' })
  conv.answering = false
  const next = conv.more?.shift()
  if (next !== undefined) void answer(m, conv, next)
}
