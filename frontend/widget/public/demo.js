// The demo shop's own script: two languages and one button that opens the chat.
(() => {
  const zh = {
    title: '青山茶器',
    skip: '跳到商品', name: '青山茶器', nav: '店铺', navTea: '茶', navClay: '器', navVisit: '到店',
    kicker: '2026 春茶', h1: '一面山坡的茶，一座窑的杯', art: '架上的茶壶与两只杯子',
    lead: '我们在海拔 620 米的南坡采四款茶，也亲手拉坯烧杯子。小批量，两个工作日内寄出。',
    cta: '有什么想问的', ctaNote: '尺寸、运费、泡法都可以',
    teaH: '当季茶', t1: '云岭绿茶', t1d: '锅炒，豌豆清甜、栗香。75 °C，两分钟。',
    t2: '石门乌龙', t2d: '半发酵、轻焙火，兰香七泡有余。', t3: '晚收红茶', t3d: '可可与桂圆干，不苦，加奶也好。',
    t4: '老仓黑茶 2018', t4d: '压饼陈放八年，木香、枣香、雨后泥土。',
    clayH: '窑里的', c1: '日常杯', c1d: '180 毫升，铁胎青釉，可用洗碗机。',
    c2: '圆壶', c2d: '350 毫升，壶壁球孔滤茶，出水利落不滴。', c3: '宽碗', c3d: '盛茶，盛汤，也盛三只橘子。',
    visitH: '来坐坐', visitP: '窑巷 12 号，桥边。周二至周日 10:00-18:00，水一直热着。',
    f1: '运费', f1d: '满 $60 包邮，两到五天送达', f2: '退换', f2d: '30 天；破损包赔', f3: '礼盒', f3d: '附手写卡，$4',
    foot: '青山是一家并不存在的店，用来展示好客的对话窗口。',
  }
  const en = { title: document.title }
  const texts = document.querySelectorAll('[data-t]')
  const labels = document.querySelectorAll('[data-t-label]')
  for (const e of texts) en[e.dataset.t] = e.textContent
  for (const e of labels) en[e.dataset.tLabel] = e.getAttribute('aria-label')

  function show(lang) {
    const words = lang === 'zh-CN' ? zh : en
    document.documentElement.lang = lang
    document.title = words.title
    for (const e of texts) e.textContent = words[e.dataset.t]
    for (const e of labels) e.setAttribute('aria-label', words[e.dataset.tLabel])
    for (const b of document.querySelectorAll('[data-lang]')) b.setAttribute('aria-pressed', String(b.dataset.lang === lang))
    // Works before and after the chat has loaded.
    ;(window.Haoke = window.Haoke || []).push(['setLocale', lang])
  }
  for (const b of document.querySelectorAll('[data-lang]')) b.addEventListener('click', () => show(b.dataset.lang))
  document.querySelector('.cta').addEventListener('click', () => (window.Haoke = window.Haoke || []).push(['open']))
  const wanted = new URLSearchParams(location.search).get('lang') || navigator.language
  if (/^zh/i.test(wanted)) show('zh-CN')
})()
