// <translucent-translate>: a text and its translation, side by side.
// <translucent-attention>: draws an Explanation as a table of weights.
//
// Plain custom elements: attributes and properties in, events out. Their looks follow the CSS custom
// properties named in kStyle; their texts the language of the page (English, German, Chinese).

import type { Explanation, Token } from './engine';
import { Translator } from './translator';

const kTexts = {
  en: {
    text: 'Text',
    translation: 'Translation',
    loading: 'Loading the model',
    failed: 'This did not work:',
    stack: 'Attention',
    layer: 'Layer',
    head: 'Head',
    mean: 'mean',
    cross: 'from translation to text',
    encoder: 'within the text',
    decoder: 'within the translation',
    end: 'end',
    word: 'word',
    start: 'start',
    table: 'Weights: a row for each word that looks, a column for each it looks at',
  },
  de: {
    text: 'Text',
    translation: 'Übersetzung',
    loading: 'Das Modell wird geladen',
    failed: 'Das ging nicht:',
    stack: 'Aufmerksamkeit',
    layer: 'Schicht',
    head: 'Kopf',
    mean: 'Mittel',
    cross: 'von der Übersetzung zum Text',
    encoder: 'innerhalb des Textes',
    decoder: 'innerhalb der Übersetzung',
    end: 'Ende',
    word: 'Wort',
    start: 'Anfang',
    table: 'Gewichte: eine Zeile je Wort, das hinsieht, eine Spalte je Wort, auf das es sieht',
  },
  zh: {
    text: '原文',
    translation: '译文',
    loading: '正在加载模型',
    failed: '出错了：',
    stack: '注意力',
    layer: '层',
    head: '头',
    mean: '平均',
    cross: '译文看原文',
    encoder: '原文内部',
    decoder: '译文内部',
    end: '结束',
    word: '词',
    start: '开始',
    table: '权重：每行是观察的词，每列是被观察的词',
  },
};
type Texts = (typeof kTexts)['en'];

function textsFor(element: Element): Texts {
  const lang = element.closest('[lang]')?.getAttribute('lang') || navigator.language;
  return kTexts[lang.slice(0, 2).toLowerCase() as keyof typeof kTexts] ?? kTexts.en;
}

/** The custom properties a page may set, and what they are otherwise. */
const kStyle = `
:host {
  --font: var(--translucent-font, system-ui, sans-serif);
  --text: var(--translucent-text, light-dark(#1b1b1f, #e6e4ea));
  --faint: var(--translucent-faint, light-dark(#5f5c68, #aaa6b4));
  --background: var(--translucent-background, light-dark(#ffffff, #1b1b1f));
  --border: var(--translucent-border, light-dark(#8a8792, #77737f));
  --accent: var(--translucent-accent, light-dark(#31518f, #9db7f0));
  --radius: var(--translucent-radius, 6px);
  --gap: var(--translucent-gap, 0.75rem);
  display: block;
  color: var(--text);
  font-family: var(--font);
}
:host([hidden]) { display: none; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
label, .label { color: var(--faint); font-size: 0.875em; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(16rem, 100%), 1fr)); gap: var(--gap); }
.side { display: flex; flex-direction: column; gap: 0.25rem; }
textarea, output {
  box-sizing: border-box; min-height: 7em; padding: 0.6em; margin: 0; flex: 1;
  font: inherit; line-height: 1.5; color: inherit; background: var(--background);
  border: 1px solid var(--border); border-radius: var(--radius);
}
textarea { resize: vertical; }
output { display: block; white-space: pre-wrap; overflow-wrap: anywhere; }
[role=status] { min-height: 1.5em; margin: 0.25rem 0 0; color: var(--faint); font-size: 0.875em; }
.controls { display: flex; flex-wrap: wrap; gap: var(--gap); margin-bottom: 0.5rem; }
select { font: inherit; padding: 0.2em 0.3em; color: var(--text); background: var(--background); border: 1px solid var(--border); border-radius: var(--radius); }
.scroll { box-sizing: border-box; width: fit-content; max-width: 100%; overflow: auto; padding: 0.5rem; background: var(--background); border: 1px solid var(--border); border-radius: var(--radius); }
.scroll:empty, .controls:has(+ .scroll:empty) { display: none; }
table { border-collapse: collapse; font-size: 0.875em; }
th { font-weight: normal; padding: 0.15em 0.4em; text-align: end; white-space: nowrap; }
th[scope=row] { position: sticky; inset-inline-start: -0.5rem; background: var(--background); }
thead th { writing-mode: vertical-rl; vertical-align: bottom; padding: 0.4em 0.15em; }
.unseen { position: absolute; clip-path: inset(50%); }
td { min-width: 1.75em; height: 1.75em; padding: 0; border: 1px solid var(--background); background: color-mix(in srgb, var(--accent) calc(var(--weight) * 100%), var(--background)); }
`;

let sheet: CSSStyleSheet | undefined;

/** The shadow tree of an element; a style sheet made by script is within every page's policy. */
function shadowOf(element: HTMLElement): ShadowRoot {
  const root = element.attachShadow({ mode: 'open', delegatesFocus: true });
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(kStyle);
  }
  root.adoptedStyleSheets = [sheet];
  return root;
}

function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

// Where there is no DOM (a server that renders pages) the module can still be imported.
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/**
 * Attributes: `source` and `target`, BCP 47. Properties: `value`, the text; `translation`. Event:
 * `translated`, when a translation is complete, with `detail` {text, translation}. The model is loaded
 * with the first text.
 */
export class TranslucentTranslate extends Base {
  static readonly observedAttributes = ['source', 'target'];
  readonly #input = make('textarea', { id: 'text', dir: 'auto', rows: 4 });
  readonly #output = make('output', { dir: 'auto' });
  readonly #status = make('p');
  readonly #labels = [make('label', { htmlFor: 'text' }), make('span', { className: 'label', id: 'translation' })] as const;
  #translator: Promise<Translator> | null = null;
  #running: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.#output.setAttribute('aria-labelledby', 'translation');
    this.#output.setAttribute('aria-live', 'polite');
    this.#status.setAttribute('role', 'status');
    const [text, translation] = this.#labels;
    shadowOf(this).append(
      make(
        'div',
        { className: 'pair' },
        make('div', { className: 'side' }, text, this.#input),
        make('div', { className: 'side' }, translation, this.#output),
      ),
      this.#status,
    );
    this.#input.addEventListener('input', () => this.#changed(200));
  }

  connectedCallback(): void {
    this.#label();
    if (this.value !== '') this.#changed(0);
  }

  disconnectedCallback(): void {
    this.#running?.abort();
    this.#release();
  }

  attributeChangedCallback(): void {
    this.#release();
    this.#label();
    if (this.isConnected && this.value !== '') this.#changed(0);
  }

  get value(): string {
    return this.#input.value;
  }

  set value(text: string) {
    this.#input.value = text;
    if (this.isConnected) this.#changed(0);
  }

  get translation(): string {
    return this.#output.value;
  }

  #label(): void {
    const texts = textsFor(this);
    const names = ['source', 'target'].map((name) => this.getAttribute(name) ?? '');
    const [input, output] = names.map((tag) => {
      try {
        const lang = this.closest('[lang]')?.getAttribute('lang') || navigator.language;
        return tag && new Intl.DisplayNames(lang, { type: 'language' }).of(tag);
      } catch {
        return tag;
      }
    });
    this.#labels[0].textContent = input ? `${texts.text} (${input})` : texts.text;
    this.#labels[1].textContent = output ? `${texts.translation} (${output})` : texts.translation;
    this.#input.lang = names[0]!;
    this.#output.lang = names[1]!;
  }

  #release(): void {
    void this.#translator?.then(
      (translator) => translator.destroy(),
      () => {},
    );
    this.#translator = null;
  }

  #changed(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#translate(), delay);
  }

  async #translate(): Promise<void> {
    this.#running?.abort();
    const { signal } = (this.#running = new AbortController());
    const text = this.value;
    try {
      this.#translator ??= this.#create();
      const translator = await this.#translator;
      signal.throwIfAborted();
      const translation = await translator.translate(text, { signal });
      this.#output.value = translation;
      this.#status.textContent = '';
      this.dispatchEvent(new CustomEvent('translated', { detail: { text, translation } }));
    } catch (error) {
      if (signal.aborted) return;
      this.#status.textContent = `${textsFor(this).failed} ${(error as Error).message}`;
    }
  }

  #create(): Promise<Translator> {
    const texts = textsFor(this);
    const creating = Translator.create({
      sourceLanguage: this.getAttribute('source') ?? '',
      targetLanguage: this.getAttribute('target') ?? '',
      monitor: (monitor) => {
        monitor.ondownloadprogress = ({ loaded }) => {
          this.#status.textContent = loaded < 1 ? `${texts.loading}: ${Math.floor(loaded * 100)} %` : '';
        };
      },
    });
    creating.catch(() => {
      if (this.#translator === creating) this.#translator = null; // the next text tries again
    });
    return creating;
  }
}

type Stack = 'cross' | 'encoder' | 'decoder';

/**
 * Property: `explanation`, what Translator.explain() gives. Attributes: `stack` (cross, encoder or
 * decoder), `layer` (from 0), `head` (from 0, or "mean"). Arrow keys walk through the weights; the one
 * at the cursor is read out.
 */
export class TranslucentAttention extends Base {
  static readonly observedAttributes = ['stack', 'layer', 'head'];
  readonly #choices = { stack: make('select'), layer: make('select'), head: make('select') };
  readonly #scroll = make('div', { className: 'scroll' });
  readonly #readout = make('p');
  #explanation: Explanation | null = null;
  #cells: HTMLTableCellElement[][] = [];

  constructor() {
    super();
    this.#readout.setAttribute('role', 'status');
    for (const [name, select] of Object.entries(this.#choices)) {
      select.addEventListener('change', () => this.setAttribute(name, select.value));
    }
    shadowOf(this).append(make('div', { className: 'controls' }), this.#scroll, this.#readout);
  }

  connectedCallback(): void {
    const texts = textsFor(this);
    const controls = this.shadowRoot!.querySelector('.controls')!;
    controls.replaceChildren(
      ...(['stack', 'layer', 'head'] as const).map((name) => make('label', {}, `${texts[name]} `, this.#choices[name])),
    );
    this.#draw();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#draw();
  }

  get explanation(): Explanation | null {
    return this.#explanation;
  }

  set explanation(explanation: Explanation | null) {
    this.#explanation = explanation;
    if (this.isConnected) this.#draw();
  }

  #draw(): void {
    this.#cells = [];
    this.#readout.textContent = '';
    const explanation = this.#explanation;
    if (!explanation) {
      this.#scroll.replaceChildren();
      return;
    }
    const texts = textsFor(this);
    const asked = this.getAttribute('stack');
    const stack: Stack = asked === 'encoder' || asked === 'decoder' ? asked : 'cross';
    const { shape, weights } = explanation[stack];
    const [layers, heads, queries, keys] = shape;
    const within = (name: string, count: number, otherwise: number) => {
      const value = Number(this.getAttribute(name) ?? NaN);
      return Number.isInteger(value) && value >= 0 && value < count ? value : otherwise;
    };
    const layer = within('layer', layers, layers - 1);
    const head = within('head', heads, -1);
    const option = (value: string | number, text: string | number, selected: boolean) =>
      make('option', { value: String(value), textContent: String(text), selected });
    this.#choices.stack.replaceChildren(
      ...(['cross', 'encoder', 'decoder'] as const).map((name) => option(name, texts[name], name === stack)),
    );
    this.#choices.layer.replaceChildren(
      ...Array.from({ length: layers }, (_, i) => option(i, i + 1, i === layer)),
    );
    this.#choices.head.replaceChildren(
      option('mean', texts.mean, head < 0),
      ...Array.from({ length: heads }, (_, i) => option(i, i + 1, i === head)),
    );

    const weight = (query: number, key: number) => {
      const at = (h: number) => weights[((layer * heads + h) * queries + query) * keys + key]!;
      if (head >= 0) return at(head);
      let sum = 0;
      for (let h = 0; h < heads; h++) sum += at(h);
      return sum / heads;
    };
    const named = ({ tokens }: { tokens: Token[] }) =>
      tokens.map(({ piece }) => (piece === '</s>' ? texts.end : piece.replace(/^▁/, '') || '▁'));
    const source = named(explanation.source);
    const target = named(explanation.target);
    const rows = stack === 'encoder' ? source : target;
    // What a step of the decoder reads is the token before it.
    const columns = stack === 'decoder' ? [texts.start, ...target.slice(0, -1)] : source;

    const table = make('table');
    table.setAttribute('role', 'grid');
    table.setAttribute('aria-label', texts.table);
    const header = table.createTHead().insertRow();
    header.append(
      make('th', { scope: 'col' }, make('span', { className: 'unseen', textContent: texts.word })),
      ...columns.map((text) => make('th', { scope: 'col', textContent: text })),
    );
    const body = table.createTBody();
    this.#cells = rows.map((text, query) => {
      const row = body.insertRow();
      row.append(make('th', { scope: 'row', textContent: text }));
      return columns.map((column, key) => {
        const value = weight(query, key);
        const cell = row.insertCell();
        cell.tabIndex = -1;
        cell.style.setProperty('--weight', String(Math.sqrt(value)));
        cell.setAttribute('aria-label', value.toFixed(4));
        const read = () => {
          this.#readout.textContent = `${column} → ${text} ${value.toFixed(4)}`;
        };
        cell.addEventListener('focus', read);
        cell.addEventListener('pointerenter', read);
        cell.addEventListener('keydown', (event) => this.#move(event, query, key));
        return cell;
      });
    });
    const first = this.#cells[0]?.[0];
    if (first) first.tabIndex = 0;
    this.#scroll.replaceChildren(table);
  }

  #move(event: KeyboardEvent, query: number, key: number): void {
    const last = { row: this.#cells.length - 1, column: this.#cells[0]!.length - 1 };
    const place = {
      ArrowUp: [query - 1, key],
      ArrowDown: [query + 1, key],
      ArrowLeft: [query, key - 1],
      ArrowRight: [query, key + 1],
      Home: [event.ctrlKey ? 0 : query, 0],
      End: [event.ctrlKey ? last.row : query, last.column],
    }[event.key];
    if (!place) return;
    event.preventDefault();
    const [row, column] = [
      Math.min(Math.max(place[0]!, 0), last.row),
      Math.min(Math.max(place[1]!, 0), last.column),
    ];
    this.#cells[query]![key]!.tabIndex = -1;
    const cell = this.#cells[row]![column]!;
    cell.tabIndex = 0;
    cell.focus();
  }
}

/** Registers the elements, each under its own name unless the page has one of that name. */
export function define(registry: CustomElementRegistry = customElements): void {
  if (!registry.get('translucent-translate')) registry.define('translucent-translate', TranslucentTranslate);
  if (!registry.get('translucent-attention')) registry.define('translucent-attention', TranslucentAttention);
}
