import type { Conversation, Draft, Message } from '../api/types';

/** The messages with one more, in order of seq; the same seq replaces. */
export function withMessage(messages: readonly Message[], message: Message): Message[] {
  const at = messages.findIndex((m) => m.seq >= message.seq);
  if (at < 0) return [...messages, message];
  const same = messages[at]!.seq === message.seq;
  return [...messages.slice(0, at), message, ...messages.slice(same ? at + 1 : at)];
}

/**
 * The half answer after one more piece. Part 0 carries the whole text and
 * starts again; later parts only count when they follow without a hole, so that
 * a lost piece shows an older text rather than a wrong one.
 */
export function withDraft(draft: Draft | null, piece: Draft): Draft | null {
  if (piece.part === 0) return piece;
  if (!draft || draft.seq !== piece.seq || piece.part !== draft.part + 1) return draft;
  return { seq: piece.seq, part: piece.part, text: draft.text + piece.text };
}

/** The list with a head that changed: latest activity first, no double. */
export function withConversation(list: readonly Conversation[], head: Conversation): Conversation[] {
  const rest = list.filter((c) => c.id !== head.id);
  const at = rest.findIndex((c) => c.updated_at <= head.updated_at);
  return at < 0 ? [...rest, head] : [...rest.slice(0, at), head, ...rest.slice(at)];
}

/** Whether a head belongs to a list filtered by this state. */
export function fits(head: Conversation, state: string): boolean {
  switch (state) {
    case '':
    case 'open':
      return !head.archived && !head.blocked;
    case 'archived':
      return head.archived;
    case 'blocked':
      return head.blocked;
    case 'unread':
      return head.unread > 0;
    case 'unanswered':
      return head.unanswered;
    case 'all':
      return true;
    default:
      return head.mode === state && !head.archived;
  }
}

/** A short name of the device from its User-Agent. */
export function deviceOf(agent: string | undefined): string {
  if (!agent) return '';
  const system = /iPhone/.test(agent) ? 'iPhone' : /iPad/.test(agent) ? 'iPad' : /Android/.test(agent) ? 'Android' : /Windows/.test(agent) ? 'Windows' : /Mac OS X/.test(agent) ? 'Mac' : /Linux/.test(agent) ? 'Linux' : '';
  const browser = /MicroMessenger/.test(agent) ? 'WeChat' : /Edg\//.test(agent) ? 'Edge' : /OPR\//.test(agent) ? 'Opera' : /Firefox\//.test(agent) ? 'Firefox' : /Chrome\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : '';
  return [system, browser].filter(Boolean).join(', ') || agent.slice(0, 40);
}
