/** What one fetch of a stretch of a long list gives. */
export interface Stretch<T> {
  items: T[];
  total: number;
}

/**
 * A long list of which only the pages in sight are fetched. At most 60 pages are
 * kept; the least recently wanted go.
 */
export class Pages<T> {
  total = $state(0);
  loaded = $state(false);

  private pages = $state.raw(new Map<number, T[]>());
  private readonly asked = new Set<number>();
  private round = 0;

  constructor(
    private readonly size: number,
    private readonly fetch: (skip: number, limit: number) => Promise<Stretch<T>>,
    private readonly failed: (error: unknown) => void,
    private readonly most = 60,
  ) {}

  /** The item at a place, undefined while it is not there yet. */
  item(at: number): T | undefined {
    return this.pages.get(Math.floor(at / this.size))?.[at % this.size];
  }

  /** Sees to it that the items from..to are there, or on their way. */
  want(from: number, to: number): void {
    void this.pages; // an effect that wants pages looks again when some came or went
    for (let page = Math.floor(from / this.size); page * this.size < to; page++) void this.load(page);
  }

  /** Forgets everything and loads the beginning. What is shown stays until then. */
  async reset(): Promise<void> {
    this.round++;
    this.asked.clear();
    await this.load(0, true);
  }

  private async load(page: number, fresh = false): Promise<void> {
    if (this.asked.has(page)) return;
    this.asked.add(page);
    const round = this.round;
    try {
      const got = await this.fetch(page * this.size, this.size);
      if (round !== this.round) return;
      const pages = fresh ? new Map<number, T[]>() : new Map(this.pages);
      pages.delete(page);
      pages.set(page, got.items);
      for (const old of pages.keys()) {
        if (pages.size <= this.most) break;
        pages.delete(old);
        this.asked.delete(old);
      }
      this.pages = pages;
      this.total = got.total;
      this.loaded = true;
    } catch (error) {
      if (round !== this.round) return;
      this.asked.delete(page);
      this.failed(error);
    }
  }
}
