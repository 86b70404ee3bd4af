import { describe, expect, it } from 'vitest';
import { decode, formatOf, markdown, nameIn, plain, type Segments, subtitles, wrap } from '../src/page/translate/documents';
import { occurrences } from '../src/page/translate/glossary';
import { type Entry, withEntry } from '../src/page/translate/history';
import { fragmentFor, idIn, textIn } from '../src/page/translate/share';

const contents = ({ segments }: Segments) => segments.map(({ content }) => content);
/** The file with nothing translated: it has to be the file. */
const unchanged = (parts: Segments) => parts.join(contents(parts));

describe('links that hold a text', () => {
  it.each(['狗追猫。\n第二行 100% & #1 = ?', 'a', 'The dog. '.repeat(300), '\u{1F600}', ''])('give it back (%#)', async (text) => {
    const fragment = await fragmentFor('en-de', text);
    expect(idIn(fragment)).toBe('en-de');
    expect(await textIn(fragment)).toBe(text);
    expect(fragment).toMatch(/^#en-de&(text|z)=[\w%.!~*'()-]*$/);
  });

  it('pack what is long', async () => {
    expect((await fragmentFor('zh-en', '狗追猫。'.repeat(100))).length).toBeLessThan(120);
  });

  it('hold no text where there is none, and say so where it is damaged', async () => {
    expect(await textIn('#en-de')).toBeNull();
    expect(idIn('#a%20b')).toBe('a b');
    expect(idIn('#%E0')).toBe('%E0');
    await expect(textIn('#en-de&z=!!')).rejects.toThrow();
    await expect(textIn('#en-de&text=%E0')).rejects.toThrow();
  });
});

describe('history', () => {
  const entry = (source: string, time = 0, model = 'en-de'): Entry => ({ time, model, source, translation: source.toUpperCase() });

  it('keeps a text that grows as one entry', () => {
    const entries = withEntry([entry('The dog')], entry('The dog sleeps.', 1000));
    expect(entries.map(({ source }) => source)).toEqual(['The dog sleeps.']);
    expect(withEntry(entries, entry('A cat', 2000))).toHaveLength(2);
    expect(withEntry(entries, entry('The dog sleeps. Good.', 2000, 'en-zh'))).toHaveLength(2);
    expect(withEntry(entries, entry('The dog sleeps. Good.', 3_600_000))).toHaveLength(2);
  });

  it('moves the same text up and forgets the oldest', () => {
    const entries = [entry('a', 3e6), entry('b', 2e6), entry('c', 1e6)];
    expect(withEntry(entries, entry('c', 9e6)).map(({ source }) => source)).toEqual(['c', 'a', 'b']);
    const many = Array.from({ length: 200 }, (_, i) => entry(`${i} x`, -i * 1e6));
    const grown = withEntry(many, entry('new', 1e6));
    expect(grown).toHaveLength(200);
    expect(grown.at(-1)!.source).toBe('198 x');
  });
});

describe('terms of a glossary', () => {
  const found = (sentence: string, term: string, exact = false) =>
    occurrences(sentence, term, exact).map(({ begin, end }) => sentence.slice(begin, end));

  it('are whole words, in any case unless asked otherwise', () => {
    expect(found('The dog and the Dog, not the dogma or a hotdog.', 'dog')).toEqual(['dog', 'Dog']);
    expect(found('The dog and the Dog.', 'Dog', true)).toEqual(['Dog']);
    expect(found('Der Übermut und Mut.', 'mut')).toEqual(['Mut']);
    expect(found('a data  set, datasets', 'data set')).toEqual(['data  set']);
    expect(found('C++ and C', 'C++')).toEqual(['C++']);
    expect(found('nothing', ' ')).toEqual([]);
  });

  it('need no edge in scripts without spaces', () => {
    expect(found('我家的狗追猫。', '狗')).toEqual(['狗']);
  });
});

describe('files', () => {
  it('are known by their ending', () => {
    expect(['a.TXT', 'b.md', 'c.markdown', 'd.htm', 'e.srt', 'f.pdf', 'g'].map(formatOf)).toEqual(['txt', 'md', 'md', 'html', 'srt', null, null]);
    expect(nameIn('letter.txt', 'de')).toBe('letter.de.txt');
    expect(nameIn('a.b.html', 'zh')).toBe('a.b.zh.html');
  });

  it('are read as what they were written in', () => {
    expect(decode(new TextEncoder().encode('Füße'), 'de')).toBe('Füße');
    expect(decode(new TextEncoder().encode('\ufeffFüße'), 'de')).toBe('Füße');
    expect(decode(new Uint8Array([0x46, 0xfc, 0xdf, 0x65]), 'de')).toBe('Füße');
    expect(decode(new Uint8Array([0xff, 0xfe, 0x47, 0x00]), 'en')).toBe('G');
    expect(decode(new Uint8Array([0xb9, 0xb7]), 'zh')).toBe('狗');
  });

  it('of text: paragraphs, with what is between them as it was', () => {
    const text = '\r\n  First line\r\nsecond line  \r\n\r\n\r\n\tThird.\n \nFourth';
    const parts = plain(text);
    expect(contents(parts)).toEqual(['First line\r\nsecond line', 'Third.', 'Fourth']);
    expect(unchanged(parts)).toBe(text);
    expect(plain(' \n\n').segments).toEqual([]);
  });

  it('of subtitles: numbers and times stay, a subtitle is one text on as many lines', () => {
    const text =
      '\ufeff1\n00:00:01,000 --> 00:00:02,000\n<i>One two three\nfour five six.</i>\n\n2\n00:00:03,000 --> 00:00:04,000 X1:1\n- Yes?\n- No!\n\n3\n00:00:05,000 --> 00:00:06,000\n\n';
    const parts = subtitles(text, 'de');
    expect(contents(parts)).toEqual(['One two three four five six.', 'Yes?', 'No!']);
    expect(unchanged(parts)).toBe(text);
    expect(parts.join(['Eins zwei drei vier', 'Ja?', 'Nein!'])).toContain('<i>Eins zwei\ndrei vier</i>\n\n2\n00:00:03,000 --> 00:00:04,000 X1:1\n- Ja?\n- Nein!\n');
  });

  it('break lines evenly and never before punctuation', () => {
    expect(wrap('one two three four', 2, 'en')).toEqual(['one two', 'three four']);
    expect(wrap('今天天气很好。', 2, 'zh').join('')).toBe('今天天气很好。');
    expect(wrap('Yes.', 2, 'en')).toEqual(['Yes.']);
    expect(wrap('', 2, 'en')).toEqual(['']);
  });

  it('of Markdown: code, addresses and marks are not text', async () => {
    const text = [
      '---\ntitle: The dog\n---\n',
      '# Heading\n',
      'Two lines\nof text.\n',
      '```js\nconst dog = 1;\n```\n',
      '    indented code\n',
      '- item one\n  continued\n',
      '> quoted\n',
      '<div>HTML</div>\n',
      '[ref]: https://example.org "x"\n',
      '| a | b |\n| --- | --- |\n| c | d |\n',
      '***\n',
      '1234\n',
    ].join('\n');
    const parts = await markdown(text);
    expect(contents(parts)).toEqual(['Heading', 'Two lines of text.', 'item one continued', 'quoted', 'a', 'b', 'c', 'd']);
    expect(parts.join(parts.segments.map((_, i) => `T${i}`))).toBe(
      text
        .replace('Heading', 'T0')
        .replace('Two lines\nof text.', 'T1')
        .replace('item one\n  continued', 'T2')
        .replace('quoted', 'T3')
        .replace('| a | b |', '| T4 | T5 |')
        .replace('| c | d |', '| T6 | T7 |'),
    );
  });

  it('of Markdown: what is emphasised or linked goes as HTML, and a translation begins no list', async () => {
    const parts = await markdown('A **red *old* book** and `code` in [the garden](x_y.html).\n\nPlain.\n');
    expect(parts.segments).toEqual([
      {
        kind: 'html',
        content:
          'A <b data-m="0">red <b data-m="1">old</b> book</b> and <code translate="no" data-m="2">code</code> in <b data-m="3">the garden</b>.',
      },
      { kind: 'text', content: 'Plain.' },
    ]);
    expect((await markdown('Plain.\n')).join(['1. *eins* [zwei]'])).toBe('1\\. \\*eins\\* \\[zwei\\]\n');
    expect((await markdown('Plain.\n')).join(['- eins'])).toBe('\\- eins\n');
  });
});
