/**
 * The look of the widget. The server sends this object twice: as the answer of
 * `GET /v1/site` (before the first click) and as `settings` of `welcome`. The
 * Go side is `wire.Site`. Everything in it is cosmetic: nothing here, and
 * nothing that the page's HTML sets, can shape an answer.
 */
export interface Site {
  /** Name in the header; empty: the visitor's word for "Chat". */
  title?: string
  /** First sentence, Markdown; empty: a friendly one in the visitor's language. */
  greeting?: string
  /** State line while the AI answers, e.g. "AI answers at once. People 9-18." */
  hours?: string
  /** Sentence above the offline form. */
  away?: string
  /** Label beside the bubble; empty: the bubble alone. */
  launcher?: string
  /** `#rgb` or `#rrggbb`; text on it is chosen for contrast. Default #0F7B6C. */
  color?: string
  side?: 'right' | 'left'
  /** CSS pixels from the side and from the bottom, 0-400. Default 20. */
  offsetX?: number
  offsetY?: number
  /** Default 2147483000. */
  zIndex?: number
  /** Picture in the header; empty: the title's first letter. */
  avatar?: string
  theme?: 'auto' | 'light' | 'dark'
  /** Empty: the visitor's own language. */
  locale?: string
  /** No bubble until the page calls `show()` or `open()`. */
  hidden?: boolean
  poweredBy?: boolean
  /** Quick questions, at most 8. */
  quick?: string[]
  /** Line above the first message; `required`: nothing connects until agreed. */
  consent?: { text: string; url?: string; required?: boolean }
  /** Questions before the first message, at most 8. */
  prechat?: Field[]
  /** Rules that speak first; any rule permits a request before the click. */
  proactive?: Rule[]
  /** Files and pictures. Default false. */
  upload?: boolean
  /** Bytes a file. Default 10 MiB. */
  maxUpload?: number
  /** Characters a message. Default 4000. */
  maxChars?: number
  /** The rest defaults to true. */
  emoji?: boolean
  sound?: boolean
  rating?: boolean
  human?: boolean
  transcript?: boolean
  /** Texts by language, see `LOCALES`. */
  texts?: Record<string, Texts>
}

export interface Field {
  /** `name`, `email`, `phone` (labels known in every language) or one's own. */
  name: string
  label?: string
  type?: 'text' | 'email' | 'tel'
  required?: boolean
}

export interface Rule {
  text: string
  /** Seconds on the page. */
  after?: number
  /** Percent of the page scrolled. */
  scroll?: number
  /** Path pattern, `*` for anything. */
  path?: string
  /** Open the panel in place of the sentence. */
  open?: boolean
}

export interface Texts {
  title?: string
  greeting?: string
  hours?: string
  away?: string
  launcher?: string
  consentText?: string
  quick?: string[]
}

/** What the page may say: the look, who the visitor is, where things live. */
export interface PageSettings extends Site {
  site?: string
  /** Where the appliance is; default: where the script came from. */
  server?: string
  /** `page`: fill the whole document, always open. */
  mode?: 'bubble' | 'page'
  /** Open at load. */
  open?: boolean
  user?: Identity
}

/** Who the visitor is. `token` is a JWT signed by the shop's server. */
export interface Identity {
  token?: string
  id?: string
  name?: string
  email?: string
  /** HMAC-SHA256 of `id`, hexadecimal, as Chatwoot's `identifier_hash`. */
  hash?: string
}

const num = (v: unknown, lo: number, hi: number) => {
  const n = parseInt(v as string)
  return n >= lo && n <= hi ? n : undefined
}

const text = (v: unknown, max: number) => (typeof v === 'string' ? v.slice(0, max) : undefined)

const FLAGS = 'hidden,poweredBy,upload,emoji,sound,rating,human,transcript,open'.split(',')
const TEXTS = 'title,greeting,hours,away,launcher,avatar,locale,site,server'.split(',')

/**
 * Takes over what is well formed of an untrusted object (the server's answer,
 * `HaokeSettings`, `data-*`) and leaves the rest out, so that later layers can
 * be laid over earlier ones. Never throws.
 */
export function read(from: unknown): PageSettings {
  const o: any = {}
  if (!from || typeof from !== 'object') return o
  const f = from as Record<string, any>
  const put = (k: string, v: unknown) => {
    if (v !== undefined) o[k] = v
  }
  for (let i = 0; i < TEXTS.length; i++) put(TEXTS[i], text(f[TEXTS[i]], 2000))
  for (let i = 0; i < FLAGS.length; i++) {
    const v = f[FLAGS[i]]
    if (v != null) o[FLAGS[i]] = v === '' || v === true || v === 'true' || v === '1'
  }
  put('offsetX', num(f.offsetX, 0, 400))
  put('offsetY', num(f.offsetY, 0, 400))
  put('zIndex', num(f.zIndex, 1, 2147483647))
  put('maxUpload', num(f.maxUpload, 1, 2e9))
  put('maxChars', num(f.maxChars, 1, 16000))
  if (/^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(f.color)) o.color = f.color
  if (f.side === 'left' || f.side === 'right') o.side = f.side
  if (/^(auto|light|dark)$/.test(f.theme)) o.theme = f.theme
  if (f.mode === 'page') o.mode = f.mode
  if (f.texts && typeof f.texts === 'object') o.texts = f.texts
  if (f.consent && text(f.consent.text, 1)) o.consent = f.consent
  if (f.user && typeof f.user === 'object') o.user = f.user
  const q = f.quick
  if (typeof q === 'string' && q) o.quick = q.split('|')
  else if (Array.isArray(q)) o.quick = q
  if (Array.isArray(f.prechat)) o.prechat = f.prechat
  if (Array.isArray(f.proactive)) o.proactive = f.proactive
  return o
}
