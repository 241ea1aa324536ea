/** A line at the bottom of the window that goes away by itself. */
export interface Note {
  id: number;
  text: string;
  kind: 'plain' | 'bad';
  action?: { label: string; run: () => void };
}

/** How long an undo is offered. */
export const UNDO_MS = 10_000;
const PLAIN_MS = 4000;
const MAX_NOTES = 3;

interface Pending {
  timer: ReturnType<typeof setTimeout>;
  commit: () => void;
}

class Notes {
  list = $state<Note[]>([]);
  private next = 1;
  private readonly pending = new Map<number, Pending>();

  say(text: string, kind: Note['kind'] = 'plain', action?: Note['action']): number {
    const note: Note = { id: this.next++, text, kind, ...(action ? { action } : {}) };
    this.list = [...this.list, note];
    while (this.list.length > MAX_NOTES) this.drop(this.list[0]!.id);
    setTimeout(() => this.drop(note.id), action ? UNDO_MS : kind === 'bad' ? 2 * PLAIN_MS : PLAIN_MS);
    return note.id;
  }

  /** Offers an undo for something that has been done already. */
  undoable(text: string, label: string, undo: () => void): void {
    const id = this.say(text, 'plain', {
      label,
      run: () => {
        this.drop(id);
        undo();
      },
    });
  }

  /**
   * Does what cannot be undone only when the offer of an undo has passed. The
   * caller has hidden the thing already; undo shows it again. A page that is
   * closed meanwhile commits at once.
   */
  later(text: string, label: string, commit: () => void, undo: () => void): void {
    const id = this.say(text, 'plain', {
      label,
      run: () => {
        this.settle(id, false);
        undo();
      },
    });
    this.pending.set(id, { timer: setTimeout(() => this.settle(id, true), UNDO_MS - 200), commit });
  }

  /** Commits whatever still waits: the page is going away. */
  flush(): void {
    for (const id of [...this.pending.keys()]) this.settle(id, true);
  }

  drop(id: number): void {
    this.settle(id, true);
    this.list = this.list.filter((note) => note.id !== id);
  }

  private settle(id: number, commit: boolean): void {
    const waiting = this.pending.get(id);
    if (waiting) {
      this.pending.delete(id);
      clearTimeout(waiting.timer);
      if (commit) waiting.commit();
    }
    this.list = this.list.filter((note) => note.id !== id);
  }
}

export const notes = new Notes();
