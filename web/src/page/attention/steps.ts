// "Steps": the autoregressive loop. One target token after another, how sure the model was of each, and
// what it could have chosen instead; a candidate chosen is forced and the rest written anew.

import { messages } from '../i18n';
import { theme } from '../theme';
import { colourOf, type Tokens } from './colour';
import { element } from './element';
import { nameOf } from './format';
import type { Scene, Shape } from './scene';
import { type Explained, type Label, labelOf } from './view';

const text = messages({
  en: {
    strip: 'Steps of the translation',
    step: (n: number, all: number) => `Step ${n} of ${all}`,
    probability: 'probability',
    entropy: 'entropy',
    bits: (value: string) => `${value} bits`,
    candidates: (n: number, all: number) => `Step ${n} of ${all}: the model’s ten best next tokens`,
    written: (token: string) => `written: ${token}`,
    chosen: 'chosen',
    force: (token: string) => `Write “${token}” here instead`,
    other: 'all other tokens',
    none: 'The engine gave no candidates for this sentence.',
    forced: (tokens: string) => `Forced beginning: ${tokens}`,
    undo: 'Take back',
    about:
      'The translation is written token by token. Each step reads the source and everything written so far, gives every token of the vocabulary a probability, and writes one. Entropy says how undecided it was: 0 bits is certain, 1 bit a coin toss. Choose another candidate and see what the rest becomes.',
    legend: 'bar: probability of the token written',
  },
  de: {
    strip: 'Schritte der Übersetzung',
    step: (n: number, all: number) => `Schritt ${n} von ${all}`,
    probability: 'Wahrscheinlichkeit',
    entropy: 'Entropie',
    bits: (value: string) => `${value} Bit`,
    candidates: (n: number, all: number) => `Schritt ${n} von ${all}: die zehn besten nächsten Token des Modells`,
    written: (token: string) => `geschrieben: ${token}`,
    chosen: 'gewählt',
    force: (token: string) => `Hier stattdessen „${token}“ schreiben`,
    other: 'alle anderen Token',
    none: 'Die Engine hat zu diesem Satz keine Kandidaten geliefert.',
    forced: (tokens: string) => `Erzwungener Anfang: ${tokens}`,
    undo: 'Zurücknehmen',
    about:
      'Die Übersetzung entsteht Token für Token. Jeder Schritt liest die Quelle und alles schon Geschriebene, gibt jedem Token des Vokabulars eine Wahrscheinlichkeit und schreibt eines. Die Entropie sagt, wie unentschieden er war: 0 Bit ist sicher, 1 Bit ein Münzwurf. Wählen Sie einen anderen Kandidaten und sehen Sie, was aus dem Rest wird.',
    legend: 'Balken: Wahrscheinlichkeit des geschriebenen Tokens',
  },
  zh: {
    strip: '翻译的各步',
    step: (n: number, all: number) => `第 ${n} 步，共 ${all} 步`,
    probability: '概率',
    entropy: '熵',
    bits: (value: string) => `${value} 比特`,
    candidates: (n: number, all: number) => `第 ${n} 步，共 ${all} 步：模型认为最可能的十个后续词元`,
    written: (token: string) => `写出：${token}`,
    chosen: '已选',
    force: (token: string) => `在此改写为“${token}”`,
    other: '所有其他词元',
    none: '引擎没有为这个句子给出候选词元。',
    forced: (tokens: string) => `强制的开头：${tokens}`,
    undo: '撤销',
    about:
      '译文逐个词元写成。每一步读入源句和已写出的全部内容，给词表中的每个词元一个概率，然后写出一个。熵表示它有多犹豫：0 比特是确定，1 比特如同抛硬币。选择另一个候选词元，看看其余部分会变成什么。',
    legend: '条形：所写词元的概率',
  },
});

export interface StepsEvents {
  onStep: (step: number) => void;
  /** Another token is wanted at a step. */
  onForce: (step: number, id: number) => void;
  onRelease: () => void;
}

/** A piece with the space it begins with, and quotes where it would be nothing to see. */
function written(label: Label): string {
  if (label.special) return nameOf(label);
  return label.text === '' ? '▁' : label.text;
}

export class Steps {
  readonly element = element('div', { class: 'steps' });
  readonly #about = element('p', { class: 'about' });
  readonly #strip = element('div', { class: 'strip', role: 'group' });
  readonly #forced = element('p', { class: 'forced' });
  readonly #panel = element('div', { class: 'candidates' });
  readonly #events: StepsEvents;
  #explained: Explained | null = null;
  #step = 0;

  /** `linked` shows where each step looks. */
  constructor(events: StepsEvents, linked: HTMLElement) {
    this.#events = events;
    this.element.append(this.#strip, this.#forced, linked, this.#panel, this.#about);
    this.#strip.addEventListener('click', (event) => {
      const at = (event.target as Element).closest<HTMLElement>('.step');
      if (at) events.onStep(Number(at.dataset.step));
    });
    this.#strip.addEventListener('keydown', (event) => {
      const last = this.#explained!.explanation.target.tokens.length - 1;
      const to = {
        ArrowLeft: Math.max(0, this.#step - 1),
        ArrowRight: Math.min(last, this.#step + 1),
        Home: 0,
        End: last,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      events.onStep(to);
      this.#strip.querySelector<HTMLElement>(`[data-step="${to}"]`)?.focus();
    });
    this.#panel.addEventListener('click', (event) => {
      const button = (event.target as Element).closest<HTMLElement>('.candidate');
      if (!button) return;
      this.#events.onForce(this.#step, Number(button.dataset.id));
    });
    this.#forced.addEventListener('click', (event) => {
      if ((event.target as Element).closest('button')) this.#events.onRelease();
    });
  }

  /** The first `forced` tokens were not the model's choice. */
  show(explained: Explained, forced: number): void {
    this.#explained = explained;
    const { tokens } = explained.explanation.target;
    this.#about.textContent = text().about;
    this.#strip.setAttribute('aria-label', text().strip);
    this.#strip.replaceChildren(
      ...tokens.map((token, i) => {
        const label = labelOf(token, i);
        const probability = token.probability ?? 0;
        const bits = explained.explanation.steps[i]?.entropy;
        const bar = element('span', { class: 'step-bar' });
        bar.style.setProperty('--share', String(probability));
        return element(
          'button',
          {
            type: 'button',
            class: `step${i < forced ? ' step-forced' : ''}`,
            'data-step': String(i),
            'aria-label': [
              text().step(i + 1, tokens.length),
              written(label),
              `${text().probability} ${probability.toFixed(3)}`,
              bits === undefined ? '' : `${text().entropy} ${text().bits(bits.toFixed(2))}`,
            ]
              .filter(Boolean)
              .join(', '),
          },
          bar,
          element('span', { class: `step-token${label.special ? ' special' : ''}` }, label.space && label.text !== '' && element('i', {}, '▁'), written(label)),
          element('span', { class: 'step-number' }, probability.toFixed(2)),
          element('span', { class: 'step-bits' }, bits === undefined ? '' : text().bits(bits.toFixed(1))),
        );
      }),
    );
    this.#forced.hidden = forced === 0;
    const forcedTokens = tokens.slice(0, forced).map((token) => token.piece.replaceAll('▁', ' '));
    this.#forced.replaceChildren(
      element('span', {}, text().forced(forcedTokens.join('').trim())),
      ' ',
      element('button', { type: 'button', class: 'plain' }, text().undo),
    );
    this.at(Math.min(this.#step, tokens.length - 1));
  }

  /** Marks a step and lists its candidates. */
  at(step: number): void {
    if (!this.#explained) return;
    const { target, steps } = this.#explained.explanation;
    this.#step = step;
    for (const [i, button] of [...this.#strip.children].entries()) {
      button.setAttribute('aria-pressed', String(i === step));
      button.classList.toggle('pending', i > step);
      (button as HTMLElement).tabIndex = i === step ? 0 : -1;
    }
    const marked = this.#strip.children[step] as HTMLElement | undefined;
    if (marked) {
      // Scrolls the strip, never the page.
      const { offsetLeft, offsetWidth } = marked;
      const { scrollLeft, clientWidth } = this.#strip;
      if (offsetLeft < scrollLeft) this.#strip.scrollLeft = offsetLeft - 24;
      else if (offsetLeft + offsetWidth > scrollLeft + clientWidth) this.#strip.scrollLeft = offsetLeft + offsetWidth - clientWidth + 24;
    }
    const found = steps[step];
    if (!found) {
      this.#panel.replaceChildren(element('p', { class: 'note' }, text().none));
      return;
    }
    const chosen = target.tokens[step]!;
    const rest = Math.max(0, 1 - found.candidates.reduce((sum, { probability }) => sum + probability, 0));
    this.#panel.replaceChildren(
      element('h3', {}, text().candidates(step + 1, target.tokens.length)),
      element(
        'ol',
        { class: 'candidate-list' },
        ...found.candidates.map(({ id, piece, probability }) => {
          const label = labelOf({ piece, id, begin: 0, end: 0 });
          const taken = id === chosen.id;
          const bar = element('span', { class: 'candidate-bar' });
          bar.style.setProperty('--share', String(probability));
          return element(
            'li',
            {},
            element(
              'button',
              {
                type: 'button',
                class: taken ? 'candidate candidate-taken' : 'candidate',
                'data-id': String(id),
                // An empty translation is none.
                disabled: taken || (label.special && step === 0),
                title: taken ? undefined : text().force(written(label)),
                'aria-label': `${taken ? text().written(written(label)) : text().force(written(label))}, ${probability.toFixed(4)}`,
              },
              element('span', { class: `candidate-token${label.special ? ' special' : ''}` }, label.space && label.text !== '' && element('i', {}, '▁'), written(label)),
              bar,
              element('span', { class: 'candidate-number' }, probability.toFixed(4)),
            ),
          );
        }),
      ),
      element('p', { class: 'note' }, `${text().other}: ${rest.toFixed(4)} · ${text().entropy} ${text().bits(found.entropy.toFixed(2))}`),
    );
  }

  scene(title: string, colours: Tokens): Scene {
    const { target, steps } = this.#explained!.explanation;
    const margin = 24;
    const [column, row] = [92, 18];
    const barHeight = 90;
    const most = Math.max(0, ...steps.map(({ candidates }) => candidates.length));
    const shapes: Shape[] = [];
    for (const [i, token] of target.tokens.entries()) {
      const label = labelOf(token, i);
      const x = margin + i * column;
      const probability = token.probability ?? 0;
      const height = barHeight * probability;
      const keys = [`r${i}`];
      const bits = steps[i]?.entropy;
      const tip = `${text().step(i + 1, target.tokens.length)}: ${written(label)} ${probability.toFixed(4)}${bits === undefined ? '' : `, ${text().bits(bits.toFixed(3))}`}`;
      shapes.push(
        { kind: 'rectangle', x, y: margin, width: column - 12, height: barHeight, fill: colourOf(0, theme()), radius: 3 },
        { kind: 'rectangle', x, y: margin + barHeight - height, width: column - 12, height, fill: colourOf(probability * probability, theme()), radius: 3, keys, tip },
        { kind: 'text', x, y: margin + barHeight + 24, text: written(label), size: 17, family: 'serif', italic: label.special, fill: colours.ink, keys, tip },
        { kind: 'text', x, y: margin + barHeight + 42, text: probability.toFixed(3), size: 12, fill: colours.quiet, keys },
      );
      if (bits !== undefined) {
        shapes.push({ kind: 'text', x, y: margin + barHeight + 58, text: text().bits(bits.toFixed(2)), size: 12, fill: colours.quiet, keys });
      }
      for (const [rank, candidate] of (steps[i]?.candidates ?? []).entries()) {
        const name = written(labelOf({ ...candidate, begin: 0, end: 0 }));
        shapes.push({
          kind: 'text',
          x,
          y: margin + barHeight + 86 + rank * row,
          text: `${name.length > 9 ? `${name.slice(0, 8)}…` : name} ${candidate.probability.toFixed(2).replace(/^0/, '')}`,
          size: 12,
          bold: candidate.id === token.id,
          fill: candidate.id === token.id ? colours.accent : colours.quiet,
          keys: [`r${i}`, `c${rank}`],
          tip: `${name} ${candidate.probability.toFixed(6)}`,
        });
      }
    }
    return {
      title,
      width: margin * 2 + target.tokens.length * column - 12,
      height: margin * 2 + barHeight + 66 + most * row,
      background: colours.paper,
      shapes,
    };
  }
}
