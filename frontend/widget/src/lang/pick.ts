// The bubble's name must be known before any dictionary is loaded.
const OPEN: Record<string, string> = {
  en: 'Chat with us',
  'zh-CN': '在线咨询',
  'zh-TW': '線上諮詢',
  ja: 'チャットで質問',
  ko: '채팅 상담',
  es: 'Chatea con nosotros',
  fr: 'Discuter avec nous',
  de: 'Mit uns chatten',
  pt: 'Fale conosco',
  ru: 'Написать нам',
  ar: 'تحدّث معنا',
}

/** The language that fits best: of `wanted`, else of the page, else of the browser. */
export function pick(wanted?: string): string {
  const all = wanted && wanted !== 'auto' ? [wanted] : [...(navigator.languages || []), navigator.language]
  for (let i = 0; i < all.length; i++) {
    const l = String(all[i]).toLowerCase().replace('_', '-')
    if (/^zh/.test(l)) return /tw|hk|mo|hant/.test(l) ? 'zh-TW' : 'zh-CN'
    const two = l.slice(0, 2)
    if (OPEN[two]) return two
  }
  return 'en'
}

pick.open = (l: string) => OPEN[l]
