/**
 * What the server says, in Chinese. Its sentences are known with their gaps; a
 * cause behind a colon, what follows a semicolon or stands in brackets and what
 * fills a gap are read by themselves. What is not known is shown as it came: it was said by
 * somebody else, a provider or an operating system. The words come when a
 * Chinese page is opened; until then sentences stay as they are.
 */
let whole: Map<string, string> | undefined;
const gapped: [RegExp, string][] = [];
const known = new Map<string, string>();

/** A sentence with hardly a word of its own fits many others: its gaps take one word each. */
const few = (en: string) => !/%q|:/.test(en) && en.replace(/%[dsq]|[^a-z]/gi, '').length < 7;

/** Fetches the words. A page that cannot have them goes on without. */
export async function learn(): Promise<void> {
  if (whole) return;
  const [{ refusals }, { reasons }] = await Promise.all([import('./saidzh'), import('./saidwhy')]);
  whole ??= prepare({ ...refusals, ...reasons });
}

function prepare(words: Record<string, string>): Map<string, string> {
  const map = new Map<string, string>();
  for (const [en, text] of Object.entries(words)) {
    if (!/%[dsq]/.test(en)) map.set(en, text);
    else {
      const source = en.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/%d/g, '(-?\\d+)').replace(/%s/g, few(en) ? '(\\S+)' : '(.+?)').replace(/%q/g, '"((?:[^"\\\\]|\\\\.)*)"');
      gapped.push([new RegExp(`^${source}$`, 's'), text]);
    }
  }
  // What has more words of its own is tried first.
  return (gapped.sort((a, b) => b[0].source.length - a[0].source.length), map);
}

const DEEP = 6; // causes behind causes
const LONG = 2000; // characters; nothing of ours is longer

function read(sentence: string, deep: number): string {
  const bare = sentence.trim();
  const text = whole!.get(bare) ?? whole!.get(`${bare}.`)?.replace(/。$/, '');
  if (text || deep > DEEP || bare.length > LONG) return text ?? sentence;
  for (const [re, out] of gapped) {
    const m = re.exec(bare);
    if (m) return out.replace(/\$(\d)/g, (_, n: string) => read((m[+n] ?? '').replace(/\\(["\\])/g, '$1'), deep + 1));
  }
  const aside = /^(.+?) \((.+)\)(\.?)$/s.exec(bare);
  if (aside) {
    const said = [read(aside[1]!, deep + 1), read(aside[2]!, deep + 1)];
    if (said[0] !== aside[1] || said[1] !== aside[2]) return `${said[0]}（${said[1]}）${aside[3] && '。'}`;
  }
  for (const [mark, sign] of [[': ', '：'], ['; ', '；']] as const) {
    for (let at = bare.indexOf(mark); at > 0; at = bare.indexOf(mark, at + 1)) {
      const head = bare.slice(0, at);
      const rest = bare.slice(at + mark.length);
      const said = [read(head, deep + 1), read(rest, deep + 1)];
      if (said[0] !== head || said[1] !== rest) return said.join(sign);
    }
  }
  return sentence;
}

/** The server's sentence in the page's language. */
export function said(language: string, sentence: string | undefined): string {
  if (language !== 'zh-CN' || !sentence || !whole) return sentence ?? '';
  let text = known.get(sentence);
  if (text === undefined) {
    text = read(sentence, 0);
    if (known.size > 500) known.clear();
    known.set(sentence, text);
  }
  return text;
}
