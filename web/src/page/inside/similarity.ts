// Seven ways to compare the same queries and keys: their weights side by side, and what each costs.

import { button, columnHead, formatCount, formatTime, make, pieceText } from './build';
import { Matrix } from './matrix';
import { legend, plot, type Series } from './plot';
import { Question } from './question';
import { text } from './texts';
import type { Measurement, Similarities, SimilarityName } from './types';
import type { Engine } from './walk';

const kNames: readonly SimilarityName[] = ['dot', 'scaled', 'cosine', 'additive', 'concat', 'mlp', 'naive'];
/** The naive way is the dot product on wider vectors: as a function of the width it is no other. */
const kMeasured = kNames.filter((name) => name !== 'naive');
const kWidths = [8, 16, 32, 64, 128, 256, 512, 1024] as const;
const kTokens = 16;
const kMilliseconds = 12;

export class SimilarityPanel {
  readonly element = make('section', 'inside-panel');
  readonly #about = make('p', 'about');
  readonly #grid = make('div', 'inside-grid');
  readonly #cost = make('div', 'inside-results');
  readonly #note = make('p', 'note');
  readonly #measure = button('', 'inside-press', () => void this.measure());
  #engine: Engine | null = null;
  #wanted: { text: string; layer: number; head: number } | null = null;
  #similarities: Similarities | null = null;
  #times = new Map<SimilarityName, [number, Measurement][]>();
  readonly #question = new Question(this.#note, (state) => (this.element.dataset.state = state));
  readonly #measurement = new Question(this.#note, (state) => (this.#measure.disabled = state === 'working'));
  #seen = false;

  constructor() {
    this.element.id = 'inside-similarity';
    this.#note.setAttribute('role', 'status');
    new IntersectionObserver((entries) => {
      this.#seen = entries.at(-1)!.isIntersecting;
      if (this.#seen) void this.#compare();
    }, { rootMargin: '200px' }).observe(this.element);
    this.redraw();
  }

  start(engine: Engine): void {
    this.#engine = engine;
  }

  stop(): void {
    this.#engine = null;
    this.#wanted = null;
    this.#question.drop();
    this.#measurement.drop();
    this.#measure.disabled = false;
  }

  /** Compares the queries and keys of this encoder head. */
  follow(sentence: string, layer: number, head: number): void {
    const wanted = this.#wanted;
    if (wanted && wanted.text === sentence && wanted.layer === layer && wanted.head === head) return;
    this.#wanted = { text: sentence, layer, head };
    this.#similarities = null;
    if (this.#seen) void this.#compare();
  }

  redraw(): void {
    this.#measure.textContent = text().measure;
    this.element.replaceChildren(make('h3', '', text().similarityTitle), this.#about, this.#note, this.#grid, this.#cost);
    this.#draw();
  }

  async #compare(): Promise<void> {
    const wanted = this.#wanted;
    const engine = this.#engine;
    if (!wanted || !engine || this.#similarities) return;
    await this.#question.put(
      () => engine.call<Similarities>('inside-similarity', 'compareSimilarities', wanted.text, wanted.layer, wanted.head),
      (found) => {
        this.#similarities = found;
        this.#draw();
      },
    );
  }

  /** Times each way for every width, a few milliseconds at a time: other work goes in between. */
  async measure(): Promise<void> {
    const engine = this.#engine;
    if (!engine) return;
    await this.#measurement.put(
      async (current) => {
        const times = new Map<SimilarityName, [number, Measurement][]>(kMeasured.map((name) => [name, []]));
        const jobs = kWidths.flatMap((width) => kMeasured.map((name) => ({ width, name })));
        for (const [i, { width, name }] of jobs.entries()) {
          const found = await engine.call<Measurement>('inside-measure', 'measureSimilarity', name, width, kTokens, kMilliseconds);
          if (!current()) break;
          times.get(name)!.push([width, found]);
          this.#note.textContent = text().measuring(i + 1, jobs.length);
        }
        return times;
      },
      (times) => {
        this.#times = times;
        this.#drawCost();
      },
    );
  }

  #draw(): void {
    const found = this.#similarities;
    if (!found) return;
    this.#about.textContent = text().similarityAbout(found.seed);
    const names = found.tokens.map(({ piece }) => pieceText(piece));
    const cards = found.entries.map(({ name, weights }) => {
      const matrix = new Matrix();
      const card = make(
        'div',
        name === 'scaled' ? 'inside-card own' : 'inside-card',
        make('h4', '', text().similarity[name].name),
        make('p', 'about', text().similarity[name].about),
        matrix.element,
      );
      card.dataset.similarity = name;
      return { card, show: () => matrix.show({ data: weights, title: text().matrix.weights!, rows: names, cols: names, signed: false, limit: 1 }) };
    });
    this.#grid.replaceChildren(...cards.map(({ card }) => card));
    for (const { show } of cards) show();
    this.#drawCost();
  }

  #drawCost(): void {
    const found = this.#similarities;
    if (!found) return;
    const head = make('tr');
    for (const title of ['', text().operations, text().evaluations]) {
      const cell = columnHead(title);
      head.append(cell);
    }
    const measured = [...this.#times.values()].some((list) => list.length > 0);
    if (measured) {
      for (const width of [kWidths[0], kWidths.at(-1)!]) {
        const cell = columnHead(`${text().time}, dₖ ${width}`);
        head.append(cell);
      }
    }
    const body = make('tbody');
    for (const { name, multiplyAdds, evaluations } of found.entries) {
      const title = make('th', '', text().similarity[name].name);
      title.scope = 'row';
      const row = make('tr', '', title, make('td', '', formatCount(multiplyAdds)), make('td', '', formatCount(evaluations)));
      const times = this.#times.get(name) ?? [];
      if (measured) {
        row.append(
          make('td', '', times.length ? formatTime(times[0]![1].milliseconds) : '–'),
          make('td', '', times.length ? formatTime(times.at(-1)![1].milliseconds) : '–'),
        );
      }
      body.append(row);
    }
    const box = make('div', 'inside-scroll', make('table', 'inside-table', make('thead', '', head), body));
    box.tabIndex = 0;
    box.setAttribute('role', 'group');
    box.setAttribute('aria-label', text().cost);
    const table = [make('p', 'about', `${text().perSentence(found.tokens.length)}, dₖ = ${found.dK}`), box, this.#measure];
    const columns = [make('div', 'inside-column', ...table)];
    if (measured) {
      const series: Series[] = kMeasured.map((name, i) => ({
        name: text().similarity[name].name,
        tone: i,
        dashed: name === 'concat',
        points: (this.#times.get(name) ?? []).map(([width, { milliseconds }]) => [width, milliseconds] as const),
      }));
      const chart = plot({
        name: text().measuredHere(kTokens),
        x: { label: text().width, log: true, format: String, ticks: kWidths },
        y: { label: text().time, log: true, format: formatTime },
        series,
      });
      columns.push(make('div', 'inside-column', make('p', 'about', text().measuredHere(kTokens)), chart, legend(series)));
    }
    this.#cost.replaceChildren(make('h4', '', text().cost), make('div', 'inside-columns', ...columns));
  }
}
