// Two sentences side by side, with positions and without: 狗追猫 and 猫追狗, or the visitor's own.

import { button, columnHead, formatNumber, make, pieceText } from './build';
import { Matrix } from './matrix';
import { Question } from './question';
import { text } from './texts';
import type { Pair, PairOutputs } from './types';
import type { Engine } from './walk';

const kPairs: Record<string, readonly [string, string]> = {
  zh: ['狗追猫', '猫追狗'],
  en: ['the dog sees the cat', 'the cat sees the dog'],
  de: ['der Mann sieht das Kind', 'das Kind sieht der Mann'],
};

export class PairPanel {
  readonly element = make('section', 'inside-panel');
  readonly #first = make('input', 'inside-field');
  readonly #second = make('input', 'inside-field');
  readonly #results = make('div', 'inside-results');
  readonly #note = make('p', 'note');
  #engine: Engine | null = null;
  #pair: Pair | null = null;
  readonly #question = new Question(this.#note, (state) => (this.element.dataset.state = state));
  #seen = false;

  constructor() {
    this.element.id = 'inside-pair';
    this.#note.setAttribute('role', 'status');
    for (const [field, name] of [[this.#first, 'inside-first'], [this.#second, 'inside-second']] as const) {
      field.type = 'text';
      field.name = name;
      field.dir = 'auto';
      field.spellcheck = false;
      field.autocomplete = 'off';
      field.addEventListener('keydown', (event) => {
        if (event.key === 'Enter') void this.compare();
      });
    }
    // Nothing is computed before somebody comes here.
    new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      this.#seen = true;
      if (!this.#pair) void this.compare();
    }, { rootMargin: '200px' }).observe(this.element);
    this.redraw();
  }

  start(engine: Engine, language: string): void {
    this.#engine = engine;
    [this.#first.value, this.#second.value] = kPairs[language] ?? kPairs.en!;
    this.#first.lang = this.#second.lang = language;
    this.#pair = null;
    if (this.#seen) void this.compare();
  }

  stop(): void {
    this.#engine = null;
    this.#question.drop();
  }

  async compare(): Promise<void> {
    const engine = this.#engine;
    if (!engine) return;
    const [first, second] = [this.#first.value.trim(), this.#second.value.trim()];
    await this.#question.put(
      () => engine.call<Pair>('inside-pair', 'comparePair', first, second),
      (pair) => {
        this.#pair = pair;
        this.#draw();
      },
    );
  }

  redraw(): void {
    const field = (name: string, input: HTMLElement) => make('label', 'choose', make('span', 'choose-label', name), input);
    this.element.replaceChildren(
      make('h3', '', text().pairTitle),
      make('p', 'about', text().pairAbout),
      make(
        'div',
        'inside-fields',
        field(text().first, this.#first),
        field(text().second, this.#second),
        button(text().compare, 'inside-press', () => void this.compare()),
      ),
      this.#note,
      this.#results,
    );
    this.#draw();
  }

  #draw(): void {
    const pair = this.#pair;
    if (!pair) return;
    const parts: Node[] = pair.permuted ? [] : [make('p', 'about', text().notPermuted)];
    const columns = make('div', 'inside-columns');
    const matrices: [Matrix, PairOutputs][] = [];
    for (const on of [true, false]) {
      const outputs = on ? pair.withPositions : pair.withoutPositions;
      const write = (side: Pair['first']) =>
        make('li', '', make('span', 'inside-text', side.text), make('span', 'inside-arrow', '→'), make('span', 'inside-text', (on ? side.translation : side.without) || text().nothing));
      const matrix = new Matrix();
      matrices.push([matrix, outputs]);
      // The verdict rests on the engine's number: what rounding leaves is far below any difference
      // between two words.
      const same = outputs.largest < 1e-3;
      const verdict = (same ? text().samePairs : text().differentPairs)(formatNumber(outputs.largest));
      const column = make(
        'div',
        'inside-column',
        make('h4', '', on ? text().withPositions : text().withoutPositions),
        make('ul', 'inside-translations', write(pair.first), write(pair.second)),
        matrix.element,
        make('p', same ? 'inside-verdict same' : 'inside-verdict', verdict),
        this.#table(pair, outputs),
      );
      column.dataset.positions = on ? 'on' : 'off';
      column.dataset.largest = String(outputs.largest);
      columns.append(column);
    }
    parts.push(columns);
    this.#results.replaceChildren(...parts);
    const names = (side: Pair['first']) => side.tokens.map(({ piece }) => pieceText(piece));
    const limit = Math.max(pair.withPositions.differences.max, pair.withoutPositions.differences.max);
    for (const [matrix, outputs] of matrices) {
      matrix.show({
        data: outputs.differences,
        title: text().differences,
        rows: names(pair.second),
        cols: names(pair.first),
        signed: false,
        limit,
      });
    }
  }

  /** The beginning of each vector of the second sentence and of the same piece's of the first. */
  #table(pair: Pair, { first, second, differences }: PairOutputs): HTMLElement {
    const body = make('tbody');
    const beginning = ({ values, cols }: PairOutputs['first'], row: number) =>
      `(${Array.from(values.subarray(row * cols, row * cols + 2), formatNumber).join(', ')}, …)`;
    pair.same.forEach((i, j) => {
      if (i < 0) return;
      const token = pair.second.tokens[j]!;
      const head = make('th', '', pieceText(token.piece));
      head.scope = 'row';
      body.append(
        make(
          'tr',
          '',
          head,
          make('td', '', `${i + 1} → ${j + 1}`),
          make('td', '', beginning(first, i)),
          make('td', '', beginning(second, j)),
          make('td', '', formatNumber(differences.values[j * differences.cols + i]!)),
        ),
      );
    });
    const head = make('tr');
    for (const title of ['', '1 → 2', text().first, text().second, 'max |Δ|']) {
      const cell = columnHead(title);
      head.append(cell);
    }
    const table = make('table', 'inside-table', make('thead', '', head), body);
    const box = make('div', 'inside-scroll', table);
    box.tabIndex = 0;
    box.setAttribute('role', 'group');
    box.setAttribute('aria-label', text().differences);
    return box;
  }
}
