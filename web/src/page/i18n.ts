// The interface's languages. Every part of the page keeps its own texts beside its code and draws
// them again when the visitor chooses another language.

export const kLanguages = ['en', 'de', 'zh'] as const;
export type Language = (typeof kLanguages)[number];

const kStorageKey = 'translucent.language';
const changed = new Set<() => void>();
let current = initial();

/** The visitor's own choice, else the browser's first wish that we have, else English. */
function initial(): Language {
  const wishes = [stored(), ...(globalThis.navigator?.languages ?? [])];
  for (const wish of wishes) {
    const found = kLanguages.find((language) => wish?.toLowerCase().startsWith(language));
    if (found) return found;
  }
  return 'en';
}

function stored(): string | null {
  try {
    return globalThis.localStorage?.getItem(kStorageKey) ?? null;
  } catch {
    return null; // storage denied
  }
}

export function language(): Language {
  return current;
}

/** Draws the whole interface in another language and remembers the choice. */
export function setLanguage(language: Language): void {
  current = language;
  try {
    globalThis.localStorage?.setItem(kStorageKey, language);
  } catch {
    // Storage denied: the choice holds until the page is closed.
  }
  if (globalThis.document) document.documentElement.lang = language;
  for (const draw of changed) draw();
}

/** Calls `draw` whenever the language changes. */
export function onLanguage(draw: () => void): void {
  changed.add(draw);
}

/**
 * The texts of one part, in all languages: `const text = messages({en: {...}, de: {...}, zh: {...}})`,
 * then `text().copy`, or `text().words(3)` where a text is a function.
 */
export function messages<M>(table: { en: M; de: M; zh: M }): () => M {
  return () => table[current];
}
