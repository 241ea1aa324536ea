import { haoke, now, withHaoke } from './shim'

/**
 * Chatwoot's `$chatwoot` and `chatwootSDK`, answered by Haoke: load it before
 * the page's own calls.
 */
const w = window as any
const s = w.chatwootSettings || {}
w.HaokeSettings = {
  ...(s.position && { side: s.position }),
  ...(s.locale && !s.useBrowserLanguage && { locale: s.locale }),
  ...(s.darkMode && { theme: s.darkMode }),
  ...(s.launcherTitle && { launcher: s.launcherTitle }),
  ...(s.hideMessageBubble && { hidden: true }),
  ...(s.welcomeTitle && { title: s.welcomeTitle }),
  ...(s.welcomeDescription && { greeting: s.welcomeDescription }),
  ...w.HaokeSettings,
}
w.$chatwoot = {
  toggle: (state?: string) => haoke(state === 'open' ? 'open' : state === 'close' ? 'close' : 'toggle'),
  toggleBubbleVisibility: (state: string) => haoke(state === 'hide' ? 'hide' : 'show'),
  popoutChatWindow: () => haoke('popout'),
  setUser: (id: string, u: any = {}) => haoke('setUser', { id: String(id), name: u.name, email: u.email, hash: u.identifier_hash }),
  setCustomAttributes: (a: object) => haoke('setAttributes', a),
  deleteCustomAttribute: (k: string) => haoke('setAttributes', { [k]: undefined }),
  setConversationCustomAttributes: (a: object) => haoke('setAttributes', a),
  deleteConversationCustomAttribute: (k: string) => haoke('setAttributes', { [k]: undefined }),
  setLabel: (l: string) => haoke('tag', l),
  removeLabel: (l: string) => haoke('untag', l),
  setLocale: (l: string) => haoke('setLocale', l),
  setColorScheme: (t: string) => haoke('setTheme', t),
  reset: () => haoke('reset'),
  get isOpen() {
    return now()?.isOpen() || false
  },
}
w.chatwootSDK = w.chatwootSDK || { run() {} }
withHaoke(h => {
  const tell = (name: string, detail?: unknown) => window.dispatchEvent(new CustomEvent('chatwoot:' + name, { detail }))
  h.on('message:received', (m: { text: string }) => tell('on-message', { content: m.text }))
  h.on('error', (e: unknown) => tell('error', e))
  tell('ready')
})
