import { haoke, now, withHaoke } from './shim'

/** Crisp's `$crisp` array, answered by Haoke; what was pushed before is run. */
const w = window as any
const queued = w.$crisp
const user: Record<string, string> = {}

const DO: Record<string, (a: any) => void> = {
  'chat:open': () => haoke('open'),
  'chat:close': () => haoke('close'),
  'chat:toggle': () => haoke('toggle'),
  'chat:show': () => haoke('show'),
  'chat:hide': () => haoke('hide'),
  'session:reset': () => haoke('reset'),
  'message:send': a => haoke('send', a && a[1]),
}
const SET: Record<string, (v: any) => void> = {
  'user:email': v => haoke('setUser', { email: (user.email = v[0]) }),
  'user:nickname': v => haoke('setUser', { name: (user.nickname = v[0]) }),
  'user:phone': v => haoke('setAttributes', { phone: v[0] }),
  'user:company': v => haoke('setAttributes', { company: v[0] }),
  'message:text': v => haoke('prefill', v[0]),
  'session:data': v => haoke('setAttributes', Array.isArray(v[0]) ? Object.fromEntries(v[0]) : { [v[0]]: v[1] }),
  'session:segments': v => (Array.isArray(v[0]) ? v[0] : [v[0]]).forEach((t: string) => haoke('tag', t)),
  'session:event': v => (Array.isArray(v[0]) ? v[0] : [v]).forEach((e: any) => haoke('track', e[0], e[1])),
}
const ON: Record<string, [string, (d: any) => unknown]> = {
  'chat:opened': ['open', () => undefined],
  'chat:closed': ['close', () => undefined],
  'message:sent': ['message:sent', d => ({ content: d.text, from: 'user' })],
  'message:received': ['message:received', d => ({ content: d.text, from: 'operator' })],
  'session:loaded': ['ready', () => undefined],
}
const offs: Record<string, (() => void)[]> = {}

const run = (c: any[]) => {
  const [verb, name, arg] = c || []
  if (verb === 'do') DO[name]?.(arg)
  else if (verb === 'set') SET[name]?.(Array.isArray(arg) ? arg : [arg])
  else if (verb === 'on' && ON[name]) withHaoke(h => (offs[name] = offs[name] || []).push(h.on(ON[name][0], (d: any) => arg(ON[name][1](d)))))
  else if (verb === 'off') (offs[name] || []).splice(0).forEach(f => f())
}
w.$crisp = {
  push: (...all: any[][]) => all.forEach(run),
  is: (q: string) => (q === 'chat:opened' ? !!now()?.isOpen() : q === 'chat:closed' ? !now()?.isOpen() : q === 'website:available'),
  get: (q: string) => (q === 'chat:unread:count' ? now()?.getUnread() || 0 : user[q.replace('user:', '')] ?? null),
}
if (Array.isArray(queued)) queued.forEach(run)
withHaoke(() => w.CRISP_READY_TRIGGER?.())
