// The bubble's name must be known before any dictionary is loaded.
const NAMES: Record<string, string> = { en: '', 'zh-CN': '在线咨询', 'zh-TW': '線上諮詢', ja: 'チャット', ko: '채팅 상담', es: '', fr: '', de: '', pt: '', ru: 'Чат', ar: 'محادثة' }

/** The language that fits best: `wanted`, else the browser's first that we speak. */
export function pick(wanted?: string): string {
  const all = wanted && wanted != 'auto' ? [wanted] : navigator.languages || [navigator.language]
  for (let i = 0; i < all.length; i++) {
    const l = String(all[i])
    const two = l.slice(0, 2).toLowerCase()
    if (two == 'zh') return /tw|hk|mo|hant/i.test(l) ? 'zh-TW' : 'zh-CN'
    if (two in NAMES) return two
  }
  return 'en'
}

export const bubbleName = (l: string) => NAMES[l] || 'Chat'
