import { untrack } from 'svelte';

/** Something loaded from the API, with the states that a list needs. */
export class Resource<T> {
  value = $state.raw<T | undefined>(undefined);
  error = $state.raw<unknown>(undefined);
  /** Loading takes long enough (300 ms) to show a skeleton. */
  slow = $state(false);

  private round = 0;
  private abort: AbortController | null = null;

  constructor(private readonly fetcher: (signal: AbortSignal) => Promise<T>) {}

  /**
   * Loads again; what is shown stays until the answer is in. The latest call
   * wins. An effect that calls it depends on nothing that the fetcher reads:
   * what shall load anew is named there, and typing waits for its pause.
   */
  async load(): Promise<void> {
    const round = ++this.round;
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    const timer = setTimeout(() => (this.slow = this.value === undefined), 300);
    try {
      const value = await untrack(() => this.fetcher(abort.signal));
      if (round !== this.round) return;
      this.value = value;
      this.error = undefined;
    } catch (error) {
      if (round === this.round && !abort.signal.aborted) this.error = error;
    } finally {
      clearTimeout(timer);
      if (round === this.round) this.slow = false;
    }
  }

  /** Replaces the value without a call. */
  set(value: T): void {
    this.round++;
    this.value = value;
    this.error = undefined;
  }
}

/** Calls fn when nothing has called for ms. */
export function debounce<A extends unknown[]>(ms: number, fn: (...args: A) => void): (...args: A) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => fn(...args), ms);
  };
}
