// Language tags as the Translator and Language Detector draft treats them: validated and canonicalised
// by ECMA-402, matched by best fit.

/** The canonical form of a tag: "EN-us" -> "en-US". Throws a RangeError where it is none. */
export function canonicalTag(tag: string): string {
  // What is valid here and not in ECMA-402 does not exist: the platform's own function decides.
  return Intl.getCanonicalLocales(tag)[0] ?? invalid(tag);
}

function invalid(tag: string): never {
  throw new RangeError(`Invalid language tag: ${tag}`);
}

/**
 * The one of `available` that serves `requested`, both canonical: itself, what remains when subtags are
 * taken off its end (RFC 4647), or the one likely to mean the same ("zh" and "zh-Hans").
 */
export function bestFit(available: readonly string[], requested: string): string | undefined {
  for (let tag = requested; tag !== ''; tag = shortened(tag)) {
    if (available.includes(tag)) return tag;
  }
  const wanted = likely(requested);
  return available.find((tag) => likely(tag) === wanted);
}

function shortened(tag: string): string {
  const parts = tag.split('-').slice(0, -1);
  // A subtag of one character introduces what follows and means nothing by itself.
  while (parts.length > 0 && parts.at(-1)!.length === 1) parts.pop();
  return parts.join('-');
}

function likely(tag: string): string {
  const { language, script } = new Intl.Locale(tag).maximize();
  return `${language}-${script}`;
}

/** Whether one of the two tags serves the other: then a text is its own translation. */
export function sameLanguage(source: string, target: string): boolean {
  return bestFit([source], target) !== undefined || bestFit([target], source) !== undefined;
}

/** Whether there is anything in it that a translation would change. */
export function isTranslatable(text: string): boolean {
  return /\p{L}/u.test(text);
}
