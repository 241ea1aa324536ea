/**
 * What the widget needs of the page's globals, taken once while the script
 * loads. Pages replace globals, by accident (old libraries give Array a
 * toJSON) or on purpose; a replaced WebSocket or JSON is taken from a fresh
 * frame instead, whose globals nobody has touched. The widget's own code keeps
 * to index loops and plain assignments, so that a page's Array.prototype does
 * not matter either.
 */
const fnText = Function.prototype.toString
const native = (f: unknown) => {
  try {
    return /\{\s*\[native code\]\s*\}\s*$/.test(fnText.call(f as Function))
  } catch {
    return false
  }
}

let fresh: any
function realm(): any {
  if (!fresh) {
    const f = document.createElement('iframe')
    f.style.display = 'none'
    f.setAttribute('aria-hidden', 'true')
    document.documentElement.appendChild(f)
    fresh = f.contentWindow || window
  }
  return fresh
}

const w = window as any
const { WebSocket: ws, JSON: json, fetch: f0, setTimeout: st, clearTimeout: ct } = w
const parse0 = json.parse
const str0 = json.stringify

/** JSON.parse of an untouched realm. */
export const parse = (s: string): any => (native(parse0) ? parse0 : realm().JSON.parse)(s)

const str = (v: unknown): string => (native(str0) ? str0 : realm().JSON.stringify)(v)

/** JSON of plain data, immune to toJSON methods that pages put on prototypes. */
export function enc(v: unknown): string {
  if (!v || typeof v !== 'object') return str(v === undefined ? null : v)
  let s = ''
  if (Array.isArray(v)) {
    for (let i = 0; i < v.length; i++) s += (i ? ',' : '') + enc(v[i])
    return '[' + s + ']'
  }
  const o = v as Record<string, unknown>
  for (const k in o) {
    if (!Object.prototype.hasOwnProperty.call(o, k) || o[k] === undefined) continue
    s += (s && ',') + str(k) + ':' + enc(o[k])
  }
  return '{' + s + '}'
}

/** Opens a socket with an untouched constructor. */
export const socket = (url: string, proto: string): WebSocket => new (native(ws) ? ws : realm().WebSocket)(url, proto)

export const later = (fn: () => void, ms: number): number => st.call(w, fn, ms)
export const cancel = (id: number | undefined) => ct.call(w, id)
export const get = (url: string, init?: RequestInit): Promise<Response> => f0.call(w, url, init)

/** 128 random bits in hexadecimal; also on plain HTTP, where randomUUID is missing. */
export function uid(): string {
  let s = ''
  const b = new Uint8Array(16)
  try {
    crypto.getRandomValues(b)
  } catch {
    for (let i = 0; i < 16; i++) b[i] = Math.random() * 256
  }
  for (let i = 0; i < 16; i++) s += (256 + b[i]).toString(16).slice(1)
  return s
}
