import { ApiError, Client, type Options } from '../api/client';
import { Live, type LiveState } from '../api/live';
import type { Api, LiveEvent, RouteName, SessionState, SettingsChange, StatsTick, Status } from '../api/types';
import { i18n, type Language } from '../i18n/index.svelte';
import { inWindow, notify } from './native';
import { notes } from './notes.svelte';
import { prefs, type Theme } from './prefs.svelte';
import { reload } from './router.svelte';
import { whither } from './whither';

/** What every page shares: who is signed in, how the service is, what is live. */
class App {
  session = $state<SessionState | null>(null);
  status = $state<Status | null>(null);
  tick = $state<StatsTick | null>(null);
  live = $state<LiveState>('connecting');
  reachable = $state(true);
  /** The session ended in the middle of something: sign in over the page. */
  expired = $state(false);
  /** The first run was put off until the page is opened again. */
  later = $state(false);
  /** The visitors' address that this page may frame: that of the time it was loaded. */
  framed = $state('');
  /** Grows when events were lost and pages must load again. */
  gap = $state(0);

  owner = $derived(this.session?.operator?.role === 'owner');
  currency = $derived(this.status?.currency ?? 'USD');

  /** Where this page came from, as the appliance called it then. */
  private served: { now: string; anywhere: boolean } | undefined;
  private waiting: { resolve: () => void; reject: (reason: unknown) => void }[] = [];
  private announced = 0;

  private readonly client = new Client({
    signedOut: () =>
      new Promise<void>((resolve, reject) => {
        this.expired = true;
        this.waiting.push({ resolve, reject });
      }),
    reachable: (yes) => (this.reachable = yes),
  });

  readonly events = new Live({
    ticket: () => this.call('getLiveTicket'),
    poll: (after, watch, logs) => this.call('pollLive', { query: { after, watch, logs } }),
    socket: (url) => new WebSocket(url),
    later: (ms, fn) => {
      const timer = setTimeout(fn, ms);
      return () => clearTimeout(timer);
    },
    random: Math.random,
  });

  async call<N extends RouteName>(name: N, options: Options<N> = {}): Promise<Api[N]['response']> {
    const answer = await this.client.call(name, options);
    if ((name === 'putSettings' || name === 'patchSetting') && (answer as SettingsChange).admin_url) this.follow(answer as SettingsChange);
    return answer;
  }

  /** Goes where the admin page is now, if it has moved since this page came from it. */
  private follow({ admin_url: now = '', admin_anywhere: anywhere = false }: Pick<SettingsChange, 'admin_url' | 'admin_anywhere'>): void {
    const was = this.served;
    this.served = { now, anywhere };
    if (!was || inWindow() || (now === was.now && anywhere === was.anywhere)) return;
    const to = whither(location, was.now, now, anywhere);
    if (to === 'unreachable') notes.say(i18n.t.shell.moved(now), 'bad');
    else if (to && to !== location.href) {
      notes.flush();
      location.replace(to);
    }
  }

  /** Makes a call and says what went wrong; undefined then. */
  async attempt<N extends RouteName>(name: N, options: Options<N> = {}): Promise<Api[N]['response'] | undefined> {
    try {
      return await this.call(name, options);
    } catch (error) {
      notes.say(explain(error), 'bad');
      return undefined;
    }
  }

  constructor() {
    this.events.onState = (state) => (this.live = state);
    this.events.onGap = () => {
      this.gap++;
      void this.refresh();
    };
    this.events.on((event) => this.take(event));
  }

  async start(): Promise<void> {
    const ticket = /[#&]ticket=([^&]+)/.exec(location.hash);
    if (ticket) {
      history.replaceState(null, '', '#/overview');
      this.session = await this.call('signInByTicket', { body: { ticket: decodeURIComponent(ticket[1]!) } }).catch(() => null);
    }
    this.session ??= await this.call('getSession');
    this.adopt(this.session, false);
    if (this.session.state === 'signed_in') await this.enter();
  }

  /** Somebody is signed in now. */
  async enter(session?: SessionState): Promise<void> {
    if (session) this.session = session;
    this.expired = false;
    for (const { resolve } of this.waiting.splice(0)) resolve();
    this.events.start();
    await this.refresh();
  }

  async refresh(): Promise<void> {
    try {
      this.status = await this.call('getStatus');
      this.framed ||= this.status.public_url;
      this.follow(this.status);
    } catch {
      // The banner says so; the live connection brings the next status.
    }
  }

  /** Changes this page's language; in the window also that of tray and notices. */
  speak(language: Language): void {
    prefs.setLanguage(language);
    this.keep('desktop.language', language);
  }

  /** Changes how this page looks; in the window also its frame. */
  dress(theme: Theme): void {
    prefs.setTheme(theme);
    this.keep('desktop.theme', theme);
  }

  // What a file holds cannot be kept; the page shows what was chosen all the same.
  private keep(path: string, value: string): void {
    if (this.session?.door === 'window' && this.owner) this.call('patchSetting', { body: { path, value, revision: -1 } }).catch(() => {});
  }

  private adopt(session: SessionState, changed: boolean): void {
    prefs.adopt(session, session.door === 'window', changed);
  }

  async signOut(everywhere: boolean): Promise<void> {
    notes.flush();
    await this.attempt('signOut', { query: { everywhere } });
    reload();
  }

  private take(event: LiveEvent): void {
    if (event.paths?.some((path) => path === 'desktop.language' || path === 'desktop.theme')) {
      this.call('getSession').then((session) => this.adopt(session, true), () => {});
    }
    if (event.stats) this.tick = event.stats;
    if (event.status) {
      this.status = event.status;
      this.follow(event.status);
      this.announce(event.status);
    }
  }

  // A native notification when one more visitor waits, not one per change.
  private announce(status: Status): void {
    if (status.waiting > this.announced && document.hidden) {
      notify(i18n.t.shell.waitingTitle, i18n.t.shell.waiting(status.waiting), `#/conversations/${status.waiting_id ?? ''}`);
    }
    this.announced = status.waiting;
  }
}

export const app = new App();

/**
 * Whether this page can show the visitors' pages in a frame: not plain http
 * behind https, and not an address that changed after this page was loaded.
 */
export function frameable(publicURL: string): boolean {
  if (location.protocol === 'https:' && publicURL.startsWith('http:')) return false;
  return !app.framed || publicURL === app.framed;
}

/** Plain words for whatever was thrown. */
export function explain(error: unknown): string {
  const { errors } = i18n.t;
  if (!(error instanceof ApiError)) {
    const message = error instanceof Error ? error.message : '';
    return /module|preload/i.test(message) ? errors.chunk : message || errors.page;
  }
  const { problem } = error;
  if (problem.type === 'network') return errors.network;
  if (problem.type === 'haoke:forbidden') return problem.detail ? i18n.said(problem.detail) : errors.forbidden;
  if (problem.type === 'haoke:read-only') return errors.readOnly;
  if (problem.detail) {
    const chinese = i18n.language === 'zh-CN';
    const [what, hint] = [i18n.said(problem.detail), i18n.said(problem.hint)];
    if (!hint) return what;
    return what + (/[.。]$/.test(what) ? (chinese ? '' : ' ') : chinese ? '；' : '; ') + hint;
  }
  return problem.type === 'haoke:conflict' ? errors.conflict : errors.unknown(problem.status);
}
