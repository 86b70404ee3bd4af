// Files: what in them is text, and the same file with translations in its place. Everything that is not
// text stays byte for byte what it was, except where HTML is written anew from its tree.

import type { Nodes, Parent, PhrasingContent } from 'mdast';
import type { CompileContext, Extension } from 'mdast-util-from-markdown';

/** A piece to be translated: plain, or with inline HTML that has to stay on its words. */
export interface Segment {
  kind: 'text' | 'html';
  content: string;
}

export interface Segments {
  segments: Segment[];
  /** The file with these translations, one for each segment. */
  join: (translations: readonly string[]) => string;
}

export type Format = 'txt' | 'md' | 'html' | 'srt';

const kFormats: Record<string, Format> = {
  txt: 'txt',
  text: 'txt',
  md: 'md',
  markdown: 'md',
  html: 'html',
  htm: 'html',
  srt: 'srt',
};

/** By the ending of its name; null where it is none of ours. */
export function formatOf(name: string): Format | null {
  return kFormats[/\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''] ?? null;
}

/** "letter.txt" in German is "letter.de.txt". */
export function nameIn(name: string, language: string): string {
  return name.replace(/(\.[^.]+)?$/, (ending) => `.${language}${ending}`).replace(/(\.\w+)(\.[^.]+)\1\2$/, '$1$2');
}

/** UTF-8, or what byte order marks say; where it is not valid UTF-8, what the language was written in before. */
export function decode(bytes: Uint8Array, language: string): string {
  const [a, b] = bytes;
  if (a === 0xff && b === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (a === 0xfe && b === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder(language.startsWith('zh') ? 'gb18030' : 'windows-1252').decode(bytes);
  }
}

export async function segment(text: string, format: Format, target: string): Promise<Segments> {
  switch (format) {
    case 'txt':
      return plain(text);
    case 'srt':
      return subtitles(text, target);
    case 'md':
      return markdown(text);
    case 'html':
      return html(text, target);
  }
}

/** Segments between stretches that stay; a segment is taken out of the text at [begin, end). */
function spliced(text: string, places: { begin: number; end: number; segment: Segment; put?: (translation: string) => string }[]): Segments {
  return {
    segments: places.map(({ segment }) => segment),
    join: (translations) => {
      let out = '';
      let from = 0;
      for (const [i, { begin, end, put }] of places.entries()) {
        out += text.slice(from, begin) + (put ? put(translations[i]!) : translations[i]!);
        from = end;
      }
      return out + text.slice(from);
    },
  };
}

/** Paragraph by paragraph; lines inside one stay lines. */
export function plain(text: string): Segments {
  const places = [...text.matchAll(/\S(?:.*\S)?(?:[^\S\r\n]*\r?\n[^\S\r\n]*\S(?:.*\S)?)*/g)].map((match) => ({
    begin: match.index,
    end: match.index + match[0].length,
    segment: { kind: 'text' as const, content: match[0] },
  }));
  return spliced(text, places);
}

/** SubRip: number and times stay; the lines of one subtitle are one text, broken into as many lines again. */
export function subtitles(text: string, target: string): Segments {
  const cue = /^([^\S\r\n]*\d+[^\S\r\n]*\r?\n)?([^\r\n]*-->[^\r\n]*\r?\n)((?:[^\S\r\n]*\S[^\r\n]*(?:\r?\n|$))+)/gm;
  const places = [...text.matchAll(cue)].flatMap((match) => {
    const lines = match[3]!.split(/\r?\n/).map((line) => line.trim());
    const ending = /\r?\n$/.exec(match[3]!)?.[0] ?? '';
    const newline = /\r\n/.test(text) ? '\r\n' : '\n';
    const full = lines.filter((line) => line !== '');
    if (full.length === 0) return [];
    const begin = match.index + (match[1]?.length ?? 0) + match[2]!.length;
    const end = begin + match[3]!.length - ending.length;
    // A dash begins what another person says: then every line is a text of its own.
    if (full.length > 1 && full.every((line) => /^[-–—]/.test(line))) {
      let at = begin;
      return full.map((line) => {
        const from = text.indexOf(line, at);
        at = from + line.length;
        return subtitle(line, from, at, 1, newline, target);
      });
    }
    return [subtitle(full.join(joiner(full[0]!)), begin, end, full.length, newline, target)];
  });
  return spliced(text, places);
}

function subtitle(content: string, begin: number, end: number, lines: number, newline: string, target: string) {
  // Marks around the whole, as <i> and {\an8}, and the dash of a speaker.
  const match = /^((?:<[^>]+>|\{[^}]*\}|[-–—]\s*|♪\s*)*)(.*?)((?:<\/[^>]+>|\s*♪)*)$/s.exec(content)!;
  const [, before = '', inner = '', after = ''] = match;
  const kind = /<[a-z]/i.test(inner) ? ('html' as const) : ('text' as const);
  return {
    begin,
    end,
    segment: { kind, content: inner },
    put: (translation: string) => before + wrap(translation, lines, target).join(newline) + after,
  };
}

/** Scripts without spaces are joined without one. */
function joiner(line: string): string {
  return /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}，。、！？]$/u.test(line) ? '' : ' ';
}

/** As even as words allow; at most `count` lines. */
export function wrap(text: string, count: number, language: string): string[] {
  const words = Array.from(new Intl.Segmenter(language, { granularity: 'word' }).segment(text.replace(/\s+/g, ' ')), ({ segment }) => segment);
  const lines: string[] = [];
  let rest = text.length;
  let line = '';
  for (const [i, word] of words.entries()) {
    const most = rest / (count - lines.length);
    // Punctuation stays with its word.
    const breakable = /[\p{L}\p{N}]/u.test(word) && line.trim() !== '';
    if (lines.length < count - 1 && breakable && line.length + word.length / 2 > most) {
      lines.push(line.trim());
      rest -= line.length;
      line = '';
    }
    line += word;
    if (i === words.length - 1) lines.push(line.trim());
  }
  return lines.length > 0 ? lines : [''];
}

const kEscapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => kEscapes[character]!);
}

type Token = Parameters<CompileContext['exit']>[0];

function leave(this: CompileContext, token: Token): void {
  this.exit(token);
}

function enterCell(this: CompileContext, token: Token): void {
  this.enter({ type: 'tableCell', children: [] }, token);
}

/** Tables in the tree. mdast-util-gfm-table does it too and brings what writes them, which nobody needs here. */
const tables: Extension = {
  enter: {
    table(token) {
      this.enter({ type: 'table', align: [], children: [] }, token);
    },
    tableRow(token) {
      this.enter({ type: 'tableRow', children: [] }, token);
    },
    tableHeader: enterCell,
    tableData: enterCell,
  },
  exit: { table: leave, tableRow: leave, tableHeader: leave, tableData: leave },
};

/** Markdown: code, links' addresses, images and every mark stay; text and what is emphasised are translated. */
export async function markdown(text: string): Promise<Segments> {
  const [{ fromMarkdown }, { gfmTable }] = await Promise.all([
    import('mdast-util-from-markdown'),
    import('micromark-extension-gfm-table'),
  ]);
  // Metadata at the head of a file is not Markdown.
  const front = /^---\r?\n[\s\S]*?\r?\n---[^\S\n]*(?:\r?\n|$)/.exec(text)?.[0].length ?? 0;
  const tree = fromMarkdown(text.slice(front), { extensions: [gfmTable()], mdastExtensions: [tables] });
  const at = (node: Nodes) => ({
    begin: front + node.position!.start.offset!,
    end: front + node.position!.end.offset!,
  });
  const places: Parameters<typeof spliced>[1] = [];
  const visit = (node: Nodes): void => {
    if (node.type === 'paragraph' || node.type === 'heading' || node.type === 'tableCell') {
      const children = (node as Parent).children as PhrasingContent[];
      if (children.length === 0) return;
      const begin = at(children[0]!).begin;
      const { end } = at(children.at(-1)!);
      const marks: { open: string; close: string }[] = [];
      const content = inline(children, text, at, marks);
      if (!/[\p{L}]/u.test(content.replace(/<[^>]*>/g, ''))) return;
      const kind = marks.length > 0 ? ('html' as const) : ('text' as const);
      const put = (translation: string) => written(translation, kind, marks, node.type === 'paragraph');
      places.push({ begin, end, segment: { kind, content: kind === 'text' ? plainOf(children) : content }, put });
      return;
    }
    if ('children' in node) for (const child of node.children) visit(child);
  };
  visit(tree);
  return spliced(text, places);
}

function plainOf(children: readonly PhrasingContent[]): string {
  return children.map((child) => ('value' in child ? child.value : '')).join('').replace(/\s*\n\s*/g, ' ');
}

/** Inline Markdown as HTML whose elements remember, by number, what they were written as. */
function inline(
  children: readonly PhrasingContent[],
  text: string,
  at: (node: Nodes) => { begin: number; end: number },
  marks: { open: string; close: string }[],
): string {
  return children
    .map((child): string => {
      const { begin, end } = at(child);
      if (child.type === 'text') return escaped(child.value.replace(/\s*\n\s*/g, ' '));
      const number = marks.length;
      const inner = 'children' in child ? child.children : [];
      if (inner.length === 0) {
        // Code, image, break, HTML: as it is.
        marks.push({ open: text.slice(begin, end), close: '' });
        const shown = child.type === 'inlineCode' ? escaped(child.value) : '';
        return child.type === 'break' ? `<br data-m="${number}">` : `<code translate="no" data-m="${number}">${shown}</code>`;
      }
      const from = at(inner[0]!).begin;
      const to = at(inner.at(-1)!).end;
      marks.push({ open: text.slice(begin, from), close: text.slice(to, end) });
      return `<b data-m="${number}">${inline(inner, text, at, marks)}</b>`;
    })
    .join('');
}

/** A translated paragraph as Markdown again. */
function written(
  translation: string,
  kind: Segment['kind'],
  marks: readonly { open: string; close: string }[],
  block: boolean,
): string {
  const plainly = (text: string) =>
    text.replace(/[\\`*[\]<]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, (character) => `\\${character}`);
  // At the head of a paragraph these would begin a list, a heading or a quotation.
  const guarded = (text: string) =>
    block ? text.replace(/^(\d+)([.)]\s)/, '$1\\$2').replace(/^([-+#>])/, '\\$1') : text;
  if (kind === 'text') return guarded(plainly(translation));
  const { body } = new DOMParser().parseFromString(translation, 'text/html');
  const write = (node: Node): string => {
    if (node.nodeType === Node.TEXT_NODE) return plainly(node.textContent ?? '');
    if (!(node instanceof Element)) return '';
    const inner = () => [...node.childNodes].map(write).join('');
    const mark = marks[Number(node.getAttribute('data-m') ?? -1)];
    if (!mark) return inner();
    return mark.close === '' ? mark.open : mark.open + inner() + mark.close;
  };
  return guarded([...body.childNodes].map(write).join(''));
}

/** HTML: one piece, which translateHTML takes apart by its blocks; nothing but text and its language changes. */
export function html(text: string, target: string): Segments {
  const tag = /<html\b[^>]*?\blang\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+)/i.exec(text);
  const renamed = tag
    ? text.replace(tag[0], () => tag[0].replace(/(\blang\s*=\s*)(?:"[^"]*"|'[^']*'|[^\s>]+)$/i, `$1"${target}"`))
    : text;
  if (!/\p{L}/u.test(readable(text))) return { segments: [], join: () => text };
  return spliced(renamed, [{ begin: 0, end: renamed.length, segment: { kind: 'html', content: renamed } }]);
}

/** What of a piece of HTML is read by people, roughly: enough to tell how far a translation is. */
function readable(html: string): string {
  return html.replace(/<(script|style|pre|code|textarea)\b[\s\S]*?<\/\1>|<[^>]*>/gi, '');
}

export interface DocumentTools {
  text: (text: string, signal: AbortSignal) => Promise<string>;
  /** Tells the characters of each piece of text as it is done. */
  html: (html: string, signal: AbortSignal, onDone: (characters: number) => void) => Promise<string>;
}

/** Segments under way at once: the engine takes several together. */
const kAtOnce = 4;

/** The whole file. `onProgress` gets a share from 0 to 1, by characters. */
export async function translateDocument(
  { segments, join }: Segments,
  tools: DocumentTools,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (share: number) => void },
): Promise<string> {
  const sizes = segments.map(({ kind, content }) => (kind === 'html' ? readable(content) : content).length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const results: string[] = new Array<string>(segments.length);
  let done = 0;
  let next = 0;
  onProgress(0);
  const work = async () => {
    while (next < segments.length) {
      const i = next++;
      signal.throwIfAborted();
      const { kind, content } = segments[i]!;
      let known = 0;
      const advance = (characters: number) => {
        const more = Math.min(characters, sizes[i]! - known);
        known += more;
        done += more;
        onProgress(total === 0 ? 1 : done / total);
      };
      results[i] = await tools[kind](content, signal, advance);
      advance(sizes[i]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(kAtOnce, segments.length) }, work));
  return join(results);
}
