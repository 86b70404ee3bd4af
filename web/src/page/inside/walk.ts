// The guided walk: a rail of stages, and the stage that is open. It asks the engine for a trace of the
// sentence with the layers, heads and switches chosen, and draws what the open stage shows of it.

import { isAbort } from '../../lib/protocol';
import { button, make, numbers, pieceText, toggle } from './build';
import { type Cell, Matrix, type MatrixView } from './matrix';
import { type Context, type Control, inputText, kStageParts, percent } from './stages';
import { kGroups, kStages, type StageName, text } from './texts';
import type { ScoreStatistics, Switches, Trace, TraceOptions } from './types';

export interface Engine {
  call: <T>(lane: string, method: string, ...args: unknown[]) => Promise<T>;
}

export interface Sentence {
  text: string;
  /** The translation on the page. */
  target: string;
}

const kPositions = [0, 5, 20] as const;
const kDistances = 64;
const kWidths = [8, 16, 32, 64, 128, 256, 512, 1024] as const;
const kSample = { queries: 64, keys: 32, seed: 8 } as const;
const kSwitches = ['positions', 'scaled', 'causal', 'padded'] as const;

export class Walk {
  readonly element = make('div', 'inside-walk');
  readonly #rail = make('div', 'inside-rail');
  readonly #stage = make('div', 'inside-stage');
  readonly #controls = make('div', 'inside-controls');
  readonly #formula = make('div', 'inside-formula');
  readonly #matrices = make('div', 'inside-matrices');
  readonly #extra = make('div', 'inside-extra');
  readonly #effect = make('div', 'inside-effect');
  readonly #note = make('p', 'note');
  readonly #onFailure: (error: Error) => void;
  readonly #onTrace: (trace: Trace, options: TraceOptions) => void;
  #engine: Engine | null = null;
  #sentence: Sentence | null = null;
  #name: StageName = 'pieces';
  #options: TraceOptions = {
    positions: true, scaled: true, causal: true, padded: true,
    encoderLayer: 0, encoderHead: 0, decoderLayer: 0, decoderHead: 0, step: 0,
  };
  #context: Context | null = null;
  #base: { sentence: Sentence; trace: Trace } | null = null;
  #shown: Matrix[] = [];
  /** What they show. */
  #views: readonly MatrixView[] = [];
  #asked = 0;
  #playing = 0;
  /** The last layer and heads, until the visitor chooses. */
  #untouched = true;

  constructor(events: { onFailure: (error: Error) => void; onTrace: (trace: Trace, options: TraceOptions) => void }) {
    this.#onFailure = events.onFailure;
    this.#onTrace = events.onTrace;
    this.#stage.id = 'inside-stage';
    this.#stage.setAttribute('role', 'tabpanel');
    this.#stage.tabIndex = -1;
    // A long formula scrolls, by keyboard too.
    this.#formula.setAttribute('role', 'group');
    this.#formula.tabIndex = 0;
    this.#note.setAttribute('role', 'status');
    this.#rail.setAttribute('role', 'tablist');
    this.element.append(this.#rail, this.#stage);
    this.#rail.addEventListener('keydown', (event) => this.#key(event));
    this.element.dataset.state = 'empty';
    this.#drawRail();
    this.#open('pieces');
  }

  get options(): Readonly<TraceOptions> {
    return this.#options;
  }

  start(engine: Engine): void {
    this.#engine = engine;
    this.#base = null;
    this.#untouched = true;
    if (this.#context) this.#context = { ...this.#context, products: null, statistics: null };
  }

  stop(): void {
    this.#engine = null;
    this.#sentence = null;
    this.#asked++;
    this.#pause();
  }

  follow(sentence: Sentence | null): void {
    if (sentence && this.#sentence && sentence.text === this.#sentence.text && sentence.target === this.#sentence.target) return;
    this.#sentence = sentence;
    this.#pause();
    this.#options.step = 0;
    void this.#trace();
  }

  /** The language changed. */
  redraw(): void {
    this.#drawRail();
    this.#open(this.#name);
  }

  #change(change: Partial<TraceOptions>): void {
    this.#untouched &&= !('encoderLayer' in change || 'decoderLayer' in change);
    Object.assign(this.#options, change);
    void this.#trace();
  }

  async #trace(): Promise<void> {
    const engine = this.#engine;
    const sentence = this.#sentence;
    const asked = ++this.#asked;
    if (!sentence || !engine) {
      this.#context = null;
      this.element.dataset.state = 'empty';
      this.#draw();
      return;
    }
    this.element.dataset.state = 'working';
    const ask = (options: TraceOptions) =>
      engine.call<Trace>('inside-trace', 'trace', sentence.text, sentence.target, { ...options });
    try {
      const options = { ...this.#options };
      const plain = kSwitches.every((name) => options[name]);
      // What changes with the switches is compared with the model as it was trained.
      if (!plain && this.#base?.sentence !== sentence) {
        const all = { ...options, positions: true, scaled: true, causal: true, padded: true };
        const trace = await ask(all);
        if (asked !== this.#asked) return;
        this.#base = { sentence, trace };
      }
      const trace = await ask(options);
      if (asked !== this.#asked) return;
      if (plain) this.#base = { sentence, trace };
      this.#context = {
        trace,
        base: this.#base!.trace,
        options,
        products: this.#context?.products ?? null,
        statistics: this.#context?.statistics ?? null,
      };
      this.element.dataset.state = 'done';
      this.#note.textContent = '';
      if (this.#untouched && trace.decoderLayers > 1 && options.decoderLayer !== trace.decoderLayers - 1) {
        // The last decoder layer is the one whose cross-attention aligns.
        this.#options.decoderLayer = trace.decoderLayers - 1;
        await this.#trace();
        return;
      }
      this.#drawControls();
      this.#draw();
      this.#onTrace(trace, options);
      await this.#complete();
    } catch (error) {
      if (asked !== this.#asked || isAbort(error)) return;
      this.#context = null;
      this.element.dataset.state = 'failed';
      this.#draw();
      this.#note.textContent = text().failed((error as Error).message);
      this.#onFailure(error as Error);
    }
  }

  /** What a stage needs besides the trace, computed when it is first opened. */
  async #complete(): Promise<void> {
    const engine = this.#engine;
    const context = this.#context;
    if (!engine || !context) return;
    if (this.#name === 'position' && !context.products) {
      const values = await engine.call<Float32Array>('inside-positions', 'positionProducts', context.trace.dModel, [...kPositions], kDistances);
      if (this.#context) this.#context.products = { positions: kPositions, distances: kDistances, values };
    } else if (this.#name === 'scaled' && !context.statistics) {
      const samples: ScoreStatistics[] = [];
      for (const width of kWidths) {
        samples.push(await engine.call<ScoreStatistics>('inside-statistics', 'sampleScores', width, kSample.queries, kSample.keys, kSample.seed));
      }
      if (this.#context) this.#context.statistics = { widths: kWidths, samples, ...kSample };
    } else {
      return;
    }
    this.#drawExtra();
  }

  #drawRail(): void {
    this.#rail.setAttribute('aria-label', text().stages);
    // Beside the stage the rail runs downwards, above it sideways; its keys are both.
    const tabs: Node[] = [];
    kStages.forEach((name, i) => {
      const group = kGroups.find(({ first }) => first === name);
      if (group) {
        const label = make('span', 'inside-group', text().groups[group.name]);
        label.setAttribute('role', 'presentation');
        tabs.push(label);
      }
      const tab = button('', 'inside-tab', () => this.#open(name));
      tab.id = `inside-tab-${name}`;
      tab.append(make('span', 'inside-number', String(i + 1)), make('span', '', text().stage[name].title));
      tab.setAttribute('role', 'tab');
      tab.setAttribute('aria-controls', 'inside-stage');
      tabs.push(tab);
    });
    this.#rail.replaceChildren(...tabs);
  }

  #key(event: KeyboardEvent): void {
    const index = kStages.indexOf(this.#name);
    const last = kStages.length - 1;
    const to: Record<string, number> = {
      ArrowDown: index + 1, ArrowRight: index + 1, ArrowUp: index - 1, ArrowLeft: index - 1, Home: 0, End: last,
    };
    const next = to[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.#open(kStages[Math.max(0, Math.min(last, next))]!);
    document.getElementById(`inside-tab-${this.#name}`)?.focus();
  }

  #open(name: StageName): void {
    const moved = name !== this.#name;
    if (moved) this.#pause();
    this.#name = name;
    const index = kStages.indexOf(name);
    for (const tab of this.#rail.querySelectorAll<HTMLElement>('.inside-tab')) {
      const own = tab.id === `inside-tab-${name}`;
      tab.setAttribute('aria-selected', String(own));
      tab.tabIndex = own ? 0 : -1;
      // Only the rail scrolls, not the page.
      if (own && moved) {
        this.#rail.scrollTo({
          left: tab.offsetLeft - this.#rail.clientWidth / 2 + tab.offsetWidth / 2,
          top: tab.offsetTop - this.#rail.clientHeight / 2,
        });
      }
    }
    const { title, about } = text().stage[name];
    for (const part of [this.#stage, this.#formula]) part.setAttribute('aria-labelledby', `inside-tab-${name}`);
    const previous = button(text().previous, 'inside-step', () => this.#open(kStages[index - 1]!));
    const next = button(text().next, 'inside-step', () => this.#open(kStages[index + 1]!));
    previous.dataset.go = 'previous';
    next.dataset.go = 'next';
    previous.disabled = index === 0;
    next.disabled = index === kStages.length - 1;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.go;
    this.#shown = [];
    this.#stage.dataset.stage = name;
    this.#stage.replaceChildren(
      make('div', 'inside-stage-head', make('h3', '', title), make('span', 'inside-count', text().stageOf(index + 1, kStages.length))),
      make('p', 'about', about),
      this.#controls,
      this.#formula,
      this.#effect,
      this.#matrices,
      this.#extra,
      this.#note,
      make('div', 'inside-steps', previous, next),
    );
    if (focused) (focused === 'next' ? (next.disabled ? previous : next) : previous.disabled ? next : previous).focus({ preventScroll: true });
    this.#matrices.replaceChildren();
    this.#drawControls();
    this.#draw();
    void this.#complete().catch((error: unknown) => {
      if (!isAbort(error)) this.#onFailure(error as Error);
    });
  }

  #drawControls(): void {
    const context = this.#context;
    // A control that has the focus stays: only others are made anew.
    const focused = document.activeElement;
    if (focused && this.#controls.contains(focused) && this.#controls.dataset.stage === this.#name) return;
    this.#controls.dataset.stage = this.#name;
    this.#controls.replaceChildren(
      ...(context ? kStageParts[this.#name].controls.map((control) => this.#control(control, context)) : []),
    );
  }

  #control(control: Control, { trace }: Context): HTMLElement {
    const options = this.#options;
    switch (control) {
      case 'encoderLayer':
      case 'decoderLayer':
      case 'encoderHead':
      case 'decoderHead': {
        const layer = control.endsWith('Layer');
        const count = trace[`${control}s` as 'encoderLayers' | 'decoderLayers' | 'encoderHeads' | 'decoderHeads'];
        return numbers(layer ? text().layer : text().head, `inside-${control}`, count, options[control], (index) =>
          this.#change({ [control]: index }),
        );
      }
      case 'step':
        return this.#stepControl(trace);
      default:
        return toggle(text().switches[control], `inside-${control}`, options[control], (on) => this.#change({ [control]: on } as Partial<Switches>));
    }
  }

  #stepControl(trace: Trace): HTMLElement {
    const { steps } = trace;
    const range = make('input', 'inside-range');
    range.type = 'range';
    range.name = 'inside-step';
    range.min = '0';
    range.max = String(steps.length - 1);
    range.value = String(this.#options.step);
    const shown = make('span', 'inside-id');
    const say = () => {
      const index = Number(range.value);
      shown.textContent = `${text().stageOf(index + 1, steps.length)} · ${text().reads} ${inputText(trace, index)}`;
      range.setAttribute('aria-valuetext', shown.textContent);
    };
    range.addEventListener('input', () => {
      this.#pause();
      say();
      this.#goTo(Number(range.value));
    });
    range.addEventListener('change', say);
    say();
    const label = make('label', 'choose', make('span', 'choose-label', text().step), range, shown);
    const play = button(this.#playing ? text().pause : text().play, 'inside-play', () => {
      if (this.#playing) this.#pause();
      else this.#play(steps.length);
      play.textContent = this.#playing ? text().pause : text().play;
    });
    return make('div', 'inside-stepper', label, play);
  }

  #goTo(step: number): void {
    this.#options.step = step;
    const context = this.#context;
    if (!context) return;
    // The trace holds every step; only the logits are those of one of them.
    if (this.#name === 'logits') {
      void this.#trace();
      return;
    }
    context.options = { ...context.options, step };
    this.#draw();
  }

  #play(steps: number): void {
    if (this.#options.step >= steps - 1) this.#goTo(0);
    this.#playing = window.setInterval(() => {
      const range = this.#controls.querySelector<HTMLInputElement>('.inside-range');
      if (!range || this.#options.step >= steps - 1) {
        this.#pause();
        return;
      }
      range.value = String(this.#options.step + 1);
      range.dispatchEvent(new Event('change')); // its label
      this.#goTo(this.#options.step + 1);
    }, 800);
  }

  #pause(): void {
    clearInterval(this.#playing);
    this.#playing = 0;
    const play = this.#controls.querySelector('.inside-play');
    if (play) play.textContent = text().play;
  }

  #draw(): void {
    const context = this.#context;
    if (!context) {
      this.#formula.replaceChildren();
      this.#matrices.replaceChildren();
      this.#extra.replaceChildren();
      this.#effect.replaceChildren();
      this.#shown = [];
      this.#note.textContent = text().empty;
      return;
    }
    const views = (this.#views = kStageParts[this.#name].matrices(context));
    if (this.#shown.length !== views.length) {
      this.#shown = views.map((_, i) => new Matrix((cell) => this.#pointed(i, cell)));
      this.#matrices.replaceChildren(...this.#shown.map(({ element }) => element));
    }
    this.#matrices.classList.toggle('small', views.every(({ cols }) => cols !== null));
    views.forEach((view, i) => this.#shown[i]!.show(view));
    this.#drawFormula(this.#shown[0]?.cell ?? { row: 1, col: 1 });
    this.#drawEffect();
    this.#drawExtra();
  }

  #pointed(index: number, cell: Cell): void {
    // The stage may have changed since the pointer was there.
    const data = this.#shown[index] && this.#views[index]?.data;
    if (!data) return;
    // Matrices of one stage that have the same shape are about the same places.
    this.#shown.forEach((matrix, i) => {
      const other = this.#views[i]!.data;
      if (i !== index && other.rows === data.rows && other.cols === data.cols) matrix.point(cell);
    });
    this.#drawFormula(this.#shown[0]!.cell);
  }

  #drawFormula(cell: Cell): void {
    const context = this.#context;
    if (context) this.#formula.replaceChildren(...kStageParts[this.#name].formula(context, cell));
  }

  #drawExtra(): void {
    const context = this.#context;
    const { extra } = kStageParts[this.#name];
    this.#extra.replaceChildren(...((context && extra?.(context)) ?? []));
  }

  /** What the switches do to the translation, where this stage has a switch or one is off. */
  #drawEffect(): void {
    const context = this.#context;
    const own = kStageParts[this.#name].controls.some((control) => (kSwitches as readonly string[]).includes(control));
    const off = kSwitches.filter((name) => !this.#options[name]);
    this.#effect.classList.toggle('off', off.length > 0);
    if (!context || (!own && off.length === 0)) {
      this.#effect.replaceChildren();
      return;
    }
    if (off.length === 0) {
      this.#effect.replaceChildren(make('p', 'about', text().unchanged));
      return;
    }
    const words = make('ol', 'inside-words');
    context.trace.steps.forEach((step, i) => {
      const before = context.base.steps[i];
      if (!before) return;
      const bar = (kind: string, probability: number) => {
        const made = make('span', `inside-bar ${kind}`);
        made.style.inlineSize = `${Math.max(0.5, 100 * probability)}%`;
        return make('span', 'inside-bar-room', made);
      };
      words.append(
        make(
          'li',
          '',
          make('span', 'inside-piece', pieceText(step.chosen.piece)),
          make('span', 'inside-bars', bar('before', before.chosen.probability), bar('now', step.chosen.probability)),
          make('span', 'inside-id', `${percent(before.chosen.probability)} → ${percent(step.chosen.probability)}`),
        ),
      );
    });
    this.#effect.replaceChildren(
      make('h4', '', text().effect),
      make('p', 'about', `${off.map((name) => `${text().switches[name]}: ✗`).join(', ')}. ${text().effectAbout}`),
      words,
      ...(this.#options.causal ? [] : [make('p', 'about inside-leak', text().leak)]),
      make('p', 'inside-rewritten', text().writes(context.trace.rewritten)),
    );
  }
}
