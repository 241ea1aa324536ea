import { prefix, routes, type Api, type Problem, type RouteName } from './types';

/** An answer other than success, or no answer at all (status 0). */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title);
  }
  get status(): number {
    return this.problem.status;
  }
  get type(): string {
    return this.problem.type;
  }
  get field(): string | undefined {
    return this.problem.field;
  }
}

export interface Options<N extends RouteName> {
  params?: Api[N]['params'];
  query?: Api[N]['query'];
  body?: Api[N]['request'];
  signal?: AbortSignal;
  /** Finish the call even when the page is being closed. */
  keepalive?: boolean;
}

/** What the rest of the page tells the client. */
export interface Hooks {
  /**
   * The session has ended. Resolves when somebody has signed in again; the call
   * is then repeated, so that nothing typed is lost. Rejects to give up.
   */
  signedOut(): Promise<void>;
  /** The appliance answers (true) or cannot be reached (false). */
  reachable(yes: boolean): void;
}

/** The path of a route with its parameters filled in. */
export function pathOf(path: string, params: Record<string, string | number> | undefined): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params?.[name] ?? '')));
}

/** The query string with its question mark; unset, empty and false parameters are left out. */
export function queryOf(query: object | undefined): string {
  const out = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value === undefined || value === null || value === '' || value === false || value === 0) continue;
    out.set(key, String(value));
  }
  const text = out.toString();
  return text ? `?${text}` : '';
}

/** The address of a route, for links and downloads. */
export function urlOf<N extends RouteName>(name: N, options: Options<N> = {}): string {
  const path = pathOf(routes[name][1], options.params as Record<string, string | number> | undefined);
  return prefix + path + queryOf(options.query as object | undefined);
}

export class Client {
  constructor(
    private readonly hooks: Hooks,
    private readonly fetcher: typeof fetch = (...args) => fetch(...args),
  ) {}

  /** Makes one call. Throws ApiError; a cancelled call throws the signal's own reason. */
  async call<N extends RouteName>(name: N, options: Options<N> = {}): Promise<Api[N]['response']> {
    for (;;) {
      try {
        return await this.once(name, options);
      } catch (error) {
        const ended = error instanceof ApiError && error.type === 'haoke:signed-out';
        if (!ended || name === 'signIn' || name === 'getSession' || options.keepalive) throw error;
        await this.hooks.signedOut();
      }
    }
  }

  private async once<N extends RouteName>(name: N, options: Options<N>): Promise<Api[N]['response']> {
    const raw = options.body instanceof Blob || typeof options.body === 'string';
    let answer: Response;
    try {
      answer = await this.fetcher(urlOf(name, options), {
        method: routes[name][0],
        headers: options.body === undefined || raw ? {} : { 'Content-Type': 'application/json' },
        body: options.body === undefined ? null : raw ? (options.body as Blob | string) : JSON.stringify(options.body),
        credentials: 'same-origin',
        signal: options.signal ?? null,
        keepalive: options.keepalive ?? false,
        cache: 'no-store',
      });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      this.hooks.reachable(false);
      throw new ApiError({ type: 'network', title: 'network', status: 0 });
    }
    this.hooks.reachable(true);
    if (!answer.ok) throw new ApiError(await problemOf(answer));
    if (answer.status === 204) return undefined as Api[N]['response'];
    const json = /json/.test(answer.headers.get('Content-Type') ?? '');
    return (await (json ? answer.json() : answer.blob())) as Api[N]['response'];
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  const fallback = { type: 'about:blank', title: answer.statusText || String(answer.status), status: answer.status };
  try {
    return { ...fallback, ...((await answer.json()) as Partial<Problem>) };
  } catch {
    return fallback;
  }
}
