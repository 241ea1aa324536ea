import type { en } from './en'

/** Words of the parts; each part carries its own English. */
type More =
  | 'latest' | 'cut' | 'stopped' | 'sources' | 'copy' | 'copied' | 'up' | 'down' | 'thanks' | 'more' | 'fresh' | 'save' | 'rate' | 'mute' | 'unmute' | 'attach' | 'emoji'
  | 'name' | 'email' | 'phone' | 'message' | 'optional' | 'needed' | 'badMail' | 'privacy' | 'agree' | 'start'
  | 'away' | 'kept' | 'unkept' | 'how' | 'comment' | 'missing' | 'cancel' | 'started' | 'undo'
  | 'sendingFile' | 'fileFailed' | 'fileBig' | 'fileKind'

/** A whole language: the type system sees to it that no word is missing. */
export type Dict = Record<keyof typeof en | More, string>
