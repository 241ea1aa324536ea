import { haoke, now, withHaoke } from './shim'

/** tawk.to's `Tawk_API`, answered by Haoke; callbacks assigned before are kept. */
const w = window as any
const api = (w.Tawk_API = w.Tawk_API || {})
const call = (name: string, ...a: unknown[]) => typeof api[name] === 'function' && api[name](...a)

Object.assign(api, {
  start: () => haoke('open'),
  maximize: () => haoke('open'),
  minimize: () => haoke('close'),
  toggle: () => haoke('toggle'),
  popup: () => haoke('popout'),
  showWidget: () => haoke('show'),
  hideWidget: () => haoke('hide'),
  toggleVisibility: () => haoke(api.isChatHidden() ? 'show' : 'hide'),
  endChat: () => haoke('newConversation'),
  shutdown: () => haoke('shutdown'),
  isChatMaximized: () => !!now()?.isOpen(),
  isChatMinimized: () => !now()?.isOpen(),
  isChatHidden: () => hidden,
  isChatOngoing: () => now()?.getStatus().connection === 'open',
  getStatus: () => (now()?.getStatus().mode === 'offline' ? 'offline' : 'online'),
  setAttributes: (a: any, done?: () => void) => {
    haoke('setUser', { name: a.name, email: a.email, id: a.userId, hash: a.hash })
    haoke('setAttributes', a)
    done?.()
  },
  addEvent: (name: string, data?: unknown, done?: () => void) => {
    haoke('track', name, data)
    done?.()
  },
  addTags: (tags: string[], done?: () => void) => {
    tags.forEach(t => haoke('tag', t))
    done?.()
  },
  removeTags: (tags: string[], done?: () => void) => {
    tags.forEach(t => haoke('untag', t))
    done?.()
  },
  login: (a: any, done?: () => void) => api.setAttributes(a, done),
  logout: (done?: () => void) => {
    haoke('reset')
    done?.()
  },
})
let hidden = false
const { showWidget, hideWidget } = api
api.showWidget = () => ((hidden = false), showWidget())
api.hideWidget = () => ((hidden = true), hideWidget(), call('onChatHidden'))
if (api.visitor) haoke('setUser', { name: api.visitor.name, email: api.visitor.email, hash: api.visitor.hash })

call('onBeforeLoad')
withHaoke(h => {
  h.on('open', () => call('onChatMaximized'))
  h.on('close', () => call('onChatMinimized'))
  h.on('message:sent', (m: any) => call('onChatMessageVisitor', m.text))
  h.on('message:received', (m: any) => call(m.from === 'system' ? 'onChatMessageSystem' : 'onChatMessageAgent', m.text))
  h.on('handoff:joined', () => call('onAgentJoinChat'))
  h.on('handoff:ended', () => call('onAgentLeaveChat'))
  h.on('prechat:submitted', (d: unknown) => call('onPrechatSubmit', d))
  h.on('offline:submitted', (d: unknown) => call('onOfflineSubmit', d))
  h.on('rating', (r: any) => call('onChatSatisfaction', r.score > 3 ? 1 : -1))
  h.on('unread', (n: number) => call('onUnreadCountChanged', n))
  h.on('status', () => call('onStatusChange', api.getStatus()))
  call('onLoad')
})
