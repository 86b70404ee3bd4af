// Below the panes: which sentence, which attention, which layer and head, and its heatmap.

import type { Client } from '../lib/client';
import type { Explanation } from '../lib/engine';
import { isAbort } from '../lib/protocol';
import { colourAt, position } from './colour';
import { byId, segment } from './dom';
import { formatWeight } from './format';
import { describe, Heatmap, nameOf } from './heatmap';
import type { Cell } from './layout';
import type { Translated } from './translator-pane';
import { type Head, kStacks, sentenceAt, type Stack, type View, viewOf } from './view';

const kAbout: Record<Stack, string> = {
  encoder:
    'The encoder reads the source. Each row is one of its tokens, and shows how much of every source token goes into it. A row adds up to 1.',
  decoder:
    'The decoder writes the translation from left to right. Each row is the token it writes, and shows which of its own earlier tokens it looks back at; later ones are masked. A row adds up to 1.',
  cross:
    'Cross-attention joins the two. Each row is a token of the translation, and shows which source tokens the decoder looks at when it writes it. A row adds up to 1.',
};
const kTitles: Record<Stack, string> = { encoder: 'Encoder', decoder: 'Decoder', cross: 'Cross' };

export interface PanelEvents {
  onSentence: (index: number) => void;
  onFailure: (error: Error) => void;
}

export class AttentionPanel {
  readonly #section = byId('attention');
  readonly #about = byId('attention-about');
  readonly #note = byId('attention-note');
  readonly #explained = byId('explained');
  readonly #readout = byId('readout');
  readonly #announcer = byId('announcer');
  readonly #controls = byId<HTMLFormElement>('controls');
  readonly #choice = byId('sentence-choice');
  readonly #select = byId<HTMLSelectElement>('sentence');
  readonly #heatmap: Heatmap;
  readonly #events: PanelEvents;
  #client: Client | null = null;
  #translated: Translated | null = null;
  /** The sentence shown or under way. */
  #asked: string | null = null;
  #running: AbortController | null = null;
  #explanation: Explanation | null = null;
  #view: View | null = null;
  #stack: Stack = 'cross';
  /** null: the last one, until the visitor chooses. */
  #layer: number | null = null;
  #head: Head = 'mean';

  constructor(events: PanelEvents) {
    this.#events = events;
    this.#heatmap = new Heatmap(byId('heatmap'), {
      onCell: (cell, keyboard) => this.#read(cell, keyboard),
    });
    byId('stacks').append(
      row(kStacks.map((stack) => segment('stack', stack, kTitles[stack], stack === this.#stack))),
    );
    this.#controls.addEventListener('submit', (event) => event.preventDefault());
    this.#controls.addEventListener('change', (event) => {
      const { name, value } = event.target as HTMLInputElement;
      if (name === 'stack') this.#stack = value as Stack;
      if (name === 'layer') this.#layer = Number(value);
      if (name === 'head') this.#head = value === 'mean' ? 'mean' : Number(value);
      if (event.target === this.#select) this.#choose(Number(this.#select.value));
      else this.#draw();
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#drawLegend());
    this.#drawLegend();
    this.#about.textContent = kAbout[this.#stack];
  }

  start(client: Client): void {
    this.#client = client;
  }

  /** No model: keeps the picture, asks for no new one. */
  stop(): void {
    this.#client = null;
    this.#running?.abort();
    this.#asked = null;
  }

  /** A new translation: explains the sentence the caret is in. */
  follow(translated: Translated | null, caret: number): void {
    this.#translated = translated;
    const sentences = translated?.translation.sentences ?? [];
    this.#choice.hidden = sentences.length < 2;
    this.#select.replaceChildren(
      ...sentences.map(({ source: { begin, end } }, index) => {
        const option = document.createElement('option');
        option.value = String(index);
        option.textContent = `${index + 1}. ${shorten(translated!.source.slice(begin, end))}`;
        return option;
      }),
    );
    if (sentences.length === 0) this.#clear();
    else this.#choose(sentenceAt(sentences, caret));
  }

  /** The caret moved; while the text is changing, offsets wait for its translation. */
  moveTo(text: string, caret: number): void {
    if (text !== this.#translated?.source) return;
    const { sentences } = this.#translated.translation;
    if (sentences.length > 1) this.#choose(sentenceAt(sentences, caret));
  }

  #choose(index: number): void {
    const { source, translation } = this.#translated!;
    const sentence = translation.sentences[index]!;
    this.#select.value = String(index);
    this.#events.onSentence(index);
    void this.#explain(source.slice(sentence.source.begin, sentence.source.end));
  }

  async #explain(text: string): Promise<void> {
    if (!this.#client || text === this.#asked) return;
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#asked = text;
    this.#section.dataset.state = 'working';
    try {
      const explanation = await this.#client.explain(text, {
        signal: running.signal,
        lane: 'explain',
      });
      if (running.signal.aborted) return;
      this.#explanation = explanation;
      this.#note.textContent = '';
      this.#draw();
      this.#section.dataset.state = 'done';
    } catch (error) {
      if (running.signal.aborted || isAbort(error)) return;
      this.#clear();
      this.#note.textContent = `The attention of this sentence cannot be shown: ${(error as Error).message}`;
      this.#events.onFailure(error as Error);
    }
  }

  #clear(): void {
    this.#running?.abort();
    this.#asked = null;
    this.#explanation = null;
    this.#view = null;
    this.#explained.hidden = true;
    this.#note.textContent = 'Translate a sentence to see how the model attends.';
    this.#heatmap.clear();
    this.#section.dataset.state = 'empty';
  }

  #draw(): void {
    const explanation = this.#explanation;
    if (!explanation) return;
    // Encoder and decoder may differ in depth: the last layer stands in for one that is not there.
    const [layers, heads] = explanation[this.#stack].shape;
    const layer = Math.min(this.#layer ?? layers - 1, layers - 1);
    const head = this.#head === 'mean' ? 'mean' : Math.min(this.#head, heads - 1);
    const mean = segment('head', 'mean', 'Mean', head === 'mean');
    fill('layers', 'layer', layers, layer, []);
    fill('heads', 'head', heads, head, [mean]);
    this.#view = viewOf(explanation, this.#stack, layer, head);
    this.#about.textContent = kAbout[this.#stack];
    this.#explained.hidden = false;
    byId('explained-source').textContent = explanation.source.text;
    byId('explained-target').textContent = explanation.target.text;
    const which = head === 'mean' ? 'mean of heads' : `head ${head + 1}`;
    this.#heatmap.show(this.#view, `${kTitles[this.#stack]} attention, layer ${layer + 1}, ${which}`);
  }

  #read(cell: Cell | null, keyboard: boolean): void {
    const view = this.#view;
    if (!cell || !view) {
      const hint = document.createElement('span');
      hint.className = 'hint';
      hint.textContent = view ? 'Hover, tap or use the arrow keys to read a weight' : '';
      this.#readout.replaceChildren(hint);
      return;
    }
    const weight = view.weights[cell.row * view.columns.length + cell.column]!;
    const masked = view.masked(cell.row, cell.column);
    const from = document.createElement('span');
    from.textContent = nameOf(view.columns[cell.column]!);
    const to = document.createElement('span');
    to.textContent = nameOf(view.rows[cell.row]!);
    const value = document.createElement('data');
    value.value = String(weight);
    value.textContent = formatWeight(weight);
    this.#readout.replaceChildren(from, ' → ', to, ' ', value);
    if (masked) {
      const mark = document.createElement('span');
      mark.className = 'hint';
      mark.textContent = ' masked';
      this.#readout.append(mark);
    }
    if (keyboard) this.#announcer.textContent = describe(view, cell);
  }

  #drawLegend(): void {
    const kTicks = [0, 0.05, 0.25, 0.5, 1];
    const bar = document.createElement('canvas');
    bar.className = 'legend-bar';
    bar.width = 256;
    bar.height = 1;
    const context = bar.getContext('2d');
    for (let x = 0; context && x < 256; x++) {
      context.fillStyle = colourAt(x / 255, this.#heatmap.theme);
      context.fillRect(x, 0, 1, 1);
    }
    const ticks = document.createElement('div');
    ticks.className = 'legend-ticks';
    for (const tick of kTicks) {
      const mark = document.createElement('span');
      mark.textContent = String(tick);
      mark.style.left = `${position(tick) * 100}%`;
      ticks.append(mark);
    }
    byId('legend').replaceChildren(bar, ticks);
  }
}

function row(parts: HTMLElement[]): HTMLElement {
  const box = document.createElement('div');
  box.className = 'segments';
  box.append(...parts);
  return box;
}

/** Numbers from 1 on the screen, from 0 as values. Left alone, focus and all, while their count stays. */
function fill(id: string, name: string, count: number, chosen: Head, first: HTMLElement[]): void {
  const box = byId(id);
  if (box.querySelectorAll('input').length === count + first.length) return;
  box.querySelector('.segments')?.remove();
  const numbered = Array.from({ length: count }, (_, i) =>
    segment(name, String(i), String(i + 1), i === chosen),
  );
  box.append(row([...first, ...numbered]));
}

function shorten(text: string): string {
  const characters = [...text];
  return characters.length <= 40 ? text : `${characters.slice(0, 39).join('')}…`;
}
