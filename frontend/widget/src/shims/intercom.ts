import { haoke, withHaoke } from './shim'

/** Intercom's `Intercom('command', …)`, answered by Haoke; queued calls are run. */
const w = window as any
const queued = w.Intercom && w.Intercom.q

const settings = (s: any = {}) => {
  const o: any = {}
  if (s.alignment) o.side = s.alignment
  if (s.horizontal_padding != null) o.offsetX = s.horizontal_padding
  if (s.vertical_padding != null) o.offsetY = s.vertical_padding
  if (s.z_index) o.zIndex = s.z_index
  if (s.action_color || s.background_color) o.color = s.background_color || s.action_color
  if (s.hide_default_launcher != null) o.hidden = s.hide_default_launcher
  if (s.language_override) o.locale = s.language_override
  if (Object.keys(o).length) haoke('configure', o)
  if (s.user_id || s.email || s.name || s.intercom_user_jwt) haoke('setUser', { id: s.user_id && String(s.user_id), email: s.email, name: s.name, hash: s.user_hash, token: s.intercom_user_jwt })
  if (s.custom_launcher_selector) document.querySelectorAll(s.custom_launcher_selector).forEach((e: Element) => e.addEventListener('click', () => haoke('open')))
}
const COMMANDS: Record<string, (a: any, b: any) => unknown> = {
  boot: settings,
  update: settings,
  shutdown: () => haoke('shutdown'),
  show: () => haoke('open'),
  showMessages: () => haoke('open'),
  showSpace: () => haoke('open'),
  hide: () => haoke('close'),
  showNewMessage: text => (text ? haoke('prefill', text) : haoke('open')),
  trackEvent: (name, data) => haoke('track', name, data),
  onShow: fn => withHaoke(h => h.on('open', fn)),
  onHide: fn => withHaoke(h => h.on('close', fn)),
  onUnreadCountChange: fn => withHaoke(h => h.on('unread', fn)),
  onUserEmailSupplied: fn => withHaoke(h => h.on('prechat:submitted', fn)),
}
w.Intercom = (command: string, a: unknown, b: unknown) => COMMANDS[command]?.(a, b)
if (w.intercomSettings) settings(w.intercomSettings)
if (Array.isArray(queued)) queued.forEach((q: any) => w.Intercom(q[0], q[1], q[2]))
