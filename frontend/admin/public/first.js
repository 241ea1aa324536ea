// Before the first paint: the colours and the language of last time, and
// whether the page had its rail. The page itself takes over a moment later.
(() => {
  const root = document.documentElement;
  let kept = () => null;
  try {
    const store = localStorage;
    kept = (key) => store.getItem('haoke.' + key);
  } catch {
    // Without storage the system's choice holds.
  }
  const theme = kept('theme');
  const dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  root.dataset.theme = dark ? 'dark' : 'light';
  root.lang = kept('language') || navigator.language || 'en';
  if (kept('first') === 'rail') root.dataset.first = 'rail';
})();
