import type { Trouble } from '../api/types';
import type { Dictionary } from '../i18n/en';

/** A trouble in the page's words; the server's own where the code is unknown. */
export function troubleText(t: Dictionary, trouble: Trouble): string {
  const known = t.trouble as Record<string, ((args: Record<string, string>) => string) | undefined>;
  return known[trouble.code]?.(trouble.args ?? {}) ?? trouble.text;
}
