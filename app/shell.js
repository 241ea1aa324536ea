// Runs in the page after each load, from the shell and not from the page:
// zoom by keyboard, and no way out of the page but the real browser.
(() => {
  if (window.haokeShell) return;
  window.haokeShell = true;
  const bridge = () => window.go && window.go.app && window.go.app.Bridge;
  let zoom = __ZOOM__;
  const apply = () => { document.documentElement.style.zoom = zoom === 100 ? '' : zoom + '%'; };
  const steps = [50, 67, 80, 90, 100, 110, 125, 150, 175, 200];
  const set = (to) => {
    zoom = to;
    apply();
    if (bridge()) bridge().Zoomed(zoom);
  };
  addEventListener('keydown', (e) => {
    if (!(e.ctrlKey || e.metaKey) || e.altKey || e.isComposing) return;
    const way = { '+': 1, '=': 1, '-': -1, '_': -1, '0': 0 }[e.key];
    if (way === undefined) return;
    e.preventDefault();
    if (way === 0) set(100);
    else if (way > 0) set(steps.find((s) => s > zoom) || zoom);
    else set([...steps].reverse().find((s) => s < zoom) || zoom);
  }, true);
  const leave = (e) => {
    const link = e.target instanceof Element ? e.target.closest('a[href]') : null;
    if (!link) return;
    const to = new URL(link.href, location.href);
    if (to.origin === location.origin && to.protocol === location.protocol && link.target !== '_blank') return;
    e.preventDefault();
    e.stopPropagation();
    if (bridge()) bridge().OpenLink(to.href);
  };
  addEventListener('click', leave, true);
  addEventListener('auxclick', leave, true);
  addEventListener('dragover', (e) => e.preventDefault());
  addEventListener('drop', (e) => e.preventDefault());
  apply();
  // The window behind the page has its colour, also at the next start.
  const shade = () => {
    const theme = document.documentElement.dataset.theme; // pages that explain something have none
    if (theme && bridge()) bridge().Shaded(theme === 'dark');
  };
  new MutationObserver(shade).observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  shade();
  // How soon something was seen, for the log. What was painted before this
  // script came is still known.
  const seen = new PerformanceObserver((list) => {
    const first = list.getEntriesByName('first-contentful-paint')[0];
    if (!first) return;
    seen.disconnect();
    if (bridge()) bridge().Painted(performance.timeOrigin, first.startTime);
  });
  seen.observe({ type: 'paint', buffered: true });
})();
