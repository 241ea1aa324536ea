/** What shims share: the queue that works before and after the widget has loaded. */
export const haoke = (...call: unknown[]) => {
  const w = window as any
  ;(w.Haoke = w.Haoke || []).push(call)
}

/** Runs `fn` with the object once it is there. */
export const withHaoke = (fn: (h: any) => void) => {
  const w = window as any
  ;(w.Haoke = w.Haoke || []).push(fn)
}

/** The object, or undefined while it is loading. */
export const now = () => {
  const h = (window as any).Haoke
  return h && h.version ? h : undefined
}
