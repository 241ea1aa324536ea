import type { SiteField } from '../api/types';

/** Fields whose labels the widget knows in every language, as owners write them. */
const known: [string, RegExp][] = [
  ['name', /^(name|称呼|姓名|名字)$/i],
  ['email', /^(e-?mail|邮箱|电子邮件)$/i],
  ['phone', /^(phone|telephone|电话|手机)$/i],
];

/** The questions before the chat as lines: the label, and a star when an answer is needed. */
export const prechatLines = (fields: readonly SiteField[] | undefined, labels: Record<string, string>): string =>
  (fields ?? []).map((f) => (f.label || labels[f.name] || f.name) + (f.required ? ' *' : '')).join('\n');

/** Reads the lines back; at most eight, each once. */
export function prechatFields(text: string): SiteField[] {
  const out: SiteField[] = [];
  for (const line of text.split('\n')) {
    const label = line.replace(/[*＊]\s*$/, '').trim().slice(0, 60);
    if (!label) continue;
    const name = known.find(([, words]) => words.test(label))?.[0];
    const field: SiteField = name ? { name } : { name: label, label };
    if (/[*＊]\s*$/.test(line)) field.required = true;
    if (!out.some((f) => f.name === field.name) && out.length < 8) out.push(field);
  }
  return out;
}
