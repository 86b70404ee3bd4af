// "Translate": panes, languages, words, alternatives, glossary, history, sharing and files, joined.

import type { Client } from '../../lib/client';
import { translateHTML } from '../../lib/html';
import type { ModelInfo } from '../../lib/models';
import type { Loaded, PartialTranslation, Translation } from '../../lib/protocol';
import { wordsOf } from '../../lib/words';
import { Direction } from '../direction';
import { byId, h } from '../dom';
import { examplesOf, isExample } from '../examples';
import { formatMilliseconds, languageName } from '../format';
import { language, messages, onLanguage } from '../i18n';
import { localise } from '../shell';
import './translate.css';
import type { DocumentTools } from './documents';
import { Alternatives } from './alternatives';
import { applyTerms } from './glossary';
import { History } from './history';
import { Links } from './links';
import { kDoubt, type Translated, TranslatorPane, withTargets } from './pane';
import { fragmentFor, textIn } from './share';
import { mountFiles } from './files';
import { mountGlossary, mountHistory } from './sheets';
import { isWordLike } from './words';

const text = messages({
  en: {
    from: 'From',
    to: 'To',
    swap: 'Swap the languages',
    glossary: 'Glossary',
    history: 'History',
    placeholder: 'Type or paste a text, or drop a file',
    file: 'Translate a file',
    clear: 'Clear',
    copy: 'Copy the translation',
    share: 'Copy a link that holds the text',
    drop: 'Drop the file to translate it',
    examples: 'Example sentences',
    status: 'How it runs',
    own: 'Runs on your machine',
    copied: 'Copied',
    notCopied: 'The browser did not allow copying: the text is selected instead',
    shared: 'Link copied. The text is in the link itself and is sent to no server.',
    longLink: (length: string) => `Link copied. It has ${length} characters, which some programs cut off.`,
    took: (time: string) => `Translated in ${time}`,
    speed: (words: string) => `${words} words/s`,
    threads: (count: number) => (count === 1 ? '1 thread' : `${count} threads`),
    doubt: (share: number) => `dotted: the model was less than ${share} % sure`,
    source: (name: string) => `Text in ${name}`,
    target: (name: string) => `Translation into ${name}`,
    noModel: (name: string) => `This looks like ${name}. There is no model for it.`,
    offline: 'works offline',
    update: 'A new version is here.',
    reload: 'Reload',
    badLink: 'The text in this link is damaged.',
  },
  de: {
    from: 'Von',
    to: 'Nach',
    swap: 'Sprachen tauschen',
    glossary: 'Glossar',
    history: 'Verlauf',
    placeholder: 'Text eingeben, einfügen oder eine Datei ablegen',
    file: 'Datei übersetzen',
    clear: 'Leeren',
    copy: 'Übersetzung kopieren',
    share: 'Link kopieren, der den Text enthält',
    drop: 'Datei ablegen, um sie zu übersetzen',
    examples: 'Beispielsätze',
    status: 'So läuft es',
    own: 'Läuft auf Ihrem Gerät',
    copied: 'Kopiert',
    notCopied: 'Der Browser hat das Kopieren nicht erlaubt: Der Text ist stattdessen markiert',
    shared: 'Link kopiert. Der Text steht im Link selbst und geht an keinen Server.',
    longLink: (length: string) => `Link kopiert. Er hat ${length} Zeichen; manche Programme kürzen das.`,
    took: (time: string) => `Übersetzt in ${time}`,
    speed: (words: string) => `${words} Wörter/s`,
    threads: (count: number) => (count === 1 ? '1 Thread' : `${count} Threads`),
    doubt: (share: number) => `gepunktet: Das Modell war sich zu weniger als ${share} % sicher`,
    source: (name: string) => `Text auf ${name}`,
    target: (name: string) => `Übersetzung, ${name}`,
    noModel: (name: string) => `Das sieht nach ${name} aus. Dafür gibt es kein Modell.`,
    offline: 'funktioniert offline',
    update: 'Eine neue Version ist da.',
    reload: 'Neu laden',
    badLink: 'Der Text in diesem Link ist beschädigt.',
  },
  zh: {
    from: '源语言',
    to: '目标语言',
    swap: '交换语言',
    glossary: '术语表',
    history: '历史记录',
    placeholder: '输入或粘贴文字，也可拖入文件',
    file: '翻译文件',
    clear: '清空',
    copy: '复制译文',
    share: '复制包含原文的链接',
    drop: '松开即可翻译文件',
    examples: '例句',
    status: '运行情况',
    own: '在您的设备上运行',
    copied: '已复制',
    notCopied: '浏览器不允许复制，已为您选中译文',
    shared: '链接已复制。文字就在链接里，不会发送到任何服务器。',
    longLink: (length: string) => `链接已复制，共 ${length} 个字符，有些软件可能会截断。`,
    took: (time: string) => `用时 ${time}`,
    speed: (words: string) => `每秒 ${words} 词`,
    threads: (count: number) => `${count} 个线程`,
    doubt: (share: number) => `带点的词：模型把握不足 ${share} %`,
    source: (name: string) => `${name}原文`,
    target: (name: string) => `${name}译文`,
    noModel: (name: string) => `这似乎是${name}，目前没有对应的模型。`,
    offline: '可离线使用',
    update: '有新版本。',
    reload: '重新加载',
    badLink: '此链接中的文字已损坏。',
  },
});

/** A link beyond this is cut off by some mail and chat programs. */
const kLongLink = 8000;

const kTextKey = 'translucent.text';

/** Rested that long, a translation goes into the history. */
const kHistoryDelay = 1500;

export interface TranslatorEvents {
  /** Another model is wanted; nothing translates until `start`. */
  onModel: (model: ModelInfo) => void;
  onTranslated: (translated: Translated | null, caret: number) => void;
  onCaret: (text: string, caret: number) => void;
  /** A translation under way has grown. */
  onPartial: (text: string, partial: PartialTranslation) => void;
  onFailure: (error: Error) => void;
}

/** Tells a text's language as a BCP 47 tag, or null where it cannot. */
export type Detect = (text: string) => Promise<string | null>;

export class Translate {
  readonly #events: TranslatorEvents;
  readonly #detect: Detect;
  readonly #pane: TranslatorPane;
  readonly #direction: Direction;
  readonly #links: Links;
  readonly #history = new History();
  /** Sentences the visitor continued in another way, by source sentence. */
  readonly #chosen = new Map<string, string>();
  #client: Client | null = null;
  #engine: Loaded | null = null;
  #model: ModelInfo | null = null;
  #speed: number | null = null;
  #took: number | null = null;
  #detections = 0;
  readonly #waiting: ((client: Client) => void)[] = [];
  #offline = false;
  #noticeTimer: ReturnType<typeof setTimeout> | undefined;
  #historyTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(events: TranslatorEvents, detect: Detect) {
    this.#events = events;
    this.#detect = detect;
    this.#pane = new TranslatorPane({
      onTranslated: (translated, milliseconds) => this.#translated(translated, milliseconds),
      onProgress: (progress) => {
        byId('took').textContent = progress;
      },
      onInput: () => this.#input(),
      onCaret: () => events.onCaret(this.#pane.text, this.#pane.caret),
      onPartial: (source, partial) => events.onPartial(source, partial),
      onFailure: (error) => events.onFailure(error),
      refine: (client, source, target, signal) => this.refine(client, source, target, signal),
    });
    this.#links = new Links(this.#pane);
    this.#direction = new Direction({
      onChange: (model, swapped) => this.#changed(model, swapped),
      onDetect: () => void this.#detectLanguage(),
    });
    new Alternatives(this.#pane, {
      client: () => this.#client,
      language: () => this.#model!.target,
      isChosen: (source) => this.#chosen.has(source),
      onChoose: (source, sentence, place) => {
        if (sentence === null) this.#chosen.delete(source);
        else this.#chosen.set(source, sentence);
        this.#pane.again(place);
      },
    });
    mountHistory(this.#history, ({ model: id, source }) => {
      const model = this.#direction.models.find((other) => other.id === id);
      if (model) this.#direction.go(model);
      this.#pane.text = source;
      byId('source').focus();
    });
    this.#glossary = mountGlossary(
      () => this.#model,
      () => this.#pane.again(),
    );
    mountFiles({
      tools: () => this.#tools(),
      languages: () => this.#model ?? { source: 'en', target: 'en' },
      notice: (message) => this.notice(message),
    });
    byId('clear').addEventListener('click', () => {
      this.#pane.text = '';
      byId('source').focus();
    });
    byId('copy').addEventListener('click', () => void this.#copy(this.#pane.translation, text().copied));
    byId('share').addEventListener('click', () => void this.#share());
    addEventListener('hashchange', () => void this.#address());
    const draw = () => {
      localise(byId('translator'), text());
      localise(byId('examples').parentElement!, text());
      this.#describe();
    };
    onLanguage(draw);
    draw();
  }

  readonly #glossary;

  /** The models there are; returns the one to begin with. */
  async begin(models: readonly ModelInfo[]): Promise<ModelInfo> {
    const model = this.#direction.start(models);
    this.#model = model;
    this.#describe();
    const shared = (await this.#sharedText()) ?? this.#keptText();
    if (shared !== null) this.#pane.text = shared;
    else if (this.#pane.text === '') this.#example(model);
    return model;
  }

  start(client: Client, engine: Loaded): void {
    this.#client = client;
    this.#engine = engine;
    this.#describe();
    const { source, target } = this.#model!;
    this.#pane.start(client, { source, target });
    for (const resolve of this.#waiting.splice(0)) resolve(client);
  }

  stop(): void {
    this.#client = null;
    this.#pane.stop();
  }

  mark(index: number): void {
    this.#pane.mark(index);
  }

  get model(): ModelInfo | null {
    return this.#model;
  }

  /** What the visitor chose for this sentence, or its translation with the glossary's terms in it. */
  async refine(client: Client, source: string, target: string, signal: AbortSignal): Promise<string> {
    const chosen = this.#chosen.get(source);
    if (chosen !== undefined) return chosen;
    const { id, source: from, target: to } = this.#model!;
    const terms = this.#glossary.terms(id);
    if (terms.length === 0) return target;
    return applyTerms(client, { source, target, terms, languages: { source: from, target: to }, signal });
  }

  /** What translates files: as the panes do, glossary and all. Resolves when there is a model. */
  async #tools(): Promise<DocumentTools> {
    const client = await new Promise<Client>((resolve) => {
      if (this.#client) resolve(this.#client);
      else this.#waiting.push(resolve);
    });
    const translate = async (text: string, signal: AbortSignal): Promise<Translation> => {
      const plain = await client.translate(text, { signal });
      const targets: string[] = [];
      for (const { source, target } of plain.sentences) {
        const before = plain.text.slice(target.begin, target.end);
        targets.push(await this.refine(client, text.slice(source.begin, source.end), before, signal));
      }
      return withTargets(plain, targets);
    };
    const { source, target } = this.#model!;
    return {
      text: async (text, signal) => (await translate(text, signal)).text,
      html: (html, signal, onDone) =>
        translateHTML(html, {
          isTranslatable: (text) => /\p{L}/u.test(text),
          translate: async (text) => {
            const translation = await translate(text, signal);
            onDone(text.length);
            return translation;
          },
          explain: async (text, translation) => wordsOf(await client.explain(text, { target: translation, signal }), source, target),
        }),
    };
  }

  /** Whether page and model would be there without a network. */
  set offline(offline: boolean) {
    this.#offline = offline;
    this.#status();
  }

  /** A new version of the page waits. */
  offer(replace: () => void): void {
    const button = h('button', { type: 'button', class: 'text-button', onClick: replace }, text().reload);
    byId('notice').replaceChildren(text().update, ' ', button);
  }

  /** The page is about to load once more. */
  keepText(): void {
    try {
      if (!isExample(this.#pane.text)) sessionStorage.setItem(kTextKey, this.#pane.text);
    } catch {
      // Storage denied: then it is typed once more.
    }
  }

  #keptText(): string | null {
    try {
      const kept = sessionStorage.getItem(kTextKey);
      sessionStorage.removeItem(kTextKey);
      return kept === '' ? null : kept;
    } catch {
      return null;
    }
  }

  /** A word to the visitor at the foot of the panes, for a while. */
  notice(message: string): void {
    clearTimeout(this.#noticeTimer);
    byId('notice').textContent = message;
    this.#noticeTimer = setTimeout(() => (byId('notice').textContent = ''), 6000);
  }

  #changed(model: ModelInfo, swapped: boolean): void {
    const { text, translation } = this.#pane;
    this.stop();
    this.#links.clear();
    this.#chosen.clear();
    this.#pane.clear();
    this.#model = model;
    this.#speed = null;
    this.#describe();
    // What the visitor wrote stays; an example of the other language would not be one here.
    if (swapped) this.#pane.text = translation;
    else if (isExample(text) && !this.#direction.detecting) this.#pane.text = examplesOf(model.source)[0]!;
    this.#events.onModel(model);
  }

  #translated(translated: Translated | null, milliseconds: number): void {
    clearTimeout(this.#historyTimer);
    this.#links.clear();
    byId<HTMLButtonElement>('copy').disabled = translated === null;
    this.#took = translated && milliseconds;
    if (translated) {
      const { milliseconds: worked, remembered, text } = translated.translation;
      // A remembered sentence took no time: it would make the engine look faster than it is.
      if (remembered === 0 && worked > 0) this.#speed = (1000 * countWords(text, this.#model!.target)) / worked;
      const entry = { model: this.#model!.id, source: translated.source, translation: text };
      const { generation } = this.#history;
      this.#historyTimer = setTimeout(() => {
        if (!isExample(entry.source) && generation === this.#history.generation) this.#history.add({ ...entry, time: Date.now() });
      }, kHistoryDelay);
    }
    this.#status();
    this.#events.onTranslated(translated, this.#pane.caret);
  }

  #input(): void {
    const empty = this.#pane.text === '';
    byId<HTMLButtonElement>('clear').disabled = empty;
    byId<HTMLButtonElement>('share').disabled = empty;
    // The address held another text than this.
    if (this.#model && location.hash.includes('&')) {
      history.replaceState(null, '', `#${encodeURIComponent(this.#model.id)}`);
    }
    if (this.#direction.detecting) void this.#detectLanguage();
  }

  async #detectLanguage(): Promise<void> {
    const detection = ++this.#detections;
    const sample = this.#pane.text;
    if (sample.trim() === '') return;
    const tag = await this.#detect(sample).catch(() => null);
    if (detection !== this.#detections || !this.#direction.detecting) return;
    const known = tag === null || this.#direction.detected(tag.split('-')[0]!);
    byId('detected').textContent = known ? '' : text().noModel(languageName(tag));
  }

  /** A link was pasted into the address bar of the open page. */
  async #address(): Promise<void> {
    const model = this.#direction.models.find(({ id }) => location.hash.replace(/^#/, '').split('&')[0] === encodeURIComponent(id));
    const shared = await this.#sharedText();
    if (model) this.#direction.go(model);
    if (shared !== null) this.#pane.text = shared;
  }

  async #sharedText(): Promise<string | null> {
    try {
      return await textIn(location.hash);
    } catch {
      this.notice(text().badLink);
      return null;
    }
  }

  async #copy(value: string, done: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(value);
      this.notice(done);
    } catch {
      getSelection()?.selectAllChildren(byId('translation'));
      this.notice(text().notCopied);
    }
  }

  async #share(): Promise<void> {
    const fragment = await fragmentFor(this.#model!.id, this.#pane.text);
    history.replaceState(null, '', fragment);
    const { href } = location;
    const count = new Intl.NumberFormat(language()).format(href.length);
    await this.#copy(href, href.length > kLongLink ? text().longLink(count) : text().shared);
  }

  // Something to look at from the first second; selected, so that typing replaces it. Not where it would
  // bring up a keyboard over half the page.
  #example(model: ModelInfo): void {
    this.#pane.text = examplesOf(model.source)[0]!;
    if (matchMedia('(pointer: fine)').matches && document.activeElement === document.body) {
      const source = byId<HTMLTextAreaElement>('source');
      source.focus({ preventScroll: true });
      source.select();
    }
  }

  /** Everything that depends on model or language of the page. */
  #describe(): void {
    const doubt = byId('legend-doubt');
    doubt.textContent = text().doubt(100 * kDoubt);
    this.#status();
    const model = this.#model;
    if (!model) return;
    byId('source-language').textContent = text().source(languageName(model.source));
    byId('target-language').textContent = text().target(languageName(model.target));
    byId('source').lang = model.source;
    byId('translation').lang = model.target;
    byId('examples').replaceChildren(
      ...examplesOf(model.source).map((example) => {
        const choose = () => {
          this.#pane.text = example;
        };
        return h('button', { type: 'button', class: 'example', lang: model.source, onClick: choose }, example);
      }),
    );
  }

  #status(): void {
    const engine = this.#engine;
    byId('took').textContent = this.#took === null ? '' : text().took(formatMilliseconds(this.#took));
    byId('speed').textContent =
      this.#speed === null ? '' : text().speed(new Intl.NumberFormat(language(), { maximumSignificantDigits: 2 }).format(this.#speed));
    byId('threads').textContent = engine ? text().threads(engine.threads) : '';
    byId('instructions').textContent = engine?.instructionSet ?? '';
    byId('offline').textContent = this.#offline ? text().offline : '';
  }
}

/** Words of a text, as its language has them. */
export function countWords(text: string, language: string): number {
  let count = 0;
  for (const { segment } of new Intl.Segmenter(language, { granularity: 'word' }).segment(text)) {
    if (isWordLike(segment)) count++;
  }
  return count;
}
