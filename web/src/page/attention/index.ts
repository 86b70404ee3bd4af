// "Look inside: attention": which sentence, which weights, and five views of them.

import type { Client } from '../../lib/client';
import { isAbort, type PartialTranslation } from '../../lib/protocol';
import { formatWeight } from '../format';
import { messages, onLanguage } from '../i18n';
import { onTheme, theme } from '../theme';
import type { Translated } from '../translate/pane';
import { alignmentOf, type Head, isSpecial, type RowScale, weightsOf, withoutEachWord } from './analysis';
import './attention.css';
import { causesOf, CausesView } from './causes';
import { colourAt, position, tokens } from './colour';
import { element, segments } from './element';
import { type Exportable, ExportMenu } from './export';
import { describe, maskedName, nameOf } from './format';
import { AllHeads } from './heads';
import { Heatmap, sceneOfMatrix } from './heatmap';
import type { Cell } from './layout';
import { layLines, sceneOfLines } from './lines';
import { widthsOf } from './scene';
import { Steps } from './steps';
import {
  type Choice,
  type Explained,
  explained,
  kStacks,
  labelOf,
  type Reading,
  sentenceAt,
  type Stack,
  type View,
  viewOf,
} from './view';
import { LinkedWords } from './words';

const text = messages({
  en: {
    title: 'Attention',
    becomes: 'becomes',
    empty: 'Translate a sentence to see how the model attends.',
    failed: (why: string) => `The attention of this sentence cannot be shown: ${why}`,
    tabs: 'Views of the attention',
    views: { words: 'Words linked', matrix: 'Matrix', heads: 'All heads', steps: 'Steps', causes: 'Is it an explanation?' },
    sentence: 'Sentence',
    stack: 'Attention of',
    stacks: { encoder: 'Encoder', decoder: 'Decoder', cross: 'Cross' },
    layer: 'Layer',
    all: 'All',
    head: 'Head',
    mean: 'Mean',
    max: 'Max',
    rollout: 'Rollout',
    unit: 'Show',
    words: 'Words',
    pieces: 'Pieces',
    scale: 'Rows',
    scales: { weights: 'As they are', sum: 'Sum to 1', largest: 'Largest is 1' },
    hideEnd: 'Hide the end of sentence',
    threshold: 'Threshold',
    about: {
      encoder:
        'The encoder reads the source: each token gathers from every source token, before and after it.',
      decoder:
        'The decoder writes from left to right: each token it writes looks back at those already written; later ones are masked.',
      cross:
        'Cross-attention joins the two: each token of the translation looks at the source tokens when it is written.',
    },
    joined: 'A word is its pieces joined: as looked at, the sum of their weights; as the one that looks, their mean.',
    links: {
      cross: 'The thicker and stronger a link, the larger the weight.',
      encoder: 'Arcs above go to earlier words, arcs below to later ones, loops to the word itself.',
      decoder: 'Arcs go back to words already written.',
    },
    picked: (layer: number, head: number, sharp: string, order: string) =>
      `Layer ${layer}, head ${head} was picked: on this sentence it is the sharpest and most monotone cross-attention head of the last layer (sharpness ${sharp} × order ${order}).`,
    chosen: (name: string, sharp: string, order: string) => `${name}: sharpness ${sharp} × order ${order}.`,
    pickedWhy: 'How it is picked',
    pickedRule:
      'Sharpness: the largest weight of each target token on one source token, averaged. Order: Spearman’s rank correlation between the target’s positions and the mean source position each looks at, 0 where negative. The head of the last layer with the largest product of the two is picked; start and end symbols are left out. Heads of earlier layers can be sharper, but often point at where the token before came from.',
    back: (layer: number, head: number) => `Back to layer ${layer}, head ${head}`,
    name: (stack: string, layer: string, head: string) => `${stack} attention, ${layer}, ${head}`,
    layerName: (n: number) => `layer ${n}`,
    allLayers: 'all layers',
    headName: (n: number) => `head ${n}`,
    heads: { mean: 'mean of heads', max: 'maximum of heads', rollout: 'rollout' },
    hints: {
      words: 'Point at a word, tap it or use the arrow keys to see what it is linked with',
      matrix: 'Hover, tap or use the arrow keys to read a weight',
      heads: 'Point at a picture to read what the head does',
      steps: 'Choose a step',
      causes: '',
    },
    play: 'Play the decoding, step by step',
    pause: 'Pause',
    next: 'Next step',
    scrub: 'Step of the decoding',
    stepOf: (n: number, all: number) => `step ${n} of ${all}`,
    whole: 'whole sentence',
    showAll: 'Show all',
  },
  de: {
    title: 'Aufmerksamkeit',
    becomes: 'wird zu',
    empty: 'Übersetzen Sie einen Satz, um zu sehen, worauf das Modell achtet.',
    failed: (why: string) => `Die Aufmerksamkeit dieses Satzes kann nicht gezeigt werden: ${why}`,
    tabs: 'Ansichten der Aufmerksamkeit',
    views: { words: 'Wörter verbunden', matrix: 'Matrix', heads: 'Alle Köpfe', steps: 'Schritte', causes: 'Ist das eine Erklärung?' },
    sentence: 'Satz',
    stack: 'Aufmerksamkeit von',
    stacks: { encoder: 'Encoder', decoder: 'Decoder', cross: 'Cross' },
    layer: 'Schicht',
    all: 'Alle',
    head: 'Kopf',
    mean: 'Mittel',
    max: 'Maximum',
    rollout: 'Rollout',
    unit: 'Zeigen',
    words: 'Wörter',
    pieces: 'Teile',
    scale: 'Zeilen',
    scales: { weights: 'Wie sie sind', sum: 'Summe 1', largest: 'Größtes 1' },
    hideEnd: 'Satzende ausblenden',
    threshold: 'Schwelle',
    about: {
      encoder:
        'Der Encoder liest die Quelle: Jedes Token sammelt von allen Quelltoken, vor und hinter ihm.',
      decoder:
        'Der Decoder schreibt von links nach rechts: Jedes Token blickt auf die schon geschriebenen zurück; spätere sind verdeckt.',
      cross:
        'Cross-Attention verbindet beide: Jedes Token der Übersetzung blickt auf die Quelltoken, wenn es geschrieben wird.',
    },
    joined: 'Ein Wort fasst seine Teile zusammen: als Ziel der Blicke die Summe ihrer Gewichte, als das blickende Wort ihr Mittel.',
    links: {
      cross: 'Je dicker und kräftiger eine Verbindung, desto größer das Gewicht.',
      encoder: 'Bögen oben führen zu früheren Wörtern, Bögen unten zu späteren, Schleifen zum Wort selbst.',
      decoder: 'Bögen führen zurück zu schon geschriebenen Wörtern.',
    },
    picked: (layer: number, head: number, sharp: string, order: string) =>
      `Gewählt ist Schicht ${layer}, Kopf ${head}: in diesem Satz der schärfste und monotonste Kopf der Cross-Attention in der letzten Schicht (Schärfe ${sharp} × Ordnung ${order}).`,
    chosen: (name: string, sharp: string, order: string) => `${name}: Schärfe ${sharp} × Ordnung ${order}.`,
    pickedWhy: 'Wie er gewählt wird',
    pickedRule:
      'Schärfe: das größte Gewicht jedes Zieltokens auf ein Quelltoken, gemittelt. Ordnung: Spearmans Rangkorrelation zwischen den Positionen im Ziel und der mittleren Quellposition, auf die jedes blickt; negativ zählt als 0. Gewählt wird der Kopf der letzten Schicht mit dem größten Produkt; Anfangs- und Endsymbole bleiben außen vor. Köpfe früherer Schichten können schärfer sein, zeigen aber oft dorthin, woher das Token davor kam.',
    back: (layer: number, head: number) => `Zurück zu Schicht ${layer}, Kopf ${head}`,
    name: (stack: string, layer: string, head: string) => `${stack}-Aufmerksamkeit, ${layer}, ${head}`,
    layerName: (n: number) => `Schicht ${n}`,
    allLayers: 'alle Schichten',
    headName: (n: number) => `Kopf ${n}`,
    heads: { mean: 'Mittel der Köpfe', max: 'Maximum der Köpfe', rollout: 'Rollout' },
    hints: {
      words: 'Auf ein Wort zeigen oder die Pfeiltasten benutzen, um seine Verbindungen zu sehen',
      matrix: 'Zeigen, tippen oder Pfeiltasten benutzen, um ein Gewicht zu lesen',
      heads: 'Auf ein Bild zeigen, um zu lesen, was der Kopf tut',
      steps: 'Einen Schritt wählen',
      causes: '',
    },
    play: 'Das Decodieren Schritt für Schritt abspielen',
    pause: 'Anhalten',
    next: 'Nächster Schritt',
    scrub: 'Schritt des Decodierens',
    stepOf: (n: number, all: number) => `Schritt ${n} von ${all}`,
    whole: 'ganzer Satz',
    showAll: 'Alles zeigen',
  },
  zh: {
    title: '注意力',
    becomes: '译为',
    empty: '翻译一个句子，看看模型如何分配注意力。',
    failed: (why: string) => `无法显示这个句子的注意力：${why}`,
    tabs: '注意力的各种视图',
    views: { words: '词语连线', matrix: '矩阵', heads: '所有头', steps: '逐步', causes: '这是解释吗？' },
    sentence: '句子',
    stack: '注意力来自',
    stacks: { encoder: '编码器', decoder: '解码器', cross: '交叉' },
    layer: '层',
    all: '全部',
    head: '头',
    mean: '平均',
    max: '最大',
    rollout: 'Rollout',
    unit: '显示',
    words: '词',
    pieces: '子词',
    scale: '行',
    scales: { weights: '原样', sum: '和为 1', largest: '最大为 1' },
    hideEnd: '隐藏句子结束符',
    threshold: '阈值',
    about: {
      encoder: '编码器阅读源句：每个词元从所有源词元（前后都包括）收集信息。',
      decoder: '解码器从左到右书写：每个词元回看已经写出的词元，后面的被遮蔽。',
      cross: '交叉注意力连接两者：译文的每个词元在写出时关注源词元。',
    },
    joined: '一个词由它的子词合并而成：作为被关注者取权重之和，作为关注者取平均。',
    links: {
      cross: '连线越粗越深，权重越大。',
      encoder: '上方的弧指向前面的词，下方的弧指向后面的词，小环指向自身。',
      decoder: '弧线回指已经写出的词。',
    },
    picked: (layer: number, head: number, sharp: string, order: string) =>
      `选用第 ${layer} 层第 ${head} 头：在这个句子上，它是最后一层里最集中、最单调的交叉注意力头（集中度 ${sharp} × 顺序性 ${order}）。`,
    chosen: (name: string, sharp: string, order: string) => `${name}：集中度 ${sharp} × 顺序性 ${order}。`,
    pickedWhy: '如何选出',
    pickedRule:
      '集中度：每个目标词元对单个源词元的最大权重，取平均。顺序性：目标位置与其所关注的平均源位置之间的斯皮尔曼秩相关，负值计为 0。在最后一层中选用两者乘积最大的头；开始符和结束符不计入。前面各层的头可能更集中，但往往指向前一个词元的来源。',
    back: (layer: number, head: number) => `回到第 ${layer} 层第 ${head} 头`,
    name: (stack: string, layer: string, head: string) => `${stack}注意力，${layer}，${head}`,
    layerName: (n: number) => `第 ${n} 层`,
    allLayers: '所有层',
    headName: (n: number) => `第 ${n} 头`,
    heads: { mean: '各头平均', max: '各头最大', rollout: 'Rollout' },
    hints: {
      words: '指向一个词或使用方向键，查看它的连线',
      matrix: '悬停、点按或使用方向键读取权重',
      heads: '指向一张小图，查看该头的作用',
      steps: '选择一步',
      causes: '',
    },
    play: '逐步播放解码过程',
    pause: '暂停',
    next: '下一步',
    scrub: '解码的步骤',
    stepOf: (n: number, all: number) => `第 ${n} 步，共 ${all} 步`,
    whole: '整个句子',
    showAll: '显示全部',
  },
});

const kViews = ['words', 'matrix', 'heads', 'steps', 'causes'] as const;
type ViewName = (typeof kViews)[number];

/** Which controls a view has. */
const kControls: Record<ViewName, readonly string[]> = {
  words: ['stack', 'layer', 'head', 'unit', 'hide-end', 'threshold'],
  matrix: ['stack', 'layer', 'head', 'unit', 'scale', 'hide-end', 'threshold'],
  heads: ['stack', 'unit', 'hide-end'],
  steps: ['layer', 'head'],
  causes: ['layer', 'head'],
};
const kWithSteps: readonly ViewName[] = ['words', 'matrix', 'steps'];

const kCandidates = 10;
/** Slow enough to read a word and see where its links go. */
const kStepMilliseconds = 700;
/** Between two looks at a translation under way. */
const kGrowMilliseconds = 250;

export interface AttentionEvents {
  /** The sentence explained changed. */
  onSentence: (index: number) => void;
  onFailure: (error: Error) => void;
}

export interface AttentionPart {
  start(client: Client): void;
  /** No model: keeps the picture, asks for no new one. */
  stop(): void;
  /** A new translation: explains the sentence the caret is in. */
  follow(translated: Translated | null, caret: number): void;
  /** The caret moved; while the text is changing, offsets wait for its translation. */
  moveTo(text: string, caret: number): void;
  /** A translation under way: where it is one sentence, its links grow with it. */
  grow(source: string, partial: PartialTranslation): void;
  /** The languages of the model, as tags. */
  languages(source: string, target: string): void;
}

/** Fills the empty section with the views of attention. */
export function mountAttention(root: HTMLElement, events: AttentionEvents): AttentionPart {
  return new Panel(root, events);
}

class Panel implements AttentionPart {
  readonly #root: HTMLElement;
  readonly #events: AttentionEvents;
  readonly #title = element('h2', { id: 'attention-title' });
  readonly #about = element('p', { class: 'about', id: 'attention-about' });
  readonly #source = element('span', { id: 'explained-source' });
  readonly #arrow = element('span', { class: 'arrow', role: 'img' }, '→');
  readonly #target = element('span', { id: 'explained-target' });
  readonly #explainedLine = element('p', { class: 'explained', id: 'explained' });
  readonly #select = element('select', { id: 'sentence' });
  readonly #selectName = element('span', { class: 'choose-label' });
  readonly #sentence = element('label', { class: 'choose', id: 'sentence-choice', hidden: true }, this.#selectName, this.#select);
  readonly #head = element('div', { class: 'explained-row', hidden: true }, this.#explainedLine, this.#sentence);
  readonly #tabs = element('div', { class: 'tabs', role: 'tablist' });
  readonly #controls = element('form', { class: 'controls', id: 'controls' });
  readonly #pickedLine = element('div', { class: 'picked' });
  readonly #readout = element('div', { class: 'readout', id: 'readout' });
  readonly #legend = element('div', { class: 'legend', id: 'legend', 'aria-hidden': 'true' });
  readonly #panels: Record<ViewName, HTMLElement>;
  readonly #transport = element('div', { class: 'transport' });
  readonly #play = element('button', { type: 'button', class: 'play' });
  readonly #scrub = element('input', { type: 'range', class: 'scrub', min: '0', value: '0', step: '1' });
  readonly #stepName = element('span', { class: 'step-name' });
  readonly #showAll = element('button', { type: 'button', class: 'plain' });
  readonly #figure = element('div', { class: 'figure' });
  readonly #reads = element('div', { class: 'reading' });
  readonly #notes = element('p', { class: 'note' });
  readonly #note = element('p', { class: 'note', id: 'attention-note', role: 'status' });
  readonly #announcer = element('p', { class: 'unseen', id: 'announcer', 'aria-live': 'polite' });
  readonly #stillness = matchMedia('(prefers-reduced-motion: reduce)');

  readonly #linked = new LinkedWords({ onWord: (sentence, keyboard) => this.#tell(sentence, keyboard) });
  readonly #linkedStep = new LinkedWords({ onWord: (sentence, keyboard) => this.#tell(sentence, keyboard) });
  readonly #heatmap = new Heatmap({ onCell: (cell, keyboard) => this.#read(cell, keyboard) });
  readonly #heads = new AllHeads({
    onOpen: (choice) => {
      this.#chosen[choice.stack] = { layer: choice.layer, head: choice.head };
      this.#open('matrix', true);
    },
    onPoint: (sentence) => this.#tell(sentence, false),
  });
  readonly #steps = new Steps(
    {
      onStep: (step) => this.#goTo(step),
      onForce: (step, id) => void this.#force(step, id),
      onRelease: () => void this.#release(),
    },
    this.#linkedStep.element,
  );
  readonly #causes = new CausesView();
  readonly #export = new ExportMenu(
    () => this.#exportable(),
    (message) => {
      this.#note.textContent = message;
    },
  );

  #client: Client | null = null;
  #translated: Translated | null = null;
  #languages: { source?: string; target?: string } = {};
  /** The sentence shown or under way, and the translation of it that stands in the pane. */
  #asked: string | null = null;
  #wanted: string | null = null;
  #running: AbortController | null = null;
  #growing: AbortController | null = null;
  /** When links were last asked for while a translation grew. */
  #grown = 0;
  #explained: Explained | null = null;
  #view: View | null = null;
  #name: ViewName = 'words';
  #stack: Stack = 'cross';
  /** What the visitor chose; null: the head picked, or the mean of the last layer. */
  readonly #chosen: Record<Stack, Omit<Choice, 'stack'> | null> = { encoder: null, decoder: null, cross: null };
  #reading: Reading = { unit: 'words', hideEnd: false, scale: 'weights' };
  #least = 0;
  /** The last step shown; null: all. */
  #step: number | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Tokens at the beginning that are not the model's choice. */
  #forced = 0;
  /** What leaving words out gave, for the explanation it was asked for. */
  #scores: { of: Explained; whole: Float32Array; without: (Float32Array | null)[] } | null = null;
  #scoring: AbortController | null = null;

  constructor(root: HTMLElement, events: AttentionEvents) {
    this.#root = root;
    this.#events = events;
    this.#explainedLine.append(this.#source, this.#arrow, this.#target);
    this.#transport.append(this.#play, this.#scrub, this.#stepName, this.#showAll);
    this.#panels = {
      words: element('div', {}, this.#linked.element),
      matrix: element('div', {}, this.#heatmap.element),
      heads: element('div', {}, this.#heads.element),
      steps: element('div', {}, this.#steps.element),
      causes: element('div', {}, this.#causes.element),
    };
    for (const [name, panel] of Object.entries(this.#panels)) {
      panel.className = `panel panel-${name}`;
      panel.id = `panel-${name}`;
      panel.setAttribute('role', 'tabpanel');
      panel.setAttribute('aria-labelledby', `tab-${name}`);
    }
    this.#reads.append(this.#readout, this.#legend);
    this.#figure.append(...Object.values(this.#panels));
    root.replaceChildren(
      element('div', { class: 'attention-head' }, this.#title, this.#about),
      this.#head,
      element('div', { class: 'bar' }, this.#tabs, this.#export.element),
      this.#controls,
      this.#pickedLine,
      this.#reads,
      this.#figure,
      this.#transport,
      this.#notes,
      this.#note,
      this.#announcer,
    );
    this.#heatmap.watch();
    this.#listen();
    this.#write();
    onLanguage(() => this.#write());
    onTheme(() => this.#drawLegend());
  }

  start(client: Client): void {
    this.#client = client;
  }

  stop(): void {
    this.#client = null;
    this.#pause();
    this.#interrupt();
    this.#scoring?.abort();
    this.#asked = null;
  }

  languages(source: string, target: string): void {
    this.#languages = { source, target };
    this.#source.lang = source;
    this.#target.lang = target;
  }

  follow(translated: Translated | null, caret: number): void {
    this.#translated = translated;
    const sentences = translated?.translation.sentences ?? [];
    this.#showSentences();
    if (sentences.length === 0) this.#clear();
    else this.#choose(sentenceAt(sentences, caret));
  }

  moveTo(source: string, caret: number): void {
    if (source !== this.#translated?.source) return;
    const { sentences } = this.#translated.translation;
    if (sentences.length > 1) this.#choose(sentenceAt(sentences, caret));
  }

  grow(source: string, { total, draft }: PartialTranslation): void {
    const client = this.#client;
    if (!client || total !== 1 || this.#growing || draft.trim() === '' || source.trim() === this.#asked) return;
    // It takes the engine's time: not too often, and not where nobody looks.
    const { top, bottom } = this.#root.getBoundingClientRect();
    const now = performance.now();
    if (top > innerHeight || bottom < 0 || now - this.#grown < kGrowMilliseconds) return;
    this.#grown = now;
    const growing = new AbortController();
    this.#growing = growing;
    // A newer request of the lane, the whole translation's above all, takes this one's place.
    client
      .explain(source.trim(), { target: draft.trim(), signal: growing.signal, lane: 'explain' })
      .then((explanation) => {
        // Answered already when the newer request was made.
        if (growing.signal.aborted) return;
        this.#asked = this.#wanted = null;
        this.#step = null;
        this.#forced = 0;
        this.#root.dataset.state = 'working';
        this.#take(explained(explanation, this.#languages));
      })
      .catch(() => {}) // what fails here fails again, and is told, when the sentence is complete
      .finally(() => {
        if (this.#growing === growing) this.#growing = null;
      });
  }

  // --- Which sentence ----------------------------------------------------------------------------

  #showSentences(): void {
    const sentences = this.#translated?.translation.sentences ?? [];
    this.#sentence.hidden = sentences.length < 2;
    this.#select.replaceChildren(
      ...sentences.map(({ source: { begin, end } }, index) =>
        element('option', { value: String(index) }, `${index + 1}. ${shorten(this.#translated!.source.slice(begin, end))}`),
      ),
    );
  }

  #choose(index: number): void {
    const { source, translation } = this.#translated!;
    const sentence = translation.sentences[index]!;
    this.#select.value = String(index);
    this.#events.onSentence(index);
    const asked = source.slice(sentence.source.begin, sentence.source.end);
    const wanted = translation.text.slice(sentence.target.begin, sentence.target.end);
    if (asked === this.#asked && wanted === this.#wanted) return;
    this.#wanted = wanted;
    void this.#explain(asked, 0);
  }

  /** `options` force the first `forced` tokens. Whether it is on the screen. */
  async #explain(asked: string, forced: number, options: { prefix?: number[]; target?: string } = {}): Promise<boolean> {
    if (!this.#client) return false;
    this.#interrupt();
    const running = new AbortController();
    this.#running = running;
    this.#asked = asked;
    this.#root.dataset.state = 'working';
    try {
      const call = { candidates: kCandidates, signal: running.signal, lane: 'explain' };
      let explanation = await this.#client.explain(asked, { ...call, ...options });
      // The translation in the pane need not be the model's own: the visitor may have chosen its words.
      if (forced === 0 && this.#wanted && explanation.target.text.trim() !== this.#wanted.trim()) {
        explanation = await this.#client.explain(asked, { ...call, target: this.#wanted.trim() });
      }
      if (running.signal.aborted) return false;
      this.#forced = forced;
      if (forced === 0) {
        this.#pause();
        this.#step = null;
      }
      this.#take(explained(explanation, this.#languages));
      this.#root.dataset.state = 'done';
      return true;
    } catch (error) {
      if (running.signal.aborted || isAbort(error)) return false;
      if (forced > 0) this.#root.dataset.state = 'done';
      else this.#clear();
      this.#note.textContent = text().failed((error as Error).message);
      this.#events.onFailure(error as Error);
      return false;
    }
  }

  /** Writes another translation: the same up to `step`, then the token `id`, then what the model makes of it. */
  async #force(step: number, id: number): Promise<void> {
    const asked = this.#asked;
    const found = this.#explained;
    if (asked === null || !found) return;
    this.#pause();
    const { text: written, tokens: before } = found.explanation.target;
    const chosen = found.explanation.steps[step]?.candidates.find((candidate) => candidate.id === id);
    const ends = chosen !== undefined && isSpecial(chosen);
    // After the end nothing follows: what is there is the whole translation.
    const options = ends
      ? { target: written.slice(0, before[step]!.begin).trim() }
      : { prefix: [...before.slice(0, step).map((token) => token.id), id] };
    if (await this.#explain(asked, step + 1, options)) this.#goTo(Math.min(step, this.#explained!.explanation.target.tokens.length - 1));
  }

  /** Back to what the model writes by itself. */
  async #release(): Promise<void> {
    const asked = this.#asked;
    if (asked !== null && (await this.#explain(asked, 0))) this.#goTo(0);
  }

  #interrupt(): void {
    this.#running?.abort();
    this.#growing?.abort();
    this.#growing = null;
  }

  #take(found: Explained): void {
    this.#explained = found;
    this.#note.textContent = '';
    this.#head.hidden = false;
    this.#source.textContent = found.explanation.source.text;
    this.#target.textContent = found.explanation.target.text;
    this.#draw();
  }

  #clear(): void {
    this.#interrupt();
    this.#scoring?.abort();
    this.#pause();
    this.#asked = this.#wanted = null;
    this.#explained = null;
    this.#view = null;
    this.#head.hidden = true;
    this.#note.textContent = text().empty;
    this.#heatmap.clear();
    this.#linked.clear();
    this.#tell(null, false);
    this.#root.dataset.state = 'empty';
  }

  // --- Controls ----------------------------------------------------------------------------------

  #listen(): void {
    this.#select.addEventListener('change', () => this.#choose(Number(this.#select.value)));
    this.#controls.addEventListener('submit', (event) => event.preventDefault());
    this.#controls.addEventListener('change', (event) => {
      const { name, value } = event.target as HTMLInputElement;
      if (name === 'stack') this.#stack = value as Stack;
      if (name === 'layer' || name === 'head') this.#chooseHead(name, value);
      if (name === 'unit') this.#reading = { ...this.#reading, unit: value as Reading['unit'] };
      if (name === 'scale') this.#reading = { ...this.#reading, scale: value as RowScale };
      if (name === 'hide-end') this.#reading = { ...this.#reading, hideEnd: (event.target as HTMLInputElement).checked };
      this.#draw();
    });
    this.#controls.addEventListener('input', (event) => {
      const { name, value } = event.target as HTMLInputElement;
      if (name !== 'threshold') return;
      this.#least = Number(value);
      this.#draw();
    });
    this.#tabs.addEventListener('click', (event) => {
      const tab = (event.target as Element).closest<HTMLElement>('[role=tab]');
      if (tab) this.#open(tab.dataset.view as ViewName, false);
    });
    this.#tabs.addEventListener('keydown', (event) => {
      const at = kViews.indexOf(this.#name);
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: kViews.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.#open(kViews[(to + kViews.length) % kViews.length]!, true);
    });
    this.#pickedLine.addEventListener('click', (event) => {
      if (!(event.target as Element).closest('button')) return;
      this.#chosen.cross = null;
      this.#draw();
    });
    this.#play.addEventListener('click', () => this.#toggle());
    this.#scrub.addEventListener('input', () => {
      this.#pause();
      this.#goTo(Number(this.#scrub.value));
    });
    this.#showAll.addEventListener('click', () => {
      this.#pause();
      this.#goTo(null);
    });
    this.#stillness.addEventListener('change', () => {
      this.#pause();
      this.#showTransport();
    });
  }

  #chooseHead(name: 'layer' | 'head', value: string): void {
    const { stack, ...before } = this.#choice();
    const next = { ...before };
    if (name === 'layer') next.layer = value === 'all' ? 'all' : Number(value);
    else next.head = /^\d+$/.test(value) ? Number(value) : (value as 'mean' | 'max' | 'rollout');
    // A head by number belongs to one layer.
    if (next.layer === 'all' && typeof next.head === 'number') {
      if (name === 'layer') next.head = 'mean';
      else next.layer = this.#explained!.explanation[stack].shape[0] - 1;
    }
    this.#chosen[stack] = next;
  }

  #open(name: ViewName, focus: boolean): void {
    this.#name = name;
    this.#showTabs();
    this.#draw();
    if (focus) this.#tabs.querySelector<HTMLElement>(`[data-view=${name}]`)!.focus();
  }

  /** What is shown: steps and causes are about cross-attention. */
  #choice(): Choice {
    const stack = this.#name === 'steps' || this.#name === 'causes' ? 'cross' : this.#stack;
    const { explanation, picked } = this.#explained!;
    const [layers, heads] = explanation[stack].shape;
    const chosen = this.#chosen[stack];
    if (!chosen) {
      return stack === 'cross' ? { stack, layer: picked.layer, head: picked.head } : { stack, layer: layers - 1, head: 'mean' };
    }
    // Another model may have fewer: the last stands in for one that is not there.
    return {
      stack,
      layer: chosen.layer === 'all' ? 'all' : Math.min(chosen.layer, layers - 1),
      head: typeof chosen.head === 'number' ? Math.min(chosen.head, heads - 1) : chosen.head,
    };
  }

  /** Everything written, in the interface's language. */
  #write(): void {
    const t = text();
    this.#title.textContent = t.title;
    this.#arrow.setAttribute('aria-label', t.becomes);
    this.#tabs.setAttribute('aria-label', t.tabs);
    this.#tabs.replaceChildren(
      ...kViews.map((name) =>
        element('button', { type: 'button', role: 'tab', id: `tab-${name}`, 'data-view': name, 'aria-controls': `panel-${name}` }, t.views[name]),
      ),
    );
    this.#export.draw();
    const range = element('input', { type: 'range', name: 'threshold', min: '0', max: '0.5', step: '0.01', value: String(this.#least) });
    const check = element('input', { type: 'checkbox', name: 'hide-end' });
    check.checked = this.#reading.hideEnd;
    const field = (id: string, legend: string, content: HTMLElement | null) =>
      element('fieldset', { class: 'choose', id, 'data-control': id }, element('legend', { class: 'choose-label' }, legend), content);
    const { unit, scale } = this.#reading;
    this.#controls.replaceChildren(
      field('stack', t.stack, segments('stack', kStacks.map((stack) => [stack, t.stacks[stack]]), this.#stack)),
      field('layer', t.layer, null),
      field('head', t.head, null),
      field('unit', t.unit, segments('unit', [['words', t.words], ['pieces', t.pieces]], unit)),
      field('scale', t.scale, segments('scale', (['weights', 'sum', 'largest'] as const).map((name) => [name, t.scales[name]]), scale)),
      element(
        'div',
        { class: 'refine' },
        element(
          'label',
          { class: 'choose', 'data-control': 'threshold' },
          element('span', { class: 'choose-label' }, `${t.threshold} `, element('span', { class: 'threshold-value' })),
          range,
        ),
        element('label', { class: 'check', 'data-control': 'hide-end' }, check, element('span', {}, t.hideEnd)),
      ),
    );
    this.#selectName.textContent = t.sentence;
    this.#scrub.setAttribute('aria-label', t.scrub);
    this.#showAll.textContent = t.showAll;
    this.#showSentences();
    if (this.#select.options.length > 0 && this.#translated) {
      const index = this.#translated.translation.sentences.findIndex(
        ({ source: { begin, end } }) => this.#translated!.source.slice(begin, end) === this.#asked,
      );
      this.#select.value = String(Math.max(0, index));
    }
    this.#showTabs();
    this.#drawLegend();
    if (this.#explained) this.#draw();
    else {
      this.#about.textContent = t.about[this.#stack];
      this.#note.textContent = t.empty;
    }
  }

  #showTabs(): void {
    for (const name of kViews) {
      const tab = this.#tabs.querySelector<HTMLElement>(`[data-view=${name}]`)!;
      const open = name === this.#name;
      tab.setAttribute('aria-selected', String(open));
      tab.tabIndex = open ? 0 : -1;
      this.#panels[name].hidden = !open;
    }
    for (const control of this.#controls.querySelectorAll<HTMLElement>('[data-control]')) {
      control.hidden = !kControls[this.#name].includes(control.dataset.control!);
    }
    this.#transport.hidden = !kWithSteps.includes(this.#name) || !this.#explained;
    this.#reads.hidden = this.#name === 'causes';
    // Beside the steps where there are steps, else below the figure.
    if (this.#name === 'steps') this.#steps.element.prepend(this.#transport);
    else this.#figure.after(this.#transport);
  }

  // --- Drawing -----------------------------------------------------------------------------------

  #draw(): void {
    const found = this.#explained;
    if (!found) return;
    const t = text();
    const choice = this.#choice();
    const { explanation } = found;
    const [layers, heads] = explanation[choice.stack].shape;
    this.#fill('layer', [...numbered(layers), ['all', t.all]], String(choice.layer));
    this.#fill('head', [...numbered(heads), ['mean', t.mean], ['max', t.max], ['rollout', t.rollout]], String(choice.head));
    this.#controls.querySelector('.threshold-value')!.textContent = this.#least === 0 ? '' : this.#least.toFixed(2);
    this.#about.textContent = t.about[choice.stack];
    if (this.#step !== null) this.#step = Math.min(this.#step, explanation.target.tokens.length - 1);

    const name = this.#describe(choice);
    const step = choice.stack === 'encoder' ? null : this.#step;
    this.#showPicked(choice);
    this.#notes.textContent = '';
    switch (this.#name) {
      case 'words':
        this.#view = viewOf(found, choice, { ...this.#reading, scale: 'weights' });
        this.#linked.show(this.#view, name, { least: this.#least, step });
        this.#notes.textContent = [t.links[choice.stack], this.#reading.unit === 'words' ? t.joined : ''].filter(Boolean).join(' ');
        break;
      case 'matrix':
        this.#view = viewOf(found, choice, this.#reading);
        this.#heatmap.show(this.#view, name, { least: this.#least, step });
        this.#notes.textContent = this.#reading.unit === 'words' ? t.joined : '';
        break;
      case 'heads':
        this.#view = null;
        this.#heads.show(found, choice.stack, { ...this.#reading, scale: 'weights' });
        this.#notes.textContent = this.#heads.hint;
        break;
      case 'steps':
        this.#view = viewOf(found, choice, { unit: 'pieces', hideEnd: false, scale: 'weights' });
        this.#steps.show(found, this.#forced);
        this.#steps.at(this.#step ?? explanation.target.tokens.length - 1);
        this.#linkedStep.show(this.#view, name, { least: 0, step: this.#step ?? explanation.target.tokens.length - 1 });
        break;
      case 'causes':
        this.#view = viewOf(found, choice, { unit: 'words', hideEnd: false, scale: 'weights' });
        void this.#score();
        break;
    }
    if (this.#name === 'heads' || this.#name === 'causes') this.#tell(null, false);
    this.#showTabs();
    this.#showTransport();
  }

  /** Radio buttons left alone, focus and all, while their number stays. */
  #fill(name: string, options: readonly (readonly [string, string])[], chosen: string): void {
    const box = this.#controls.querySelector<HTMLElement>(`#${name}`)!;
    if (box.querySelectorAll('input').length !== options.length) {
      box.querySelector('.segments')?.remove();
      box.append(segments(name, options, chosen));
    }
    for (const input of box.querySelectorAll('input')) input.checked = input.value === chosen;
  }

  #describe({ stack, layer, head }: Choice): string {
    const t = text();
    return t.name(
      t.stacks[stack],
      layer === 'all' ? t.allLayers : t.layerName(layer + 1),
      typeof head === 'number' ? t.headName(head + 1) : t.heads[head],
    );
  }

  #showPicked(choice: Choice): void {
    const t = text();
    const found = this.#explained!;
    const { layer, head, sharpness, monotonicity } = found.picked;
    this.#pickedLine.hidden = choice.stack !== 'cross' || this.#name === 'heads';
    if (this.#pickedLine.hidden) return;
    const open = this.#pickedLine.querySelector('details')?.open ?? false;
    const isPicked = choice.layer === layer && choice.head === head;
    const parts: HTMLElement[] = [];
    if (isPicked) {
      parts.push(element('p', {}, t.picked(layer + 1, head + 1, sharpness.toFixed(2), monotonicity.toFixed(2))));
    } else {
      const { source, target, cross } = found.explanation;
      const of =
        choice.head === 'rollout'
          ? null
          : alignmentOf(weightsOf(cross, choice.layer, choice.head as Head), source.tokens, target.tokens);
      parts.push(
        element(
          'p',
          {},
          of ? `${t.chosen(this.#describe(choice), of.sharpness.toFixed(2), of.monotonicity.toFixed(2))} ` : '',
          element('button', { type: 'button', class: 'plain' }, t.back(layer + 1, head + 1)),
        ),
      );
    }
    const details = element('details', {}, element('summary', {}, t.pickedWhy), element('p', {}, t.pickedRule));
    details.open = open;
    this.#pickedLine.replaceChildren(...parts, details);
  }

  #drawLegend(): void {
    const kTicks = [0, 0.05, 0.25, 0.5, 1];
    const bar = element('canvas', { class: 'legend-bar' });
    bar.width = 256;
    bar.height = 1;
    const context = bar.getContext('2d');
    for (let x = 0; context && x < 256; x++) {
      context.fillStyle = colourAt(x / 255, theme());
      context.fillRect(x, 0, 1, 1);
    }
    const ticks = element('div', { class: 'legend-ticks' });
    for (const tick of kTicks) {
      const mark = element('span', {}, String(tick));
      mark.style.left = `${position(tick) * 100}%`;
      ticks.append(mark);
    }
    this.#legend.replaceChildren(bar, ticks);
  }

  /** A sentence about what is pointed at, or the hint where there is none. */
  #tell(sentence: string | null, keyboard: boolean): void {
    if (sentence === null) {
      const hint = this.#explained ? text().hints[this.#name] : '';
      this.#readout.replaceChildren(element('span', { class: 'hint' }, hint));
      return;
    }
    this.#readout.replaceChildren(sentence);
    if (keyboard) this.#announcer.textContent = sentence;
  }

  #read(cell: Cell | null, keyboard: boolean): void {
    const view = this.#view;
    if (!cell || !view) {
      this.#tell(null, false);
      return;
    }
    const weight = view.weights[cell.row * view.columns.length + cell.column]!;
    this.#readout.replaceChildren(
      element('span', {}, nameOf(view.columns[cell.column]!)),
      ' → ',
      element('span', {}, nameOf(view.rows[cell.row]!)),
      ' ',
      element('data', { value: String(weight) }, formatWeight(weight)),
    );
    if (view.masked(cell.row, cell.column)) this.#readout.append(element('span', { class: 'hint' }, ` ${maskedName()}`));
    if (keyboard) this.#announcer.textContent = describe(view, cell);
  }

  // --- Steps -------------------------------------------------------------------------------------

  #showTransport(): void {
    const t = text();
    const all = this.#explained?.explanation.target.tokens.length ?? 0;
    const encoder = this.#name !== 'steps' && this.#stack === 'encoder';
    this.#transport.hidden = !this.#explained || !kWithSteps.includes(this.#name) || encoder;
    const playing = this.#timer !== undefined;
    this.#play.setAttribute('aria-label', this.#stillness.matches ? t.next : playing ? t.pause : t.play);
    this.#play.dataset.state = playing ? 'playing' : 'paused';
    this.#scrub.max = String(Math.max(0, all - 1));
    this.#scrub.value = String(this.#step ?? all - 1);
    const named = this.#step === null && this.#name !== 'steps' ? t.whole : t.stepOf((this.#step ?? all - 1) + 1, all);
    this.#scrub.setAttribute('aria-valuetext', named);
    this.#stepName.textContent = named;
    this.#showAll.hidden = this.#step === null || this.#name === 'steps';
  }

  #goTo(step: number | null): void {
    this.#step = step;
    const found = this.#explained;
    if (!found || !this.#view) return;
    // The views only show more or less of what they hold.
    const shown = { least: this.#least, step };
    const name = this.#describe(this.#view.choice);
    if (this.#name === 'words') this.#linked.show(this.#view, name, shown);
    if (this.#name === 'matrix') this.#heatmap.show(this.#view, name, shown);
    if (this.#name === 'steps') {
      const last = found.explanation.target.tokens.length - 1;
      this.#steps.at(step ?? last);
      this.#linkedStep.show(this.#view, name, { least: 0, step: step ?? last });
    }
    this.#showTransport();
  }

  #toggle(): void {
    if (this.#timer !== undefined) {
      this.#pause();
      this.#showTransport();
      return;
    }
    const last = (this.#explained?.explanation.target.tokens.length ?? 1) - 1;
    const advance = () => {
      if (this.#step === null || this.#step >= last) this.#goTo(0);
      else this.#goTo(this.#step + 1);
    };
    advance();
    // Where motion is not wanted, each press is one step.
    if (this.#stillness.matches) return;
    this.#timer = setInterval(() => {
      if (this.#step !== null && this.#step >= last) {
        this.#pause();
        this.#showTransport();
      } else {
        advance();
      }
    }, kStepMilliseconds);
    this.#showTransport();
  }

  #pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  // --- Leaving words out -------------------------------------------------------------------------

  async #score(): Promise<void> {
    const found = this.#explained!;
    const view = this.#view!;
    if (this.#scores?.of === found) {
      this.#causes.show(causesOf(found, view, this.#scores.whole, this.#scores.without));
      return;
    }
    const { source, target } = found.explanation;
    const shorter = withoutEachWord(source.text, source.tokens, found.sourceWords);
    const texts = shorter.filter((without) => without !== null);
    if (texts.length === 0) {
      this.#causes.tooShort();
      return;
    }
    if (!this.#client) return;
    this.#scoring?.abort();
    const scoring = new AbortController();
    this.#scoring = scoring;
    this.#causes.wait(texts.length);
    try {
      const [whole, ...scores] = await this.#client.score(
        [source.text, ...texts],
        target.tokens.map(({ id }) => id),
        { signal: scoring.signal, lane: 'score' },
      );
      if (scoring.signal.aborted || this.#explained !== found) return;
      let at = 0;
      const without = shorter.map((one) => (one === null ? null : scores[at++]!));
      this.#scores = { of: found, whole: whole!, without };
      if (this.#name === 'causes') this.#draw();
    } catch (error) {
      if (scoring.signal.aborted || isAbort(error)) return;
      this.#causes.fail((error as Error).message);
      this.#events.onFailure(error as Error);
    }
  }

  // --- Files -------------------------------------------------------------------------------------

  #exportable(): Exportable | null {
    const found = this.#explained;
    if (!found) return null;
    const t = text();
    const { source, target } = found.explanation;
    const choice = this.#choice();
    const colours = tokens();
    const common = {
      view: this.#name,
      source: source.text,
      target: target.text,
      stack: choice.stack,
      layer: choice.layer === 'all' ? 'all' : choice.layer + 1,
      head: typeof choice.head === 'number' ? choice.head + 1 : choice.head,
    };
    const title = (name: string) => `${t.views[this.#name]} · ${name}`;
    const base = { name: `translucent-${this.#name}`, source: source.text, target: target.text };
    switch (this.#name) {
      case 'words':
      case 'matrix': {
        const view = this.#view!;
        const table = tableOf(view);
        const settings = { unit: view.unit, threshold: this.#least, ...(this.#name === 'matrix' ? { rows: this.#reading.scale } : {}) };
        const measure = (texts: readonly string[]) => widthsOf(texts, 100, 'serif').map((width) => width / 100);
        const scene =
          this.#name === 'words'
            ? sceneOfLines(layLines(view, { available: 960, measure }), view, { title: title(this.#describe(choice)), least: this.#least, theme: theme(), colours })
            : sceneOfMatrix(view, { title: title(this.#describe(choice)), least: this.#least, colours });
        return { ...base, scene, table, data: { ...common, settings, ...namesOf(view), weights: nested(view) } };
      }
      case 'heads': {
        const heads = this.#heads.data();
        return {
          ...base,
          scene: this.#heads.scene(title(t.stacks[choice.stack]), colours),
          table: [
            ['layer', 'head', 'role', 'query', 'key', 'weight'],
            ...heads.flatMap(({ choice: { layer, head }, role, view }) =>
              view.rows.flatMap((row, i) =>
                view.columns.flatMap((column, j) =>
                  view.masked(i, j)
                    ? []
                    : [[layer + 1, typeof head === 'number' ? head + 1 : head, role?.role ?? '', nameOf(row), nameOf(column), short(view.weights[i * view.columns.length + j]!)]],
                ),
              ),
            ),
          ],
          data: {
            view: common.view,
            source: common.source,
            target: common.target,
            stack: common.stack,
            ...(heads[0] ? namesOf(heads[0].view) : {}),
            heads: heads.map(({ choice: { layer, head }, role, view }) => ({
              layer: layer + 1,
              head: typeof head === 'number' ? head + 1 : head,
              ...(role ? { role: role.role, shares: role.shares, spread: role.spread } : {}),
              weights: nested(view),
            })),
          },
        };
      }
      case 'steps': {
        const { steps } = found.explanation;
        return {
          ...base,
          scene: this.#steps.scene(title(target.text), colours),
          table: [
            ['step', 'token', 'probability', 'entropy', 'rank', 'candidate', 'candidate probability'],
            ...target.tokens.flatMap((token, i) =>
              (steps[i]?.candidates ?? [{ piece: '', probability: '' }]).map((candidate, rank) => [
                i + 1,
                token.piece,
                token.probability ?? '',
                steps[i]?.entropy ?? '',
                rank + 1,
                candidate.piece,
                candidate.probability,
              ]),
            ),
          ],
          data: {
            ...common,
            forced: this.#forced,
            steps: target.tokens.map((token, i) => ({ piece: labelOf(token).text, id: token.id, probability: token.probability, ...steps[i] })),
          },
        };
      }
      case 'causes': {
        const causes = this.#causes.causes;
        if (!causes) return null;
        return {
          ...base,
          scene: this.#causes.scene(title(nameOf(causes.targetWords[this.#causes.row]!)), colours),
          table: [
            ['output word', 'source word left out', 'attention', 'drop in log-probability (nats)', 'Spearman of the output word'],
            ...causes.targetWords.flatMap((word, i) =>
              causes.sourceWords.map((left, j) => [nameOf(word), nameOf(left), causes.attention[i]![j]!, causes.drops[i]![j]!, causes.correlation[i] ?? '']),
            ),
          ],
          data: {
            ...common,
            sourceWords: causes.sourceWords.map(nameOf),
            targetWords: causes.targetWords.map(nameOf),
            attention: causes.attention,
            drops: causes.drops,
            spearman: causes.correlation,
          },
        };
      }
    }
  }
}

const numbered = (count: number): [string, string][] => Array.from({ length: count }, (_, i) => [String(i), String(i + 1)]);

/** Single precision holds seven digits; files say what is known. */
const short = (weight: number) => Number(weight.toPrecision(7));

function nested(view: View): (number | null)[][] {
  return view.rows.map((_, i) =>
    view.columns.map((_, j) => (view.masked(i, j) ? null : short(view.weights[i * view.columns.length + j]!))),
  );
}

const namesOf = (view: View) => ({ queries: view.rows.map(nameOf), keys: view.columns.map(nameOf) });

function tableOf(view: View): (string | number)[][] {
  return [
    ['', ...view.columns.map(nameOf)],
    ...nested(view).map((row, i) => [nameOf(view.rows[i]!), ...row.map((weight) => weight ?? '')]),
  ];
}

function shorten(sentence: string): string {
  const characters = [...sentence];
  return characters.length <= 40 ? sentence : `${characters.slice(0, 39).join('')}…`;
}
