import type { Conversation } from '../../api/types';
import type { Dictionary } from '../../i18n/en';

type Words = Dictionary['chat'];

/** What to call a visitor. */
export const nameOf = (t: Words, head: Conversation): string => head.label || t.visitor(head.id.slice(0, 4));

/** The state of a conversation in words. */
export function modeWords(words: Dictionary, head: Conversation, me: string | undefined): string {
  const t = words.chat;
  if (head.blocked) return t.modeBlocked;
  if (head.archived) return t.modeArchived;
  if (head.mode === 'human') return t.modeHuman(head.operator === me ? words.people.you : head.operator || t.operator);
  return { ai: t.modeAi, waiting: t.modeWaiting, offline: t.modeOffline }[head.mode];
}

/** How much a state asks for attention. */
export function toneOf(head: Conversation): 'ok' | 'warn' | 'bad' | 'info' | 'off' {
  if (head.blocked) return 'bad';
  if (head.archived) return 'off';
  return ({ ai: 'ok', human: 'info', waiting: 'warn', offline: 'off' } as const)[head.mode];
}
