/**
 * What the widget needs of the page's globals, taken once while the script
 * loads. Pages replace globals, by accident (old libraries give Array a
 * toJSON) or on purpose; a replaced WebSocket or JSON is taken from a fresh
 * frame instead, whose globals nobody has touched. The widget's own code keeps
 * to index loops and plain assignments, so that a page's Array.prototype does
 * not matter either.
 */
const w: any = window
const text = Function.prototype.toString
const { WebSocket: ws, JSON: json, fetch: f, setTimeout: st, clearTimeout: ct } = w
const { parse: p0, stringify: s0 } = json

let fresh: any
/** `now` if it is the browser's own, else what a fresh frame has under `path`. */
function own(now: any, from: (w: any) => any): any {
  try {
    if (/\{\s*\[native code\]\s*\}$/.test(text.call(now))) return now
  } catch {
    /* not even a function */
  }
  if (!fresh) {
    const i = document.createElement('iframe')
    i.style.display = 'none'
    document.documentElement.appendChild(i)
    fresh = i.contentWindow
  }
  return from(fresh)
}

/** JSON.parse of an untouched realm. */
export const parse = (s: string): any => own(p0, w => w.JSON.parse)(s)

/** JSON of plain data, immune to toJSON methods that pages put on prototypes. */
export function enc(v: any): string {
  const str = own(s0, w => w.JSON.stringify)
  if (!v || typeof v != 'object') return str(v) || 'null'
  let s = ''
  const list = Array.isArray(v)
  const keys = Object.keys(v)
  for (let i = 0; i < keys.length; i++) {
    const k = keys[i]
    if (v[k] !== undefined) s += (s && ',') + (list ? '' : str(k) + ':') + enc(v[k])
  }
  return list ? '[' + s + ']' : '{' + s + '}'
}

/** Opens a socket with an untouched constructor. */
export const socket = (url: string): WebSocket => new (own(ws, w => w.WebSocket))(url, 'haoke.v1')

export const later = (fn: () => void, ms: number): number => st.call(w, fn, ms)
export const cancel = (id?: number) => ct.call(w, id)
export const load = (url: string, init?: RequestInit): Promise<Response> => f.call(w, url, init)

const ids = crypto.getRandomValues(new Uint32Array(2))
/**
 * An id that no other message of this visitor has: 64 bits drawn once a page,
 * then counted, at most 21 characters. Ids that follow one another take next
 * to no room in the archive. Works on plain HTTP, where randomUUID is missing.
 */
export const uid = (): string => ids[0] + '-' + ids[1]++
