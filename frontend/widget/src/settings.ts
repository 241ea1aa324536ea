/**
 * The look of the widget. The server sends this object twice: as the answer of
 * `GET /v1/site` (before the first click) and as `settings` of `welcome`. The
 * Go side is `wire.Site`. Everything in it is cosmetic: nothing here, and
 * nothing that the page's HTML sets, can shape an answer. It comes from
 * outside, so whatever uses a field has to live with any value in it.
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
  /** `right` (default) or `left`. */
  side?: string
  /** CSS pixels from the side and from the bottom. Default 20. */
  offsetX?: number
  offsetY?: number
  /** Default 2147483000. */
  zIndex?: number
  /** Picture in the header; empty: the title's first letter. */
  avatar?: string
  /** `auto` (default), `light` or `dark`. */
  theme?: string
  /** Empty: the visitor's own language. */
  locale?: string
  /** No bubble until the page calls `show()` or `open()`. */
  hidden?: boolean
  poweredBy?: boolean
  /** Quick questions, at most 8; in `data-quick` parted by "|". */
  quick?: string[] | string
  /** Line above the first message; `required`: nothing connects until agreed. */
  consent?: { text: string; url?: string; required?: boolean }
  /** The consent line in the visitor's language, from `texts`. */
  consentText?: string
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
  /** Texts by language: en, zh-CN, zh-TW, ja, ko, es, fr, de, pt, ru, ar. */
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
  /** Where the appliance is, e.g. `https://chat.shop.example/`; default: where the script came from. */
  server?: string
  /** `page`: fill the whole document, always open. */
  mode?: string
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

/** Attributes of the script element as settings: "", "true", "false" are flags. */
export function fromData(data: DOMStringMap): PageSettings {
  const o: any = {}
  for (const k in data) o[k] = data[k] == '' || data[k] == 'true' || (data[k] == 'false' ? false : data[k])
  return o
}
