/** Where the page is: #/conversations/4f2a... → page "conversations", rest ["4f2a..."]. */
export interface Place {
  page: string;
  rest: string[];
}

export function parseHash(hash: string): Place {
  const parts = hash.replace(/^#\/?/, '').split('/').filter(Boolean);
  const decoded = parts.map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { page: decoded[0] ?? 'overview', rest: decoded.slice(1) };
}

export function hashOf(...parts: string[]): string {
  return '#/' + parts.map(encodeURIComponent).join('/');
}

class Router {
  place = $state<Place>({ page: 'overview', rest: [] });

  start(): void {
    const read = () => (this.place = parseHash(location.hash));
    addEventListener('hashchange', read);
    read();
  }

  /** The rest of the place while it is on this page; nothing while another page is on its way. */
  restOf(page: string): string[] {
    return this.place.page === page ? this.place.rest : [];
  }

  go(...parts: string[]): void {
    location.hash = hashOf(...parts);
  }

  /** Goes there without a step in the history. */
  replace(...parts: string[]): void {
    history.replaceState(null, '', hashOf(...parts));
    this.place = parseHash(location.hash);
  }
}

/** Loads the whole page anew, at the same place. */
export const reload = (): void => location.reload();

export const router = new Router();
