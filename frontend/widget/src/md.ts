import { attr, h } from './dom'

/**
 * Markdown to DOM nodes: bold, italics, strike, code, links, lists, headings;
 * tables, quotes and rules by `rich`, which comes with the comforts. Nothing is
 * ever parsed as HTML; links only to http, https, mailto and tel; a picture is
 * shown only when `own` knows its address. Every search for a closing mark is
 * bounded and nesting ends at five levels, so the work is linear in the text.
 */
export interface Marks {
  /** The full address of one of the appliance's own files, else ''. */
  own(url: string): string
  /**
   * Draws the block that begins at line `i`, if it is one of its kinds, after
   * `flush`; returns the line after it, or `i`.
   */
  rich?(lines: string[], i: number, flush: () => void, to: Node, depth: number, draw: { inline: typeof inline; block: typeof block }, x: Marks): number
}

// Groups: 1 escaped; 2,3 code; 4,5 strong or strike; 6,7 emphasis; 8,9,10 link; 11 address.
const INLINE =
  /\\([!-/:-@[-`{-~])|(`{1,3})([^`][^]{0,2000}?)\2(?!`)|(\*\*|__|~~)(?=\S)([^]{0,1000}?\S)\4(?!\*)|([*_])(?=[^\s*_])([^]{0,1000}?[^\s\\])\6(?![\p{L}\p{N}])|(!?)\[([^[\]\n]{0,300})\]\(\s?<?([^\s<>]{1,1000}?)>?(?:\s"[^"\n]{0,200}")?\)|<?((?:https?:\/\/|mailto:)[^\s<>"'`{}|\\^]{2,800})>?|\n/giu
const BOTH = /^\*{3}[^\s*]([^]{0,1000}?[^\s*])?\*{3}(?![\p{L}\p{N}*])/u
const WORD = /[\p{L}\p{N}]/u

/** Returns the address if it may be linked. Blanks and controls are how "java\nscript:" gets in. */
export const safeUrl = (url: string) => (/^(https?:\/\/|mailto:|tel:)[^\s\0-\x1f\x7f"<>\\^`{|}]+$/i.test(url) ? url : '')

export function link(url: string, parent: Node | null, text?: string): HTMLAnchorElement {
  const a = h('a', '', parent, text)
  a.href = url
  a.rel = 'noreferrer'
  a.target = '_blank'
  return a
}

/** Inline marks of `s`, appended to `to`. */
export function inline(s: string, to: Node, x?: Marks, depth = 0) {
  let last = 0
  const plain = (t: string) => t && to.appendChild(document.createTextNode(t))
  const re = new RegExp(INLINE.source, INLINE.flags)
  let m: RegExpExecArray | null
  while (depth < 5 && (m = re.exec(s))) {
    const at = m.index
    const sub = m[5] || m[7]
    const wordy = WORD.test(s[at - 1] || '')
    const stars = /^\*{3,}/.exec(s.slice(at))
    if (
      (wordy && (m[6] == '_' || m[4] == '__' || m[11])) ||
      (stars && (wordy || stars[0][3] || !BOTH.test(s.slice(at))))
    ) {
      // snake_case, words that end in "http" and stars that cover a word are not marks.
      re.lastIndex = at + (stars ? stars[0].length : 1)
      continue
    }
    plain(s.slice(last, at))
    last = re.lastIndex
    if (m[1]) plain(m[1])
    else if (m[3] != null) h('code', '', to, m[3].replace(/^ (.+) $/, '$1'))
    else if (sub) inline(sub, h(m[6] ? 'em' : m[4] == '~~' ? 's' : 'strong', '', to), x, depth + 1)
    else if (m[10]) {
      const url = m[10]
      const mine = x && x.own(url)
      // A refused address is shown, not hidden: the reader sees what it was.
      if (!mine && !safeUrl(url)) plain(m[9] + ' (' + url + ')')
      else {
        const a = link(mine || url, to)
        if (m[8] && mine) {
          const img = h('img', '', a)
          img.alt = m[9]
          img.src = mine
        } else a.textContent = m[9].replace(/^(\W{1,2})(.+)\1$/, '$2') || url
      }
    } else if (m[11]) {
      // Punctuation at the end belongs to the sentence, not to the address.
      const url = m[11].replace(/[^\p{L}\p{N}/=&#%+$-]{1,99}$/u, '')
      if (safeUrl(url)) {
        link(url, to, url)
        if (m[0][0] != '<' || url != m[11]) last = re.lastIndex = at + +(m[0][0] == '<') + url.length
      } else plain(m[0])
    } else h('br', '', to)
  }
  plain(s.slice(last))
}

const ITEM = /^(\s{0,12})(?:[-*+•]|(\d{1,9})[.)])\s+(?=\S)/
const FENCE = /^\s*(```+|~~~+)/

/** Renders `text` into `to`. */
export function md(text: string, to: Node, x?: Marks) {
  block(text.replace(/\r/g, '').split('\n'), to, x, 0)
}

function block(lines: string[], to: Node, x: Marks | undefined, depth: number) {
  let para = ''
  const flush = () => {
    // The first paragraph of a list item needs no paragraph of its own.
    if (para) inline(para, depth && to.nodeName == 'LI' && !to.firstChild ? to : h('p', '', to), x)
    para = ''
  }
  for (let i = 0; i < lines.length; i++) {
    const l = lines[i]
    const t = l.trim()
    let m: RegExpExecArray | null
    let n: number
    if (!t) flush()
    else if ((m = FENCE.exec(l))) {
      flush()
      let code = ''
      while (++i < lines.length && lines[i].trim().indexOf(m[1])) code += (code && '\n') + lines[i]
      h('code', '', h('pre', '', to), code)
    } else if ((m = /^#{1,6}\s+/.exec(t))) {
      flush()
      inline(t.slice(m[0].length), h('p', 'h', to), x)
    } else if (x && x.rich && (n = x.rich(lines, i, flush, to, depth, { inline, block }, x)) > i) {
      i = n - 1
    } else if (depth < 5 && ITEM.test(l)) {
      flush()
      i = list(lines, i, to, x, depth) - 1
    } else para += (para && '\n') + t
  }
  flush()
}

/** A list from line `i` on; returns the line after it. */
function list(lines: string[], i: number, to: Node, x: Marks | undefined, depth: number): number {
  const [, indent, number] = ITEM.exec(lines[i])!
  const ul = h(number ? 'ol' : 'ul', '', to)
  if (+number > 1) attr(ul, 'start', +number)
  let inner: string[] = []
  let width = 0
  const flush = () => {
    if (width) block(inner, h('li', '', ul), x, depth + 1)
  }
  for (; i < lines.length; i++) {
    const l = lines[i]
    const m = ITEM.exec(l)
    if (m && m[1].length <= indent.length + 1) {
      if (!m[2] != !number) break
      flush()
      width = m[0].length
      inner = [l.slice(width)]
    } else if (l.trim() ? /^\s/.test(l) || (lines[i - 1].trim() && !FENCE.test(l) && l[0] != '#') : ITEM.test(lines[i + 1] || '') || /^\s+\S/.test(lines[i + 1] || '')) {
      inner[inner.length] = l.slice(Math.min(width, l.length - l.trimStart().length))
    } else break
  }
  flush()
  return i
}

/**
 * Where a text that is still growing may be cut: everything before the
 * returned offset is complete blocks and will never render differently.
 */
export function stableEnd(text: string, from: number): number {
  let best = from
  let fence = ''
  for (let at = from, nl; (nl = text.indexOf('\n', at)) >= 0; ) {
    const l = text.slice(at, nl).trim()
    const m = FENCE.exec(l)
    if (m && (!fence || !l.indexOf(fence))) fence = fence ? '' : m[1]
    at = nl + 1
    // A blank line ends a block, unless the next line may still belong to it.
    if (!l && !fence && /^[^\s\-*+•\d>|]/.test(text.slice(at, at + 1))) best = at
  }
  return best
}
