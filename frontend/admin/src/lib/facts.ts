import type { FactSheet } from '../api/types';

/** One line of what happened on the shop's pages during a conversation. */
export interface Happening {
  at: string;
  name: string;
  data?: string;
  url?: string;
}

/** Events and visited pages together, the latest first. */
export function happenings(facts: FactSheet): Happening[] {
  const events: Happening[] = (facts.events ?? []).map((e) => ({ at: e.at, name: e.name, data: e.data ?? '' }));
  const pages: Happening[] = (facts.pages ?? []).map((p) => ({ at: p.at, name: p.title || p.url, url: p.url }));
  return [...events, ...pages].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

/** Whether anything was told at all. */
export const anyFacts = (facts: FactSheet | undefined): facts is FactSheet =>
  !!facts && !!(Object.keys(facts.answers ?? {}).length || Object.keys(facts.attributes ?? {}).length || facts.tags?.length || facts.events?.length || facts.pages?.length);
