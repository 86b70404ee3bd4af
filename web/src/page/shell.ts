// The frame around the parts: navigation, the interface's language, light and dark, and every text
// that stands in index.html.

import { byId } from './dom';
import { kLanguages, type Language, language, messages, onLanguage, setLanguage } from './i18n';
import { type Choice, chooseTheme, mountTheme, themeChoice } from './theme';

const text = messages({
  en: {
    skip: 'Skip to the text',
    pageNavigation: 'Parts of the page',
    translate: 'Translate',
    attention: 'Attention',
    inside: 'Inside',
    language: 'Language of the page',
    theme: { system: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark' },
    title: 'A translator you can see through',
    subtitle:
      'It runs on your machine: nothing you type leaves it. And every word can be asked where it came from.',
    tagline: 'A Transformer translator you can see through',
  },
  de: {
    skip: 'Zum Text springen',
    pageNavigation: 'Teile der Seite',
    translate: 'Übersetzen',
    attention: 'Attention',
    inside: 'Im Inneren',
    language: 'Sprache der Seite',
    theme: { system: 'Farben: wie im System', light: 'Farben: hell', dark: 'Farben: dunkel' },
    title: 'Ein Übersetzer, durch den man hindurchsieht',
    subtitle:
      'Er läuft auf Ihrem Gerät: Nichts, was Sie schreiben, verlässt es. Und jedes Wort verrät, woher es kommt.',
    tagline: 'Ein Transformer-Übersetzer, durch den man hindurchsieht',
  },
  zh: {
    skip: '跳到正文',
    pageNavigation: '页面各部分',
    translate: '翻译',
    attention: '注意力',
    inside: '模型内部',
    language: '界面语言',
    theme: { system: '配色：跟随系统', light: '配色：浅色', dark: '配色：深色' },
    title: '看得透的翻译',
    subtitle: '它就在您的设备上运行，您输入的内容不会离开本机。译文里的每个词，都能说清自己从何而来。',
    tagline: '看得透的 Transformer 翻译',
  },
});

const kNames: Record<Language, string> = { en: 'English', de: 'Deutsch', zh: '中文' };
const kThemes: readonly Choice[] = ['system', 'light', 'dark'];

export function mountShell(): void {
  mountTheme();
  const chooser = byId<HTMLSelectElement>('interface-language');
  chooser.replaceChildren(
    ...kLanguages.map((tag) => {
      const option = new Option(kNames[tag], tag, tag === language(), tag === language());
      option.lang = tag;
      return option;
    }),
  );
  chooser.addEventListener('change', () => setLanguage(chooser.value as Language));

  const button = byId('theme');
  const showTheme = () => {
    const choice = themeChoice();
    button.dataset.choice = choice;
    button.setAttribute('aria-label', text().theme[choice]);
    button.title = text().theme[choice];
  };
  button.addEventListener('click', () => {
    chooseTheme(kThemes[(kThemes.indexOf(themeChoice()) + 1) % kThemes.length]!);
    showTheme();
  });

  onLanguage(() => {
    localise(document, text());
    showTheme();
  });
  document.documentElement.lang = language();
  localise(document, text());
  showTheme();
  mountNavigation();
}

/** Links to the sections. The address stays what it is: it names the languages, and a text if shared. */
function mountNavigation(): void {
  const links = new Map<Element, HTMLAnchorElement>();
  for (const link of document.querySelectorAll<HTMLAnchorElement>('#navigation a')) {
    const section = byId(link.hash.slice(1));
    links.set(section, link);
    link.addEventListener('click', (event) => {
      event.preventDefault();
      const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
      section.scrollIntoView({ behavior: still ? 'auto' : 'smooth' });
      section.focus({ preventScroll: true });
    });
  }
  // The section that crosses the line a third of the way down is the one being read.
  const seen = new Set<Element>();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) seen.add(target);
        else seen.delete(target);
      }
      const current = [...links.keys()].filter((section) => seen.has(section)).at(-1);
      if (!current) return;
      for (const [section, link] of links) {
        if (section === current) link.setAttribute('aria-current', 'true');
        else link.removeAttribute('aria-current');
      }
    },
    { rootMargin: '-33% 0px -66% 0px' },
  );
  for (const section of links.keys()) observer.observe(section);
}

/**
 * Puts a part's texts into its elements: data-text="key" gets the text, data-label="key" the name for
 * those who do not see it, data-hint="key" name and tooltip.
 */
export function localise(root: ParentNode, texts: Readonly<Record<string, unknown>>): void {
  const each = (attribute: string, put: (element: HTMLElement, value: string) => void) => {
    for (const element of root.querySelectorAll<HTMLElement>(`[data-${attribute}]`)) {
      const value = texts[element.dataset[attribute]!];
      if (typeof value === 'string') put(element, value);
    }
  };
  each('text', (element, value) => {
    element.textContent = value;
  });
  each('label', (element, value) => element.setAttribute('aria-label', value));
  each('hint', (element, value) => {
    element.setAttribute('aria-label', value);
    element.title = value;
  });
  each('placeholder', (element, value) => element.setAttribute('placeholder', value));
}
