import type { KeyTest } from '../../api/types';
import type { Dictionary } from '../../i18n/en';

/** What is wrong with a key or its provider, in the page's words; the server's own where they are not known. */
export function faultText(t: Dictionary, test: Pick<KeyTest, 'fault' | 'status' | 'text'>): string {
  const known = t.keys.fault as Record<string, (status: number) => string>;
  return known[test.fault ?? '']?.(test.status ?? 0) ?? test.text;
}
