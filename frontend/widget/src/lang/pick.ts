/** The language that fits best: `wanted`, else the browser's first that we speak. */
export function pick(wanted?: string): string {
  const all = wanted && wanted != 'auto' ? [wanted] : navigator.languages
  for (let i = 0; i < all.length; i++) {
    const l = String(all[i])
    const two = l.slice(0, 2).toLowerCase()
    if (two == 'zh') return /tw|hk|mo|hant/i.test(l) ? 'zh-TW' : 'zh-CN'
    if (/en|ja|ko|es|fr|de|pt|ru|ar/.test(two)) return two
  }
  return 'en'
}
