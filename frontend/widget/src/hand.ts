import type { Part } from './types'

/** Hands a part over to the widget that has asked for it, through the script's own element. */
export function hand(part: Part) {
  const s = document.currentScript as (HTMLScriptElement & { haoke?: (p: Part) => void }) | null
  if (s && s.haoke) s.haoke(part)
}
