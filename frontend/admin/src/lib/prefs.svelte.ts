import { i18n, pickLanguage, type Language } from '../i18n/index.svelte';

export type Theme = 'auto' | 'light' | 'dark';

/** Storage that may be missing or throw, as in a private window. */
const store = {
  get(key: string): string | null {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key: string, value: string): void {
    try {
      localStorage.setItem(key, value);
    } catch {
      // The choice then holds until the page is closed.
    }
  },
};

/** What a person chose for this page on this machine. */
class Prefs {
  theme = $state<Theme>('auto');
  /** What is shown now. */
  dark = $state(false);

  start(): void {
    const system = matchMedia('(prefers-color-scheme: dark)');
    const theme = store.get('haoke.theme');
    this.theme = theme === 'light' || theme === 'dark' ? theme : 'auto';
    const language = store.get('haoke.language');
    i18n.set(language === 'en' || language === 'zh-CN' ? language : pickLanguage(navigator.languages));
    system.addEventListener('change', () => this.apply(system.matches));
    this.apply(system.matches);
  }

  /**
   * Takes over what the settings say: always in the window, of which they are
   * the settings; in a browser where nobody chose anything. At the beginning
   * "auto" leaves an earlier choice alone; changed to "auto", the system decides.
   */
  adopt(said: { language: string; theme: string }, window: boolean, changed: boolean): void {
    const mine = (key: string) => store.get(`haoke.${key}`) !== null;
    const { language, theme } = said;
    if (window || !mine('language')) {
      if (language === 'en' || language === 'zh-CN') i18n.set(language);
      else if (changed) i18n.set(pickLanguage(navigator.languages));
    }
    if (window || !mine('theme')) {
      if (theme === 'light' || theme === 'dark' || changed) this.theme = theme === 'light' || theme === 'dark' ? theme : 'auto';
      this.apply(matchMedia('(prefers-color-scheme: dark)').matches);
    }
  }

  private apply(systemDark: boolean): void {
    this.dark = this.theme === 'dark' || (this.theme === 'auto' && systemDark);
    document.documentElement.dataset.theme = this.dark ? 'dark' : 'light';
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    store.set('haoke.theme', theme);
    this.apply(matchMedia('(prefers-color-scheme: dark)').matches);
  }

  setLanguage(language: Language): void {
    i18n.set(language);
    store.set('haoke.language', language);
  }

  /** A small remembered choice, for example a chart's range. */
  recall(key: string): string | null {
    return store.get(`haoke.${key}`);
  }

  remember(key: string, value: string): void {
    store.set(`haoke.${key}`, value);
  }
}

export const prefs = new Prefs();
