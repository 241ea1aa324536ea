import type { Trouble } from '../api/types';
import type { Dictionary } from '../i18n/en';
import { i18n } from '../i18n/index.svelte';

/** A trouble in the page's words; the server's own where the code is unknown. */
export function troubleText(t: Dictionary, trouble: Trouble): string {
  const known = t.trouble as Record<string, ((args: Record<string, string>) => string) | undefined>;
  const args = trouble.args ?? {};
  if (trouble.code === 'setting') return `${args.path}: ${i18n.said(trouble.text)}`;
  return known[trouble.code]?.({ ...args, reason: i18n.said(args.reason) }) ?? i18n.said(trouble.text);
}
