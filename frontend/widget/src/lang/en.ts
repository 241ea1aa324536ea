/** The words that a text chat needs, in English; parts carry their own. */
export const en = {
  close: 'Close chat',
  chat: 'Chat',
  hello: 'Hello. How can I help you?',
  sAi: 'AI answers at once',
  sHuman: 'A person is answering',
  sWait: 'A person will join you soon',
  sOff: 'We are away at the moment',
  ai: 'AI',
  team: 'Team',
  you: 'You',
  ph: 'Write a message',
  send: 'Send',
  stop: 'Stop the answer',
  retry: 'Try again',
  human: 'Talk to a person',
  sending: 'Sending',
  unsent: 'Not sent',
  lost: 'Connecting. What you write is kept and sent.',
  gone: 'The chat is not available at the moment.',
  typing: 'Writing',
  queue: 'You are number {n} in line',
  over: '{n} characters too many',
  unread: '{n} unread',
}

export type Words = typeof en & Record<string, string>
