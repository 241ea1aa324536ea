import { attr, button, h, named } from '../dom'
import { hand } from '../hand'

// The ones that are used in shops, in the order of use.
const ALL = '😀 😃 😊 🙂 😉 😍 🥰 😘 😋 😎 🤗 🤔 😐 🙄 😅 😂 🤣 😭 😢 😞 😟 😕 😡 😱 😴 🤒 👍 👎 👌 👏 🙏 🤝 💪 👋 ✌️ 🤞 ❤️ 🧡 💚 💙 💔 ✨ ⭐ 🔥 🎉 🎁 🎂 🌸 🌹 🍀 ☕ 🍵 🍰 🍎 🛒 📦 🚚 💳 💰 📷 📞 📧 📍 ⏰ 📅 ✅ ❌ ❓ ❗ 💯'.split(' ')

const CSS = `.emo{position:absolute;z-index:3;bottom:100%;inset-inline:8px;display:grid;grid-template-columns:repeat(auto-fill,minmax(44px,1fr));max-height:220px;overflow:auto;padding:6px;border-radius:10px;background:var(--top);box-shadow:var(--shadow)}.emo button{font-size:20px;border-radius:6px}.emo button:hover{background:var(--shade)}`

/** A small grid of emoji above the composer. */
hand((app, from: HTMLElement) => {
  const v = app.view
  const had = v.form.querySelector('.emo')
  const shut = () => {
    attr(from, 'aria-expanded', false)
    v.form.querySelector('.emo')?.remove()
    v.box.focus()
  }
  if (had) return shut()
  if (!v.shadow.querySelector('[data-emo]')) {
    v.style(CSS)
    attr(v.form, 'data-emo', '')
  }
  const box = h('div', 'emo', v.form)
  attr(box, 'role', 'group')
  attr(box, 'aria-label', app.t('emoji', 'Emoji'))
  attr(from, 'aria-expanded', true)
  for (const e of ALL) {
    named(
      button('', box, () => {
        v.box.setRangeText(e, v.box.selectionStart, v.box.selectionEnd, 'end')
        v.typed()
        shut()
      }, e),
      e,
    )
  }
  box.onkeydown = e => {
    if (e.key == 'Escape') {
      shut()
      e.stopPropagation()
    }
    const kids = [...box.children] as HTMLElement[]
    const at = kids.indexOf(v.shadow.activeElement as HTMLElement)
    const cols = getComputedStyle(box).gridTemplateColumns.split(' ').length
    const step = e.key == 'ArrowRight' ? 1 : e.key == 'ArrowLeft' ? -1 : e.key == 'ArrowDown' ? cols : e.key == 'ArrowUp' ? -cols : 0
    if (step) {
      e.preventDefault()
      kids[Math.min(kids.length - 1, Math.max(0, at + step))].focus()
    }
  }
  ;(box.firstChild as HTMLElement).focus()
})
