// translateHTML on a translator that can be foreseen: it writes every word in capitals and turns their
// order round within a sentence, so that what belongs to a word has to move with it.

import { describe, expect, it } from 'vitest';
import { type HtmlTranslator, translateHTML } from '../src/lib/html';
import type { Words } from '../src/lib/words';

const wordsIn = (text: string) =>
  Array.from(text.matchAll(/[\p{L}\p{N}:/.@_-]*[\p{L}\p{N}]|[.,!?]/gu), ({ index, 0: word }, i) => ({
    text: word,
    begin: index,
    end: index + word.length,
    first: i,
    last: i + 1,
  }));

/** "the dog barks." -> "BARKS DOG THE." */
function reverse(sentence: string): string {
  const words = wordsIn(sentence).map(({ text }) => text);
  const end = /[.!?]$/.test(sentence) ? words.pop()! : '';
  return words.reverse().join(' ').toUpperCase() + end;
}

function translator(unaligned: string[] = []): HtmlTranslator & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    isTranslatable: (text) => /\p{L}/u.test(text),
    translate: async (text) => {
      asked.push(text);
      let out = '';
      let read = 0;
      const sentences = Array.from(text.matchAll(/[^\s.!?](?:[^.!?]|[.!?](?!\s|$))*[.!?]?/g), ({ index, 0: whole }) => {
        const sentence = whole.trimEnd();
        out += text.slice(read, index);
        const target = reverse(sentence);
        const range = { begin: out.length, end: out.length + target.length };
        out += target;
        read = index + sentence.length;
        return { source: { begin: index, end: read }, target: range, score: 0 };
      });
      return { text: out + text.slice(read), sentences, milliseconds: 0, remembered: 0 };
    },
    explain: async (sentence, target): Promise<Words> => {
      const source = wordsIn(sentence);
      const words = wordsIn(target);
      const alignment = words.flatMap((word, t) => {
        const s = source.findIndex(({ text }) => text.toUpperCase() === word.text.toUpperCase());
        return s < 0 || unaligned.includes(source[s]!.text) ? [] : [{ source: s, target: t, weight: 0.9 }];
      });
      return { source, target: words, alignment };
    },
  };
}

describe('translateHTML', () => {
  it.each([
    ['text alone', 'the dog barks.', 'BARKS DOG THE.'],
    ['blocks, and the space around them', '<div>\n  <p>a dog.</p>\n  <p>two cats.</p>\n</div>', '<div>\n  <p>DOG A.</p>\n  <p>CATS TWO.</p>\n</div>'],
    ['attributes, quotes and all', `<p class='x' data-a=1 rel="a > b">a dog.</p>`, `<p class='x' data-a=1 rel="a > b">DOG A.</p>`],
    ['a link goes with its words', '<p>see <a href="/x?a=1&b=2">the big dog</a> today.</p>', '<p>TODAY <a href="/x?a=1&b=2">DOG BIG THE</a> SEE.</p>'],
    ['inline tags within each other', 'one <b>two <i>three</i></b> four.', 'FOUR <b><i>THREE</i> TWO</b> ONE.'],
    ['a whole sentence in a tag needs no alignment', '<p><em>a dog.</em> two <b>cats</b>.</p>', '<p><em>DOG A.</em> <b>CATS</b> TWO.</p>'],
    ['line breaks end sentences', 'a dog<br>two cats', 'DOG A<br>CATS TWO'],
    ['line breaks of the source do not', 'a\n   big dog.', 'DOG BIG A.'],
    ['an image stays with its word', 'a <img src=d.png> dog barks.', 'BARKS DOG A<img src=d.png>.'],
    ['comments stay', '<!-- a dog --><p>a dog<!-- x -->.</p>', '<!-- a dog --><p>DOG<!-- x --> A.</p>'],
    ['references', 'you &amp; me &lt;b&gt; &#x41;bc.', 'ABC B ME YOU.'],
    ['text that looks like a reference', '&amp;lt; dog', 'DOG LT'],
    ['a reference it does not know', 'a &hearts; dog', 'DOG A&hearts;'],
    ['nothing to translate', '<p> 12 <b>3</b>&nbsp;</p>', '<p> 12 <b>3</b>&nbsp;</p>'],
    ['a doctype and a page', '<!DOCTYPE html><html lang=en><head><title>a dog</title></head><body>two cats</body></html>', '<!DOCTYPE html><html lang=en><head><title>DOG A</title></head><body>CATS TWO</body></html>'],
    ['a link around blocks', '<a href=x><p>a dog.</p><p>two cats.</p></a>', '<a href=x><p>DOG A.</p><p>CATS TWO.</p></a>'],
    ['tags that are not closed', '<p>a <b>big dog.<p>two</b> cats.', '<p>A <b>DOG BIG.<p>TWO</b> CATS.'],
    ['an element torn apart keeps its id once', 'x <b id=i>one</b> <i>mid</i> <b>y</b>.', '<b>Y</b> <i>MID</i> <b id=i>ONE</b> X.'],
  ])('%s', async (_name, html, expected) => {
    expect(await translateHTML(html, translator())).toBe(expected);
  });

  it.each([
    ['code', 'use <code>npm i</code> here.', 'HERE <code>npm i</code> USE.'],
    ['translate="no"', 'the <span translate="no">Big Apple</span> is loud.', 'LOUD IS <span translate="no">Big Apple</span> THE.'],
    ['nested elements of the same name', 'a <span translate=no>x <span>y</span> z</span> b.', 'B <span translate=no>x <span>y</span> z</span> A.'],
    ['a block', '<p>a dog</p><pre>a dog</pre><div translate="no"><p>a dog</p></div>', '<p>DOG A</p><pre>a dog</pre><div translate="no"><p>a dog</p></div>'],
    ['scripts and styles', '<script>if (a < b) "a dog"</script><style>a > b {}</style>a dog', '<script>if (a < b) "a dog"</script><style>a > b {}</style>DOG A'],
    ['addresses', 'see https://example.com/a_dog or mail me@example.com now.', 'NOW me@example.com MAIL OR https://example.com/a_dog SEE.'],
    ['class notranslate', 'a <b class="x notranslate">dog</b> b.', 'B <b class="x notranslate">dog</b> A.'],
  ])('never translates %s', async (_name, html, expected) => {
    expect(await translateHTML(html, translator())).toBe(expected);
  });

  it.each([
    ['of an image', '<p>see <img src="dog.png" alt="a dog"> here.</p>', '<p>HERE SEE<img src="dog.png" alt="DOG A">.</p>'],
    ['of blocks, fields and links', '<p title="a dog"><input placeholder="a cat"><a href=x aria-label="two cats">x</a></p>', '<p title="DOG A"><input placeholder="CAT A"><a href=x aria-label="CATS TWO">X</a></p>'],
    ['however they are written', `<img ALT = 'a dog' title=dog>`, '<img ALT = "DOG A" title="DOG">'],
    ['with their references', '<p title="a &quot;dog&quot; &amp; &lt;x&gt; &hearts; y">', '<p title="X DOG A &hearts; Y">'],
    ['quotes in the translation are written as references', `<p title='»a dog«'>`, '<p title="&quot;DOG A&quot;">'],
    ['of what else is kept', '<textarea placeholder="a dog">a cat</textarea><code title="a dog">a cat</code>', '<textarea placeholder="DOG A">a cat</textarea><code title="DOG A">a cat</code>'],
    ['of an inline element that is torn apart', 'x <b title="a dog">one</b> <i>mid</i> <b>y</b>.', '<b>Y</b> <i>MID</i> <b title="DOG A">ONE</b> X.'],
    ['of an element with nothing in it', 'a <i title="a dog"></i> dog.', 'DOG A<i title="DOG A"></i>.'],
    ['nothing else', '<p title="12" title=""><a href="a dog" name=\'a dog title="a cat"\' data-alt="a dog" alt>12</a>', '<p title="12" title=""><a href="a dog" name=\'a dog title="a cat"\' data-alt="a dog" alt>12</a>'],
    ['not where it says no', '<img translate=no alt="a dog"><p translate="no" title="a dog"><img alt="a cat"></p><p class="notranslate" title="a dog">a cat</p>', '<img translate=no alt="a dog"><p translate="no" title="a dog"><img alt="a cat"></p><p class="notranslate" title="a dog">a cat</p>'],
  ])('attributes: %s', async (_name, html, expected) => {
    const use = translator();
    // A translator that puts things in quotation marks of its own.
    const quoting = async (text: string) => {
      const translation = await use.translate(text);
      return { ...translation, text: text.startsWith('»') ? '"DOG A"' : translation.text };
    };
    expect(await translateHTML(html, { ...use, translate: quoting })).toBe(expected);
  });

  it('loses no element and no kept text, though nothing is aligned', async () => {
    const html = 'a <b>big</b> dog <a href="x">barks</a> at <code>the cat</code> and https://x.test/y loudly.';
    const all = 'a big dog barks at the cat and loudly https://x.test/y'.split(' ');
    const result = await translateHTML(html, translator(all));
    for (const part of ['<b>', '</b>', '<a href="x">', '</a>', '<code>the cat</code>', 'https://x.test/y']) {
      expect(result.split(part).length, `${part} in ${result}`).toBe(2);
    }
    expect(result.replace(/<code>.*?<\/code>|<[^>]+>/g, '')).toContain('DOG');
  });

  it('asks for all blocks before it waits for the first', async () => {
    const use = translator();
    let asked = 0;
    const blocked = { ...use, translate: (text: string) => (asked++, use.translate(text)) };
    const translating = translateHTML('<p>a</p>'.repeat(50), blocked);
    expect(asked).toBe(50);
    expect(await translating).toBe('<p>A</p>'.repeat(50));
  });

  it('ends with the first failure', async () => {
    const error = new Error('over');
    await expect(
      translateHTML('<p>a</p><p>b</p>', { ...translator(), translate: () => Promise.reject(error) }),
    ).rejects.toBe(error);
  });
});
