import { md } from '@widget/md';

/** The words of an answer in one line, without the marks of Markdown. */
export function wordsOf(text: string): string {
  if (!/[*_`~#[\]>|\\]|^\s*(?:[-+•]|\d+[.)])\s/m.test(text)) return text;
  const box = document.createElement('div');
  md(text.slice(0, 2000), box, { own: () => '' });
  for (const block of box.querySelectorAll('p, li, pre, br')) block.before(' ');
  return box.textContent.replace(/\s+/g, ' ').trim();
}
