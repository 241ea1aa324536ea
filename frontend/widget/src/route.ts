/**
 * Calls `fn` when the page's address has changed. The page's history is left
 * as it is: routers patch it themselves, and each other. Where the browser has
 * the Navigation API it tells at once; elsewhere `pushState` makes no event and
 * the address is looked at once a second. Returns the function that ends it.
 */
export function routes(fn: () => void): () => void {
  let at = location.href
  const look = () => {
    if (location.href == at) return
    at = location.href
    fn()
  }
  const nav: EventTarget | undefined = (window as any).navigation
  const on: [EventTarget, string][] = [[window, 'popstate'], [window, 'hashchange']]
  if (nav) on.push([nav, 'currententrychange'])
  for (const [t, e] of on) t.addEventListener(e, look)
  const timer = nav ? 0 : setInterval(look, 1000)
  return () => {
    for (const [t, e] of on) t.removeEventListener(e, look)
    clearInterval(timer)
  }
}
