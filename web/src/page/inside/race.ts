// A recurrent encoder against self-attention: path length, and time measured on this machine.

import { button, columnHead, formatTime, make } from './build';
import { legend, plot, type Series } from './plot';
import { Question } from './question';
import { text } from './texts';
import type { RaceState } from './types';
import type { Engine } from './walk';

const kLengths = [10, 20, 50, 100, 200, 500, 1000, 2000] as const;
const kSlice = 25; // milliseconds the engine works before it listens again
const kSeed = 1706; // core/trace/race.h

interface Runner {
  racer: 'recurrent' | 'attention';
  threads: number;
  times: Map<number, RaceState>;
}

export class RacePanel {
  readonly element = make('section', 'inside-panel');
  readonly #results = make('div', 'inside-results');
  readonly #note = make('p', 'note');
  readonly #measure = button('', 'inside-press', () => void this.measure());
  #engine: Engine | null = null;
  #threads = 1;
  #width = 256;
  #heads = 8;
  #own = 0;
  #runners: Runner[] = [];
  readonly #measurement = new Question(this.#note, (state) => (this.#measure.disabled = state === 'working'));

  constructor() {
    this.element.id = 'inside-race';
    this.#note.setAttribute('role', 'status');
    this.redraw();
  }

  start(engine: Engine, threads: number): void {
    this.#engine = engine;
    this.#threads = threads;
    this.#runners = [];
    this.redraw();
  }

  stop(): void {
    this.#engine = null;
    this.#measurement.drop();
    this.#measure.disabled = false;
  }

  /** The model's width and heads, and the visitor's sentence. */
  follow(tokens: number, width: number, heads: number): void {
    if (tokens === this.#own && width === this.#width && heads === this.#heads) return;
    [this.#own, this.#width, this.#heads] = [tokens, width, heads];
    this.redraw();
  }

  redraw(): void {
    this.#measure.textContent = text().measure;
    this.element.replaceChildren(
      make('h3', '', text().raceTitle),
      make('p', 'about', text().raceAbout(this.#width, this.#heads, kSeed)),
      this.#measure,
      this.#note,
      this.#results,
    );
    this.#draw();
  }

  async measure(): Promise<void> {
    const engine = this.#engine;
    if (!engine) return;
    await this.#measurement.put(
      (current) => this.#run(engine, current),
      (runners) => {
        this.#runners = runners;
        this.#draw();
      },
    );
  }

  async #run(engine: Engine, current: () => boolean): Promise<Runner[]> {
    const runners: Runner[] = [
      { racer: 'recurrent', threads: 1, times: new Map() },
      { racer: 'attention', threads: 1, times: new Map() },
    ];
    if (this.#threads > 1) runners.push({ racer: 'attention', threads: this.#threads, times: new Map() });
    const lengths = [...new Set([...kLengths, ...(this.#own > 0 ? [this.#own] : [])])].sort((a, b) => a - b);
    let done = 0;
    for (const length of lengths) {
      for (const runner of runners) {
        await engine.call('inside-race', 'startRace', runner.racer, length, this.#width, this.#heads, runner.threads);
        let state: RaceState;
        do {
          // In slices: whatever else the page asks for is answered in between.
          state = await engine.call<RaceState>('inside-race', 'runRace', kSlice);
          if (!current()) return runners;
        } while (!state.done);
        runner.times.set(length, state);
        this.#note.textContent = text().measuring(++done, lengths.length * runners.length);
      }
    }
    return runners;
  }

  #draw(): void {
    if (this.#runners.length === 0) {
      this.#results.replaceChildren();
      return;
    }
    const title = ({ racer, threads }: Runner) => (racer === 'recurrent' ? text().recurrent : text().attention(threads));
    const of = (pick: (state: RaceState) => number, runners: readonly Runner[]): Series[] =>
      runners.map((runner, i) => ({
        name: title(runner),
        tone: i * 2,
        dashed: i === 2,
        points: [...runner.times].map(([length, state]) => [length, pick(state)] as const),
      }));
    const times = of((state) => state.milliseconds, this.#runners);
    const paths = of((state) => state.pathLength, this.#runners.slice(0, 2));
    const mark = this.#own > 0 ? { mark: { x: this.#own, label: text().yourSentence(this.#own) } } : {};
    const x = { label: text().tokens, log: true, format: String, ticks: kLengths };

    const head = make('tr');
    const lengths = [...this.#runners[0]!.times.keys()];
    for (const column of ['', ...lengths.map(String)]) {
      const cell = columnHead(column);
      head.append(cell);
    }
    const line = (name: string, cells: string[]) => {
      const first = make('th', '', name);
      first.scope = 'row';
      return make('tr', '', first, ...cells.map((cell) => make('td', '', cell)));
    };
    const [recurrent, attention] = this.#runners;
    const body = make(
      'tbody',
      '',
      ...this.#runners.map((runner) => line(title(runner), [...runner.times.values()].map(({ milliseconds }) => formatTime(milliseconds)))),
      ...[recurrent!, attention!].map((runner) =>
        line(`${text().path}: ${title(runner).split(',')[0]}`, [...runner.times.values()].map(({ pathLength }) => String(pathLength))),
      ),
      ...[recurrent!, attention!].map((runner) =>
        line(`${text().steps}: ${title(runner).split(',')[0]}`, [...runner.times.values()].map(({ sequentialSteps }) => String(sequentialSteps))),
      ),
    );
    const box = make('div', 'inside-scroll', make('table', 'inside-table', make('thead', '', head), body));
    box.tabIndex = 0;
    box.setAttribute('role', 'group');
    box.setAttribute('aria-label', text().raceTitle);
    this.#results.replaceChildren(
      make(
        'div',
        'inside-plots',
        plot({ name: text().time, x, y: { label: text().time, log: true, format: formatTime }, series: times, ...mark }),
        plot({ name: `${text().path}: ${text().pathAbout}`, x, y: { label: text().path, log: true, format: String }, series: paths, ...mark }),
      ),
      legend(times),
      make('p', 'about', text().raceResult),
      box,
    );
  }
}
