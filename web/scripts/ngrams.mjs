// The part of eld's table of n-grams that language detection uses: the languages of a script that others
// share. A quarter of its size; the library's own saveSubset() does the same in a browser.

const languages = ['en', 'de', 'cs', 'es', 'fr', 'it', 'nl', 'pl', 'pt', 'sv', 'tr', 'vi', 'ru', 'uk', 'ar', 'fa'];

/** The source of one of eld's tables without the languages that are not asked for. */
export function ownLanguages(source) {
  const text = source.replace(/^\uFEFF?\s*\/\*[\s\S]*?\*\//, '').replace('export const ngramsData', 'globalThis.x');
  if (!text.includes('globalThis.x')) throw new Error('eld: its table is not where it was');
  const scope = {};
  new Function('globalThis', text)(scope); // a literal of our own pinned dependency, at build time
  const { type, languages: names, ngrams } = scope.x;
  const wanted = Object.keys(names).filter((id) => languages.includes(names[id]));
  if (wanted.length !== languages.length) throw new Error('eld: a language is missing in its table');
  const entries = Object.entries(ngrams).flatMap(([ngram, scores]) => {
    const own = wanted.filter((id) => id in scores).map((id) => `${id}:${scores[id]}`);
    return own.length > 0 ? [`${JSON.stringify(ngram)}:{${own.join()}}`] : [];
  });
  return `export const ngramsData={type:${JSON.stringify(type)},languages:${JSON.stringify(names)},isSubset:true,ngrams:{${entries.join()}}}`;
}
