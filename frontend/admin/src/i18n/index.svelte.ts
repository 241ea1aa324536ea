import { Format } from '../lib/format';
import { en, type Dictionary } from './en';
import { learn, said } from './said';
import { zhCN } from './zh-CN';

export type Language = 'en' | 'zh-CN';

const dictionaries: Record<Language, Dictionary> = { en, 'zh-CN': zhCN };

/** The language that fits the browser's wishes best. */
export function pickLanguage(wishes: readonly string[]): Language {
  for (const wish of wishes) {
    if (/^zh\b/i.test(wish)) return 'zh-CN';
    if (/^en\b/i.test(wish)) return 'en';
  }
  return 'en';
}

class I18n {
  language = $state<Language>('en');
  /** The words for the server's sentences are here: what shows them is drawn again. */
  private learned = $state(false);
  t = $derived(dictionaries[this.language]);
  f = $derived(new Format(this.language));

  set(language: Language): void {
    this.language = language;
    document.documentElement.lang = language;
    if (language === 'zh-CN') learn().then(() => (this.learned = true), () => (this.learned = false));
  }

  /** A sentence of the server, in the page's language where it is known. */
  said(sentence: string | undefined): string {
    void this.learned;
    return said(this.language, sentence);
  }

  /** A text that the server sends in both languages. */
  words(words: { en: string; zh: string } | undefined): string {
    if (!words) return '';
    return (this.language === 'zh-CN' ? words.zh : words.en) || words.en;
  }
}

export const i18n = new I18n();
