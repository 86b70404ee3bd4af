// Translates the text in a piece of HTML. The tags are never parsed into a document and written out
// again: what is not text is copied, character by character, so that nothing of it changes.
//
// Text is translated by blocks (paragraphs, cells, list items), whole, so that a sentence with a link in
// it is translated as a sentence. Where inline tags lie in a sentence, the alignment of its words says
// where they go.

import type { Translation } from './protocol';
import type { Word, Words } from './words';

export interface HtmlTranslator {
  isTranslatable: (text: string) => boolean;
  translate: (text: string) => Promise<Translation>;
  /** The words of one sentence and of its translation, and which belong together. */
  explain: (text: string, target: string) => Promise<Words>;
}

const set = (names: string) => new Set(names.split(' '));

/** Elements within a sentence. All others end it. */
const kInline = set(
  'a abbr acronym b bdi bdo big cite data del dfn em font i ins label mark q s small span strike strong sub sup time tt u',
);
/** Never translated; the first within a sentence, the others not part of one. */
const kInlineAtoms = set('code kbd samp var');
const kBlockAtoms = set('pre script style textarea math svg template noscript iframe object canvas audio video select');
/** Their content is text, whatever it looks like. */
const kRawText = set('script style textarea iframe noembed noframes xmp');
const kVoid = set('area base br col embed hr img input link meta param source track wbr');
/** Void elements within a sentence; a line break ends it. */
const kInlineVoid = set('img wbr');

type Piece =
  | { kind: 'text'; raw: string }
  | { kind: 'open' | 'close'; raw: string; name: string }
  /** Stays as it is and has a place in the sentence, with what it says to readers (maybe nothing). */
  | { kind: 'atom'; raw: string; text: string }
  /** Stays as it is and ends the sentence. */
  | { kind: 'boundary'; raw: string };

/** Attributes that readers see or hear. */
const kRead = set('alt title placeholder aria-label');
/** With its value, which hides what looks like an attribute in it. */
const kAttribute = /([^\s"'=<>/]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)/g;

const kTag = /<!--[\s\S]*?(?:-->|$)|<[!?][^>]*(?:>|$)|<\/?([a-zA-Z][^\s/>]*)((?:"[^"]*"|'[^']*'|[^'">])*)>/g;
/** Addresses, of pages and of mail. */
const kAddress = /(?:https?:\/\/|www\.)[^\s<>"']*[^\s<>"'.,;:!?)\]}，。；：！？）]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/giu;

export async function translateHTML(html: string, use: HtmlTranslator): Promise<string> {
  const parts: (string | Promise<string>)[] = [];
  const { pieces, tags } = piecesOf(html);
  // Before the text: its pieces hold the tags. Where there are none nothing waits.
  const attributes = tags.flatMap((tag) => translateAttributes(tag, use) ?? []);
  if (attributes.length > 0) await Promise.all(attributes);
  for (const segment of segmentsOf(pieces)) {
    parts.push(typeof segment === 'string' ? segment : translateSegment(segment, use));
  }
  // All at once: they get into the same jobs. The first failure is the failure of the whole.
  return (await Promise.all(parts)).join('');
}

/** A piece that begins with a tag, and the tag, whose attributes may be translated. */
interface Tagged {
  piece: Piece;
  tag: string;
}

function piecesOf(html: string): { pieces: Piece[]; tags: Tagged[] } {
  const pieces: Piece[] = [];
  const tagged: Tagged[] = [];
  const text = (raw: string) => {
    if (raw !== '') pieces.push({ kind: 'text', raw });
  };
  let at = 0;
  const tags = new RegExp(kTag); // its own place in the text
  for (let match = tags.exec(html); match; match = tags.exec(html)) {
    text(html.slice(at, match.index));
    const tag = match[0];
    at = match.index + tag.length;
    const name = match[1]?.toLowerCase();
    if (name === undefined) {
      // Comments say nothing: they end no sentence. A doctype has none beside it.
      pieces.push({ kind: 'atom', raw: tag, text: '' });
      continue;
    }
    if (tag.startsWith('</')) {
      pieces.push(kInline.has(name) ? { kind: 'close', raw: tag, name } : { kind: 'boundary', raw: tag });
      continue;
    }
    const forbidden = isForbidden(match[2]!);
    let piece: Piece;
    if (kVoid.has(name)) {
      piece = kInlineVoid.has(name) ? { kind: 'atom', raw: tag, text: '' } : { kind: 'boundary', raw: tag };
    } else if (forbidden || kInlineAtoms.has(name) || kBlockAtoms.has(name)) {
      at = endOf(html, name, at);
      tags.lastIndex = at;
      const raw = html.slice(match.index, at);
      const inline = kInlineAtoms.has(name) || kInline.has(name);
      piece = inline ? { kind: 'atom', raw, text: plain(raw) } : { kind: 'boundary', raw };
    } else {
      piece = kInline.has(name) ? { kind: 'open', raw: tag, name } : { kind: 'boundary', raw: tag };
    }
    pieces.push(piece);
    if (!forbidden) tagged.push({ piece, tag });
  }
  text(html.slice(at));
  return { pieces, tags: tagged };
}

/** Whether these attributes say that the element is not to be translated. */
function isForbidden(attributes: string): boolean {
  const translate = /(?:^|\s)translate\s*=\s*["']?\s*no\b/i.test(attributes);
  return translate || /(?:^|\s)class\s*=\s*(?:"[^"]*\bnotranslate\b|'[^']*\bnotranslate\b|notranslate\b)/i.test(attributes);
}

/** Translates the attributes of the tag that the piece begins with; null where there is nothing to. */
function translateAttributes({ piece, tag }: Tagged, use: HtmlTranslator): Promise<void> | null {
  const parts: (string | Promise<string>)[] = [];
  let at = 0;
  for (const { index, 0: whole, 1: name, 3: quoted } of tag.matchAll(kAttribute)) {
    const value = quoted!.replace(/^(["'])([^]*)\1$/, '$2');
    if (!kRead.has(name!.toLowerCase()) || !use.isTranslatable(decode(value))) continue;
    const begin = index + whole.length - quoted!.length;
    parts.push(tag.slice(at, begin), '"');
    // A reference it does not know stays, and says nothing.
    for (const [text, reference] of splitAtUnknown(value)) parts.push(translateValue(decode(text), use), reference);
    parts.push('"');
    at = index + whole.length;
  }
  if (at === 0) return null;
  const rest = piece.raw.slice(at);
  return Promise.all(parts).then((begin) => {
    piece.raw = begin.join('') + rest;
  });
}

async function translateValue(text: string, use: HtmlTranslator): Promise<string> {
  const translated = use.isTranslatable(text) ? (await use.translate(text)).text : text;
  return encode(translated).replaceAll('"', '&quot;');
}

/** Where the element ends that was opened before `at`, its closing tag included. */
function endOf(html: string, name: string, at: number): number {
  const tag = new RegExp(`<(/?)${name}(?=[\\s/>])(?:"[^"]*"|'[^']*'|[^'">])*>`, 'gi');
  tag.lastIndex = at;
  let depth = 1;
  for (let match = tag.exec(html); match; match = tag.exec(html)) {
    if (match[1] === '/') depth--;
    else if (!kRawText.has(name) && !match[0].endsWith('/>')) depth++;
    if (depth === 0) return tag.lastIndex;
  }
  return html.length;
}

/** What it says to readers. */
function plain(html: string): string {
  return decode(html.replace(kTag, '')).replace(/\s+/g, ' ');
}

type Inline = Exclude<Piece, { kind: 'boundary' }>;

/** What stays as it is, and runs of text and inline elements that are closed within the run. */
function* segmentsOf(pieces: Piece[]): Generator<string | Inline[]> {
  let run: Inline[] = [];
  const flush = function* (): Generator<string | Inline[]> {
    const inline = run;
    run = [];
    const partner = partners(inline);
    let balanced: Inline[] = [];
    for (const [i, piece] of inline.entries()) {
      const single = (piece.kind === 'open' || piece.kind === 'close') && partner[i] === undefined;
      if (!single) {
        balanced.push(piece);
        continue;
      }
      // Closed in another block, as a link around paragraphs: it ends the sentence as those do.
      if (balanced.length > 0) yield balanced;
      balanced = [];
      yield piece.raw;
    }
    if (balanced.length > 0) yield balanced;
  };
  for (const piece of pieces) {
    if (piece.kind !== 'boundary') {
      run.push(piece);
    } else {
      yield* flush();
      yield piece.raw;
    }
  }
  yield* flush();
}

/** For each opening or closing tag the index of the other, where there is one. */
function partners(pieces: Inline[]): (number | undefined)[] {
  const found: (number | undefined)[] = [];
  const open: number[] = [];
  for (const [i, piece] of pieces.entries()) {
    if (piece.kind === 'open') open.push(i);
    if (piece.kind !== 'close') continue;
    const at = open.findLastIndex((other) => (pieces[other] as { name: string }).name === piece.name);
    if (at < 0) continue;
    found[open[at]!] = i;
    found[i] = open[at];
    open.length = at; // what was opened within and not closed has no partner
  }
  return found;
}

/** An inline element: its tags. */
interface Element {
  open: string;
  close: string;
}

interface Atom {
  /** Where in the segment's text, which holds what it says. */
  begin: number;
  end: number;
  raw: string;
  path: Element[];
}

/** The text of a segment with what lies where in it. */
interface Flat {
  text: string;
  /** The elements around each character, outermost first. */
  paths: Element[][];
  atoms: Atom[];
}

function flatten(pieces: Inline[]): Flat {
  const flat: Flat = { text: '', paths: [], atoms: [] };
  const stack: Element[] = [];
  const closes = partners(pieces);
  let path: Element[] = [];
  const add = (text: string) => {
    for (let i = 0; i < text.length; i++) flat.paths.push(path);
    flat.text += text;
  };
  const addAtom = (raw: string, text: string) => {
    const begin = flat.text.length;
    add(text);
    flat.atoms.push({ begin, end: flat.text.length, raw, path });
  };
  for (const [i, piece] of pieces.entries()) {
    if (piece.kind === 'atom') {
      addAtom(piece.raw, piece.text);
    } else if (piece.kind === 'open') {
      const close = closes[i]!;
      if (pieces.slice(i + 1, close).every((inner) => inner.kind !== 'text' && !(inner.kind === 'atom' && inner.text))) {
        // Nothing in it to follow: an anchor, an icon. It is one thing with all that is in it.
        addAtom(pieces.slice(i, close + 1).map(({ raw }) => raw).join(''), '');
        for (let inner = i; inner <= close; inner++) pieces[inner] = { kind: 'text', raw: '' };
        continue;
      }
      stack.push({ open: piece.raw, close: pieces[close]!.raw });
      path = [...stack];
    } else if (piece.kind === 'close') {
      stack.pop();
      path = [...stack];
    } else {
      for (const [part, reference] of splitAtUnknown(piece.raw)) {
        // One space for any number, as it is shown: a line break in the source is none in the text.
        let text = decode(part).replace(/[ \t\n\r\f]+/g, ' ');
        if (text.startsWith(' ') && flat.text.endsWith(' ')) text = text.slice(1);
        let at = 0;
        for (const address of text.matchAll(kAddress)) {
          add(text.slice(at, address.index));
          addAtom(encode(address[0]), address[0]);
          at = address.index + address[0].length;
        }
        add(text.slice(at));
        if (reference !== '') addAtom(reference, '');
      }
    }
  }
  return flat;
}

async function translateSegment(pieces: Inline[], use: HtmlTranslator): Promise<string> {
  const raw = pieces.map((piece) => piece.raw).join('');
  const flat = flatten([...pieces]);
  const words = flat.atoms.reduceRight((text, { begin, end }) => text.slice(0, begin) + text.slice(end), flat.text);
  if (!use.isTranslatable(words)) return raw;
  const { text, sentences } = await use.translate(flat.text);
  const output = new Output();
  let read = 0;
  let from = 0;
  for (const { source, target } of sentences) {
    // What lies between two sentences is inside what is around both.
    const around = common(flat.paths[Math.max(0, source.begin - 1)] ?? [], flat.paths[source.begin] ?? []);
    for (const atom of atomsIn(flat, from, source.begin)) output.atom(atom);
    output.text(text.slice(read, target.begin), around);
    const translated = text.slice(target.begin, target.end);
    const path = flat.paths[source.begin] ?? [];
    const inner = atomsIn(flat, source.begin, source.end);
    const plainly = inner.length === 0 && flat.paths.slice(source.begin, source.end).every((other) => other === path || same(other, path));
    if (plainly) output.text(translated, path);
    else place(await use.explain(flat.text.slice(source.begin, source.end), translated), translated, source.begin, inner, flat, output);
    read = target.end;
    from = source.end;
  }
  for (const atom of atomsIn(flat, from, Infinity)) output.atom(atom);
  output.text(text.slice(read), []);
  return outerSpace(raw, output.end());
}

/** Atoms from `begin` up to `end`; one that says nothing belongs to what comes after it. */
function atomsIn({ atoms }: Flat, begin: number, end: number): Atom[] {
  return atoms.filter((atom) => atom.begin >= begin && atom.begin < end);
}

/** The white space around a segment is that of the source, line breaks and all. */
function outerSpace(raw: string, translated: string): string {
  const before = /^\s*/.exec(raw)![0];
  const after = /\s*$/.exec(raw)![0];
  return before + translated.trim() + after;
}

/** Writes one translated sentence, its words in the elements of the words they come from. */
function place(
  words: Words,
  translated: string,
  offset: number,
  atoms: Atom[],
  flat: Flat,
  output: Output,
): void {
  const { source, target } = words;
  const best = bestLinks(words);
  const pathOf = (word: Word) => flat.paths[offset + word.begin] ?? [];
  const saysSomething = (word: Word) => /[\p{L}\p{N}]/u.test(word.text);
  const paths: (Element[] | null)[] = target.map((word, t) =>
    best[t] !== undefined && saysSomething(word) ? pathOf(source[best[t]]!) : null,
  );
  // Every element with words in it has some in the translation, or a link would be lost.
  for (const element of new Set(source.filter(saysSomething).flatMap(pathOf))) {
    if (paths.some((path) => path?.includes(element))) continue;
    const inside = source.flatMap((word, s) => (pathOf(word).includes(element) ? [s] : []));
    const t = nearest(words, inside);
    if (t !== undefined) paths[t] = pathOf(source[inside[0]!]!);
  }
  // Words that come from none are inside what is around both neighbours.
  const filled = paths.map((path, t) => path ?? common(before(paths, t), after(paths, t)));

  /** What replaces words `first` up to `last`, or comes before `first` where both are the same. */
  const replaced: { first: number; last: number; atom: Atom; bare: boolean }[] = [];
  for (const atom of atoms) {
    const begin = atom.begin - offset;
    const end = atom.end - offset;
    const inside = source.flatMap((word, s) => (word.begin < end && word.end > begin ? [s] : []));
    const taken = (t: number) => replaced.some(({ first, last }) => t >= first && t < last);
    const run = inside.length === 0 ? null : runOf(words, best, inside, flat.text.slice(atom.begin, atom.end), translated, taken);
    if (run) {
      replaced.push({ ...run, atom, bare: false });
      continue;
    }
    // After the words of what stands before it.
    const previous = source.findLastIndex((word) => word.end <= begin);
    const t = previous < 0 ? -1 : Math.max(best.lastIndexOf(previous), nearest(words, [previous]) ?? -1);
    replaced.push({ first: t + 1, last: t + 1, atom, bare: inside.length > 0 });
  }

  let at = 0;
  for (let t = 0; t <= target.length; t++) {
    const word = target[t];
    const here = replaced.filter(({ first }) => first === t);
    const gap = translated.slice(at, word?.begin ?? translated.length);
    const around = common(filled[t - 1] ?? [], filled[t] ?? []);
    // A mark after a word stays with it, before the space.
    for (const { atom, first, last, bare } of here) if (first === last && !bare) output.atom(atom);
    // What says something the translation has no word for stands between two spaces, where there are any.
    const loose = here.filter(({ bare }) => bare);
    const space = /\s/.test(translated) ? ' ' : '';
    for (const { atom } of loose) {
      if (t > 0) output.text(space, around);
      output.atom(atom);
    }
    const missing = loose.length > 0 && gap === '' && word && /^[\p{L}\p{N}]/u.test(word.text);
    output.text(missing ? space : gap, around);
    if (!word) break;
    const run = here.find(({ first, last }) => last > first);
    if (run) {
      output.atom(run.atom);
      t = run.last - 1;
      at = target[t]!.end;
    } else {
      output.text(word.text, filled[t]!);
      at = word.end;
    }
  }
}

/** For each word of the translation the one it mostly comes from. */
function bestLinks({ target, alignment }: Words): (number | undefined)[] {
  return target.map((_, t) => {
    const links = alignment.filter((link) => link.target === t);
    return links.reduce<(typeof links)[number] | null>((a, b) => (a && a.weight >= b.weight ? a : b), null)?.source;
  });
}

/** The word of the translation that has most to do with one of these, or stands where they stand. */
function nearest({ source, target, alignment }: Words, inside: number[]): number | undefined {
  const links = alignment.filter((link) => inside.includes(link.source));
  const strongest = links.reduce<(typeof links)[number] | null>((a, b) => (a && a.weight >= b.weight ? a : b), null);
  if (strongest) return strongest.target;
  if (target.length === 0) return undefined;
  return Math.min(target.length - 1, Math.floor((inside[0]! / source.length) * target.length));
}

/** The words of the translation that stand for what is kept: the same text, or the longest run of its words. */
function runOf(
  { target }: Words,
  best: (number | undefined)[],
  inside: number[],
  text: string,
  translated: string,
  taken: (t: number) => boolean,
): { first: number; last: number } | null {
  const exact = text === '' ? -1 : translated.indexOf(text);
  const runs: { first: number; last: number }[] = [];
  for (const [t, word] of target.entries()) {
    if (taken(t)) continue;
    const belongs =
      exact >= 0
        ? word.begin < exact + text.length && word.end > exact
        : best[t] !== undefined && inside.includes(best[t]) && /[\p{L}\p{N}]/u.test(word.text);
    if (!belongs) continue;
    const run = runs.at(-1);
    if (run?.last === t) run.last++;
    else runs.push({ first: t, last: t + 1 });
  }
  return runs.reduce<{ first: number; last: number } | null>(
    (a, b) => (a && a.last - a.first >= b.last - b.first ? a : b),
    null,
  );
}

const before = (paths: (Element[] | null)[], t: number) => paths.slice(0, t).findLast((path) => path !== null) ?? [];
const after = (paths: (Element[] | null)[], t: number) => paths.slice(t + 1).find((path) => path !== null) ?? [];

function same(a: Element[], b: Element[]): boolean {
  return a.length === b.length && a.every((element, i) => element === b[i]);
}

/** The elements around both. */
function common(a: Element[], b: Element[]): Element[] {
  const differs = a.findIndex((element, i) => element !== b[i]);
  return differs < 0 ? a : a.slice(0, differs);
}

/** Writes text in its elements, which it opens and closes as it needs them. */
class Output {
  #html = '';
  #open: Element[] = [];
  readonly #opened = new Set<Element>();

  text(text: string, path: Element[]): void {
    if (text === '') return;
    this.#move(path);
    this.#html += encode(text);
  }

  atom({ raw, path }: Atom): void {
    this.#move(path);
    this.#html += raw;
  }

  end(): string {
    this.#move([]);
    return this.#html;
  }

  #move(path: Element[]): void {
    const shared = common(this.#open, path).length;
    for (const element of this.#open.slice(shared).reverse()) this.#html += element.close;
    for (const element of path.slice(shared)) {
      // An element that appears twice keeps its id the first time only.
      this.#html += this.#opened.has(element) ? element.open.replace(/\sid\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)/i, '') : element.open;
      this.#opened.add(element);
    }
    this.#open = path;
  }
}

const kNamed: Record<string, string> = {
  amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', shy: '\u00ad', ensp: '\u2002', emsp: '\u2003', thinsp: '\u2009',
  ndash: '–', mdash: '—', hellip: '…', lsquo: '‘', rsquo: '’', sbquo: '‚', ldquo: '“', rdquo: '”', bdquo: '„', laquo: '«', raquo: '»',
  auml: 'ä', ouml: 'ö', uuml: 'ü', Auml: 'Ä', Ouml: 'Ö', Uuml: 'Ü', szlig: 'ß', eacute: 'é', egrave: 'è', agrave: 'à', ccedil: 'ç',
  copy: '©', reg: '®', trade: '™', euro: '€', pound: '£', yen: '¥', cent: '¢', sect: '§', deg: '°', middot: '·', bull: '•',
  times: '×', divide: '÷', plusmn: '±', frac12: '½', larr: '←', rarr: '→', uarr: '↑', darr: '↓', minus: '−',
}; // prettier-ignore

function decode(html: string): string {
  return html.replace(/&(?:#(\d+)|#[xX]([0-9a-fA-F]+)|(\w+));/g, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return Object.hasOwn(kNamed, name) ? kNamed[name]! : whole;
    const code = parseInt(decimal ?? hex!, decimal === undefined ? 16 : 10);
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : '\ufffd';
  });
}

/** Text, and the reference after it to a character that decode() does not know: it stays as it is. */
function splitAtUnknown(html: string): [text: string, reference: string][] {
  const parts: [string, string][] = [];
  let at = 0;
  for (const { index, 0: reference, 1: name } of html.matchAll(/&([a-zA-Z]\w*);/g)) {
    if (Object.hasOwn(kNamed, name!)) continue;
    parts.push([html.slice(at, index), reference]);
    at = index + reference.length;
  }
  return [...parts, [html.slice(at), '']];
}

function encode(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\u00a0': '&nbsp;', '\u00ad': '&shy;' };
  return text.replace(/[&<>\u00a0\u00ad]/g, (character) => names[character]!);
}
