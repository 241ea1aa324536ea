/**
 * Markdown to DOM nodes: bold, italics, strike, code, links, lists, tables,
 * quotes, headings. Nothing is ever parsed as HTML; links only to http, https,
 * mailto and tel; a picture is shown only when `img` says that its address is
 * our own. Work is linear in the text: every search for a closing mark is
 * bounded, nesting ends at five levels.
 */
export interface MdOptions {
  /** Is this address one of the appliance's own files? */
  img?: (url: string) => boolean
}

type Add = (n: Node) => void

const el = (tag: string, kids?: (add: Add) => void): HTMLElement => {
  const e = document.createElement(tag)
  if (kids) kids(n => e.appendChild(n))
  return e
}

/** Returns the address if it may be linked. */
export function safeUrl(url: string): string | undefined {
  // Control characters and blanks inside are how "java\nscript:" gets in.
  return /^(https?:\/\/|mailto:|tel:)[^\s\u0000-\u001f\u007f"<>\\^`{|}]+$/i.test(url) ? url : undefined
}

export function anchor(url: string, label?: string): HTMLAnchorElement {
  const a = document.createElement('a')
  a.href = url
  a.rel = 'noopener noreferrer nofollow ugc'
  a.target = '_blank'
  if (label !== undefined) a.textContent = label
  return a
}

const LINK = /(!?)\[([^\[\]\n]{0,300})\]\(\s{0,3}<?([^\s<>]{1,1000}?)>?(?:\s{1,3}"[^"\n]{0,200}")?\s{0,3}\)/y
const AUTO = /<?(https?:\/\/[^\s<>"'`{}|\\^]{2,800}|mailto:[^\s<>"'`]{3,300})>?/iy
const MARKS = '\\`*_~[!<h\n'

/** Finds a closing mark that follows a non-blank, within 2,000 characters. */
function closer(s: string, mark: string, from: number): number {
  let i = from
  for (let n = 0; n < 20; n++) {
    i = s.indexOf(mark, i)
    if (i < 0 || i - from > 2000) return -1
    const c = s[i - 1]
    if (i > from && c !== ' ' && c !== '\n' && c !== '\\') {
      // "**" inside "***": take the last two stars
      if (mark.length > 1 || s[i + 1] !== mark) return i
      i++
    }
    i++
  }
  return -1
}

/** Inline marks of `s`, appended through `add`. */
export function inline(s: string, add: Add, o: MdOptions, depth = 0) {
  let plain = ''
  const none: Record<string, number> = {}
  const flush = () => {
    if (plain) add(document.createTextNode(plain))
    plain = ''
  }
  const wrap = (tag: string, text: string) => {
    flush()
    add(el(tag, sub => inline(text, sub, o, depth + 1)))
  }
  for (let i = 0; i < s.length; i++) {
    const c = s[i]
    if (MARKS.indexOf(c) < 0 || depth > 4) {
      plain += c
      continue
    }
    if (c === '\n') {
      flush()
      add(el('br'))
      continue
    }
    if (c === '\\' && i + 1 < s.length && /[!-\/:-@\[-`{-~]/.test(s[i + 1])) {
      plain += s[++i]
      continue
    }
    if (c === '`' && !none['`']) {
      let n = 1
      while (s[i + n] === '`' && n < 9) n++
      const fence = s.slice(i, i + n)
      const end = s.indexOf(fence, i + n)
      if (end > 0 && end - i < 5000) {
        flush()
        const e = el('code')
        e.textContent = s.slice(i + n, end).replace(/^ (.+) $/, '$1')
        add(e)
        i = end + n - 1
        continue
      }
      if (end < 0 && n === 1) none['`'] = 1
      plain += fence
      i += n - 1
      continue
    }
    if ((c === '*' || c === '_' || c === '~') && s[i + 1] !== undefined) {
      const two = s[i + 1] === c
      const mark = two ? c + c : c
      const a = i + mark.length
      const word = c === '_' && /[\p{L}\p{N}]/u.test(s[i - 1] || '')
      if ((c !== '~' || two) && !word && s[a] && !/\s/.test(s[a]) && !none[mark]) {
        const end = closer(s, mark, a)
        if (end > 0 && !(c === '_' && /[\p{L}\p{N}]/u.test(s[end + mark.length] || ''))) {
          wrap(c === '~' ? 's' : two ? 'strong' : 'em', s.slice(a, end))
          i = end + mark.length - 1
          continue
        }
        if (end < 0 && s.indexOf(mark, a) < 0) none[mark] = 1
      }
      plain += mark
      i += mark.length - 1
      continue
    }
    if (c === '[' || (c === '!' && s[i + 1] === '[')) {
      LINK.lastIndex = i
      const m = LINK.exec(s)
      if (m) {
        flush()
        link(m[2], m[3], !!m[1], add, o, depth)
        i += m[0].length - 1
        continue
      }
    }
    if ((c === '<' || c === 'h') && !/[\p{L}\p{N}]/u.test(s[i - 1] || '')) {
      AUTO.lastIndex = i
      const m = AUTO.exec(s)
      if (m) {
        // Punctuation at the end belongs to the sentence, not to the address.
        const url = m[1].replace(/[.,;:!?)\]。，；：！？）】」』、…]+$/, '')
        if (safeUrl(url)) {
          flush()
          add(anchor(url, url))
          i += m[0][0] === '<' && m[0].length === m[1].length + 2 && url === m[1] ? m[0].length - 1 : (m[0][0] === '<' ? 1 : 0) + url.length - 1
          continue
        }
      }
    }
    plain += c
  }
  flush()
}

function link(label: string, url: string, picture: boolean, add: Add, o: MdOptions, depth: number) {
  const own = o.img && o.img(url)
  const href = own ? url : safeUrl(url)
  if (!href) {
    // A refused address is shown, not hidden: the reader sees what it was.
    add(document.createTextNode(label + ' (' + url + ')'))
    return
  }
  const a = anchor(href)
  if (picture && own) {
    const img = document.createElement('img')
    img.src = href
    img.alt = label
    img.loading = 'lazy'
    a.appendChild(img)
  } else if (label) inline(label, n => a.appendChild(n), {}, Math.max(depth + 1, 4))
  else a.textContent = href
  add(a)
}

const ITEM = /^(\s{0,12})([-*+•]|\d{1,9}[.)])\s+(.*)$/
const TABLE = /^\s*\|?\s*:?-{1,}:?\s*(\|\s*:?-{1,}:?\s*)*\|?\s*$/

function cells(row: string): string[] {
  return row.trim().replace(/^\|/, '').replace(/\|$/, '').split('|')
}

/** Renders `text` into a fragment. */
export function md(text: string, o: MdOptions = {}): DocumentFragment {
  const out = document.createDocumentFragment()
  const lines = text.replace(/\r\n?/g, '\n').split('\n')
  block(lines, 0, lines.length, n => out.appendChild(n), o, 0)
  return out
}

function block(lines: string[], from: number, to: number, add: Add, o: MdOptions, depth: number) {
  let para = ''
  const flush = () => {
    if (para) {
      const p = para
      add(el('p', sub => inline(p, sub, o)))
    }
    para = ''
  }
  let i = from
  while (i < to) {
    const l = lines[i]
    let m: RegExpExecArray | null
    if (!l.trim()) {
      flush()
      i++
    } else if ((m = /^\s{0,12}(`{3,}|~{3,})/.exec(l))) {
      flush()
      const fence = m[1]
      let code = ''
      for (i++; i < to && lines[i].trim().indexOf(fence) !== 0; i++) code += lines[i] + '\n'
      i++
      add(
        el('pre', sub => {
          const c = el('code')
          c.textContent = code.replace(/\n$/, '')
          sub(c)
        }),
      )
    } else if ((m = /^\s{0,3}#{1,6}\s+(\S.*)$/.exec(l))) {
      flush()
      const h = m[1].trimEnd().replace(/\s#+$/, '')
      const p = el('p', sub => inline(h, sub, o))
      p.className = 'h'
      add(p)
      i++
    } else if (/^\s{0,3}([-*_])(\s*\1){2,}\s*$/.test(l)) {
      flush()
      add(el('hr'))
      i++
    } else if (/^\s{0,3}>/.test(l) && depth < 4) {
      flush()
      const inner: string[] = []
      while (i < to && /^\s{0,3}>/.test(lines[i])) inner[inner.length] = lines[i++].replace(/^\s{0,3}>\s?/, '')
      add(el('blockquote', sub => block(inner, 0, inner.length, sub, o, depth + 1)))
    } else if (ITEM.test(l) && depth < 5) {
      flush()
      i = list(lines, i, to, add, o, depth)
    } else if (l.indexOf('|') >= 0 && i + 1 < to && TABLE.test(lines[i + 1]) && lines[i + 1].indexOf('-') >= 0 && /\|/.test(lines[i + 1])) {
      flush()
      i = table(lines, i, to, add, o)
    } else {
      para += (para && '\n') + l.trim()
      i++
    }
  }
  flush()
}

function list(lines: string[], i: number, to: number, add: Add, o: MdOptions, depth: number): number {
  const first = ITEM.exec(lines[i])!
  const indent = first[1].length
  const ordered = /\d/.test(first[2])
  const ul = el(ordered ? 'ol' : 'ul')
  if (ordered && parseInt(first[2]) !== 1) ul.setAttribute('start', String(parseInt(first[2])))
  while (i < to) {
    const m = ITEM.exec(lines[i])
    if (!m || m[1].length < indent || m[1].length > indent + 1 || /\d/.test(m[2]) !== ordered) break
    const inner: string[] = [m[3]]
    const pad = m[1].length + m[2].length + 1
    for (i++; i < to; i++) {
      const l = lines[i]
      const n = ITEM.exec(l)
      if (n && n[1].length <= indent + 1) break
      if (!l.trim()) {
        // A blank line ends the item unless what follows is indented.
        if (i + 1 < to && /^\s{2,}\S/.test(lines[i + 1]) && !(ITEM.exec(lines[i + 1]) && ITEM.exec(lines[i + 1])![1].length <= indent + 1)) {
          inner[inner.length] = ''
          continue
        }
        break
      }
      if (!n && /^\S/.test(l) && /^(#{1,6}\s|```|~~~|>|\|)/.test(l)) break
      inner[inner.length] = l.slice(0, pad).trim() ? l.trim() && l.replace(/^\s+/, n ? '  ' : '') : l.slice(pad)
    }
    ul.appendChild(
      el('li', sub => {
        const tight = document.createDocumentFragment()
        block(inner, 0, inner.length, n => tight.appendChild(n), o, depth + 1)
        // A lone paragraph in an item needs no paragraph of its own.
        const p = tight.firstChild
        if (p && p.nodeName === 'P' && !(p as HTMLElement).className) {
          while (p.firstChild) sub(p.firstChild)
          tight.removeChild(p)
        }
        sub(tight)
      }),
    )
    // A loose list goes on after one blank line.
    if (i + 1 < to && !lines[i].trim()) {
      const n = ITEM.exec(lines[i + 1])
      if (n && n[1].length <= indent + 1 && n[1].length >= indent && /\d/.test(n[2]) === ordered) i++
    }
  }
  add(ul)
  return i
}

function table(lines: string[], i: number, to: number, add: Add, o: MdOptions): number {
  const head = cells(lines[i])
  const align = cells(lines[i + 1])
  const row = (cs: string[], tag: string) =>
    el('tr', sub => {
      for (let k = 0; k < head.length && k < 20; k++) {
        const c = el(tag, s => inline((cs[k] || '').trim(), s, o))
        const a = (align[k] || '').trim()
        if (/:$/.test(a)) c.className = /^:/.test(a) ? 'mid' : 'end'
        sub(c)
      }
    })
  const t = el('table')
  t.appendChild(el('thead', sub => sub(row(head, 'th'))))
  const body = el('tbody')
  for (i += 2; i < to && lines[i].indexOf('|') >= 0 && lines[i].trim(); i++) body.appendChild(row(cells(lines[i]), 'td'))
  t.appendChild(body)
  const box = el('div', sub => sub(t))
  box.className = 'tb'
  box.tabIndex = 0
  add(box)
  return i
}

/**
 * Where a text that is still growing may be cut: everything before the
 * returned offset is complete blocks and will never render differently.
 */
export function stableEnd(text: string, from: number): number {
  let at = from
  let best = from
  let fence = ''
  while (at < text.length) {
    const nl = text.indexOf('\n', at)
    if (nl < 0) break
    const l = text.slice(at, nl).trim()
    const m = /^(`{3,}|~{3,})/.exec(l)
    if (m && !fence) fence = m[1]
    else if (m && l.indexOf(fence) === 0) fence = ''
    at = nl + 1
    // A blank line ends a block, unless the next line may still belong to it.
    if (!l && !fence && at < text.length && /^[^\s\-*+•\d>|]/.test(text.slice(at, at + 1))) best = at
  }
  return best
}
