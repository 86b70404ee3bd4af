// "Is it an explanation?": attention beside what really matters, for the same output word. Each source
// word is left out in turn and the model asked how much less likely the output word becomes.

import { formatWeight } from '../format';
import { messages } from '../i18n';
import { theme } from '../theme';
import { drops, spearman } from './analysis';
import { colourAt, type Tokens } from './colour';
import { element } from './element';
import { nameOf } from './format';
import type { Scene, Shape } from './scene';
import { type Explained, type Label, labelsOf, type View } from './view';

const text = messages({
  en: {
    about:
      'Attention says where the model looked, not what made the difference. So here each source word is left out in turn, and the same translation scored again: the drop in log-probability of an output word is how much it depended on the source word left out. If attention explained the choice, both would put the source words in the same order.',
    words: 'Output word',
    attention: 'Attention',
    drop: 'Drop in log-probability',
    source: 'Source word left out',
    order: (rho: string, n: number) => `Spearman’s ρ = ${rho} over ${n} source words`,
    noOrder: 'No rank correlation: it takes at least two source words with different values.',
    strong: 'Attention and leaving words out put them in nearly the same order here.',
    weak: 'Attention and leaving words out agree only in part here.',
    none: 'Attention says little here about which source words the choice depended on.',
    against: 'Here attention orders the source words the other way round.',
    few: 'With so few words even chance gives large values.',
    overall: (rho: string, n: number) => `Mean ρ over the ${n} output words that have one: ${rho}`,
    limits:
      'ρ is 1 for the same order, 0 for none, −1 for the reverse. A sentence with a word missing is also a strange sentence: part of a drop may come from that. Nats, summed over the pieces of the output word; a negative drop means that the word became more likely.',
    working: (n: number) => `Scoring the translation without each of ${n} words …`,
    failed: (why: string) => `The translation could not be scored: ${why}`,
    tooShort: 'A sentence of one word leaves nothing when it is left out.',
    rank: (n: number) => `rank ${n}`,
  },
  de: {
    about:
      'Aufmerksamkeit sagt, wohin das Modell geblickt hat, nicht, was den Ausschlag gab. Darum wird hier jedes Quellwort einmal weggelassen und dieselbe Übersetzung neu bewertet: Um so viel, wie die Log-Wahrscheinlichkeit eines Ausgabeworts fällt, hing es vom weggelassenen Wort ab. Erklärte die Aufmerksamkeit die Wahl, brächten beide die Quellwörter in dieselbe Reihenfolge.',
    words: 'Ausgabewort',
    attention: 'Aufmerksamkeit',
    drop: 'Fall der Log-Wahrscheinlichkeit',
    source: 'Weggelassenes Quellwort',
    order: (rho: string, n: number) => `Spearmans ρ = ${rho} über ${n} Quellwörter`,
    noOrder: 'Keine Rangkorrelation: Es braucht mindestens zwei Quellwörter mit verschiedenen Werten.',
    strong: 'Aufmerksamkeit und Weglassen bringen die Wörter hier in fast dieselbe Reihenfolge.',
    weak: 'Aufmerksamkeit und Weglassen stimmen hier nur teilweise überein.',
    none: 'Aufmerksamkeit sagt hier wenig darüber, von welchen Quellwörtern die Wahl abhing.',
    against: 'Hier ordnet die Aufmerksamkeit die Quellwörter umgekehrt.',
    few: 'Bei so wenigen Wörtern ergibt auch der Zufall große Werte.',
    overall: (rho: string, n: number) => `Mittleres ρ über die ${n} Ausgabewörter, die eines haben: ${rho}`,
    limits:
      'ρ ist 1 bei gleicher Reihenfolge, 0 bei keiner, −1 bei umgekehrter. Ein Satz mit einem fehlenden Wort ist auch ein seltsamer Satz: Ein Teil des Falls kann daher kommen. In Nat, summiert über die Teile des Ausgabeworts; ein negativer Fall heißt, dass das Wort wahrscheinlicher wurde.',
    working: (n: number) => `Bewertet die Übersetzung ohne jedes von ${n} Wörtern …`,
    failed: (why: string) => `Die Übersetzung konnte nicht bewertet werden: ${why}`,
    tooShort: 'Von einem Satz aus einem Wort bleibt nichts, wenn es weggelassen wird.',
    rank: (n: number) => `Rang ${n}`,
  },
  zh: {
    about:
      '注意力说明模型看了哪里，而不是什么起了作用。因此这里逐个去掉源词，再给同一译文打分：某个输出词的对数概率下降多少，就说明它在多大程度上依赖被去掉的源词。如果注意力解释了这一选择，两者给源词排出的次序应当相同。',
    words: '输出词',
    attention: '注意力',
    drop: '对数概率的下降',
    source: '被去掉的源词',
    order: (rho: string, n: number) => `${n} 个源词上的斯皮尔曼 ρ = ${rho}`,
    noOrder: '没有秩相关：至少需要两个取值不同的源词。',
    strong: '在这里，注意力与逐词去除给出的次序几乎相同。',
    weak: '在这里，注意力与逐词去除只是部分一致。',
    none: '在这里，注意力几乎不能说明这一选择依赖哪些源词。',
    against: '在这里，注意力给源词排出的次序正好相反。',
    few: '词这么少时，偶然也会得到很大的值。',
    overall: (rho: string, n: number) => `${n} 个有此值的输出词的平均 ρ：${rho}`,
    limits:
      'ρ 为 1 表示次序相同，0 表示无关，−1 表示相反。缺了一个词的句子本身也是奇怪的句子，下降的一部分可能由此而来。单位为奈特，对输出词的各子词求和；下降为负表示该词变得更可能。',
    working: (n: number) => `正在逐个去掉 ${n} 个词并给译文打分……`,
    failed: (why: string) => `无法给译文打分：${why}`,
    tooShort: '只有一个词的句子，去掉它就什么都不剩了。',
    rank: (n: number) => `第 ${n} 位`,
  },
});

/** What was found out by leaving words out: a drop per output word and source word. */
export interface Causes {
  sourceWords: Label[];
  targetWords: Label[];
  /** [target words, source words] in nats. */
  drops: number[][];
  /** Of the view's weights, the same shape. */
  attention: number[][];
  /** Of each output word; null where there is none. */
  correlation: (number | null)[];
}

/**
 * Puts scores and attention side by side. `whole` and `without` hold a probability per target token,
 * null where a word could not be left out; `view` is a cross-attention view by words, with all symbols.
 */
export function causesOf(
  { explanation, sourceWords, targetWords }: Explained,
  view: View,
  whole: ArrayLike<number>,
  without: readonly (ArrayLike<number> | null)[],
): Causes {
  const source = labelsOf(explanation.source, sourceWords, 'words');
  const target = labelsOf(explanation.target, targetWords, 'words');
  const columns = source.flatMap((_, i) => (without[i] ? [i] : []));
  const rows = target.flatMap(({ special }, i) => (special ? [] : [i]));
  const spans = rows.map((i) => targetWords[i]!);
  const perWord = columns.map((column) => drops(whole, without[column]!, spans));
  const dropped = rows.map((_, i) => perWord.map((column) => column[i]!));
  const attention = rows.map((row) => columns.map((column) => view.weights[row * view.columns.length + column]!));
  return {
    sourceWords: columns.map((i) => source[i]!),
    targetWords: rows.map((i) => target[i]!),
    drops: dropped,
    attention,
    correlation: dropped.map((values, i) => spearman(attention[i]!, values)),
  };
}

/** Below so many words a correlation is said to be shaky: with 8, chance exceeds |ρ| = 0.64 in one case of ten. */
const kFewWords = 8;

export class CausesView {
  readonly element = element('div', { class: 'causes' });
  readonly #about = element('p', { class: 'about' });
  readonly #words = element('div', { class: 'cause-words', role: 'group' });
  readonly #verdict = element('div', { class: 'verdict', 'aria-live': 'polite' });
  readonly #chart = element('div', { class: 'cause-chart', tabindex: '0', role: 'region' });
  readonly #limits = element('p', { class: 'note' });
  readonly #note = element('p', { class: 'note', role: 'status' });
  #causes: Causes | null = null;
  #row = 0;

  constructor() {
    this.element.append(this.#about, this.#note, this.#words, this.#verdict, this.#chart, this.#limits);
    this.#words.addEventListener('click', (event) => {
      const word = (event.target as Element).closest<HTMLElement>('.cause-word');
      if (!word) return;
      this.#row = Number(word.dataset.row);
      this.#draw();
    });
    this.#words.addEventListener('keydown', (event) => {
      const last = (this.#causes?.targetWords.length ?? 1) - 1;
      const to = { ArrowLeft: Math.max(0, this.#row - 1), ArrowRight: Math.min(last, this.#row + 1), Home: 0, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.#row = to;
      this.#draw();
      this.#words.querySelector<HTMLElement>(`[data-row="${to}"]`)?.focus();
    });
  }

  get causes(): Causes | null {
    return this.#causes;
  }

  get row(): number {
    return this.#row;
  }

  wait(words: number): void {
    this.#causes = null;
    this.#say(text().working(words));
  }

  fail(why: string): void {
    this.#causes = null;
    this.#say(text().failed(why));
  }

  tooShort(): void {
    this.#causes = null;
    this.#say(text().tooShort);
  }

  #say(note: string): void {
    this.#about.textContent = text().about;
    this.#note.textContent = note;
    for (const part of [this.#words, this.#verdict, this.#chart]) part.replaceChildren();
    this.#chart.hidden = true;
    this.#limits.textContent = '';
  }

  show(causes: Causes): void {
    this.#causes = causes;
    this.#about.textContent = text().about;
    this.#note.textContent = '';
    this.#limits.textContent = text().limits;
    this.#row = Math.min(this.#row, causes.targetWords.length - 1);
    this.#words.setAttribute('aria-label', text().words);
    this.#words.replaceChildren(
      ...causes.targetWords.map((label, row) => {
        const rho = causes.correlation[row] ?? null;
        return element(
          'button',
          { type: 'button', class: 'cause-word', 'data-row': String(row), 'aria-label': `${nameOf(label)}, ρ ${rho === null ? '–' : signed(rho)}` },
          element('span', { class: 'cause-text' }, nameOf(label)),
          element('span', { class: 'cause-rho' }, rho === null ? '–' : signed(rho)),
        );
      }),
    );
    this.#draw();
  }

  #draw(): void {
    const causes = this.#causes;
    if (!causes) return;
    const row = this.#row;
    for (const [i, word] of [...this.#words.children].entries()) {
      word.setAttribute('aria-pressed', String(i === row));
      (word as HTMLElement).tabIndex = i === row ? 0 : -1;
    }
    const rho = causes.correlation[row] ?? null;
    const known = causes.correlation.filter((value) => value !== null);
    const mean = known.reduce((a, b) => a + b, 0) / Math.max(1, known.length);
    this.#verdict.replaceChildren(
      element('p', { class: 'rho' }, rho === null ? text().noOrder : text().order(signed(rho), causes.sourceWords.length)),
      element('p', {}, rho === null ? '' : `${verdict(rho)}${causes.sourceWords.length < kFewWords ? ` ${text().few}` : ''}`),
      element('p', { class: 'quiet' }, known.length > 0 ? text().overall(signed(mean), known.length) : ''),
    );
    const attention = causes.attention[row]!;
    const dropped = causes.drops[row]!;
    const mostAttention = Math.max(1e-9, ...attention);
    const mostDrop = Math.max(1e-9, ...dropped.map(Math.abs));
    this.#chart.hidden = false;
    this.#chart.setAttribute('aria-label', `${text().attention}, ${text().drop}: ${nameOf(causes.targetWords[row]!)}`);
    const [rankA, rankD] = [rankOf(attention), rankOf(dropped)];
    this.#chart.replaceChildren(
      element(
        'table',
        {},
        element('thead', {}, element('tr', {}, ...[text().attention, text().source, text().drop].map((head) => element('th', { scope: 'col' }, head)))),
        element(
          'tbody',
          {},
          ...causes.sourceWords.map((label, i) =>
            element(
              'tr',
              {},
              barCell('attention', attention[i]! / mostAttention, formatWeight(attention[i]!), text().rank(rankA[i]!)),
              element('th', { scope: 'row' }, nameOf(label)),
              barCell(dropped[i]! < 0 ? 'gain' : 'drop', Math.abs(dropped[i]!) / mostDrop, signed(dropped[i]!), text().rank(rankD[i]!)),
            ),
          ),
        ),
      ),
    );
  }

  scene(title: string, colours: Tokens): Scene {
    const causes = this.#causes!;
    const row = this.#row;
    const [margin, line, bar, middle] = [24, 30, 300, 150];
    const attention = causes.attention[row]!;
    const dropped = causes.drops[row]!;
    const mostAttention = Math.max(1e-9, ...attention);
    const mostDrop = Math.max(1e-9, ...dropped.map(Math.abs));
    const centre = margin + bar + middle / 2;
    const right = margin + bar + middle;
    const rho = causes.correlation[row] ?? null;
    const small = { kind: 'text', size: 13, fill: colours.quiet } as const;
    const shapes: Shape[] = [
      { kind: 'text', x: margin, y: margin + 18, text: nameOf(causes.targetWords[row]!), size: 21, family: 'serif', fill: colours.ink },
      { ...small, x: margin, y: margin + 42, text: rho === null ? text().noOrder : text().order(signed(rho), causes.sourceWords.length) },
      { ...small, x: margin + bar, y: margin + 76, anchor: 'end', text: text().attention, bold: true },
      { ...small, x: right, y: margin + 76, text: text().drop, bold: true },
    ];
    for (const [i, label] of causes.sourceWords.entries()) {
      const y = margin + 90 + i * line;
      const widthA = (bar * attention[i]!) / mostAttention;
      const widthD = (bar * Math.abs(dropped[i]!)) / mostDrop;
      const keys = [`r${i}`];
      shapes.push(
        { kind: 'rectangle', x: margin + bar - widthA, y, width: widthA, height: 18, radius: 2, fill: attentionColour(), keys, tip: `${nameOf(label)}: ${text().attention} ${formatWeight(attention[i]!)}` },
        { kind: 'rectangle', x: right, y, width: widthD, height: 18, radius: 2, fill: dropped[i]! < 0 ? colours.line : dropColour(), keys, tip: `${nameOf(label)}: ${text().drop} ${signed(dropped[i]!)}` },
        { kind: 'text', x: centre, y: y + 14, text: nameOf(label), size: 16, family: 'serif', anchor: 'middle', fill: colours.ink, keys },
        { ...small, x: right + widthD + 8, y: y + 14, text: signed(dropped[i]!), keys },
        { ...small, x: margin + bar - widthA - 8, y: y + 14, text: formatWeight(attention[i]!), anchor: 'end', keys },
      );
    }
    // Room on both sides for the numbers of the longest bars.
    for (const shape of shapes) if ('x' in shape) shape.x += 60;
    return {
      title,
      width: margin * 2 + bar * 2 + middle + 120,
      height: margin * 2 + 96 + causes.sourceWords.length * line,
      background: colours.paper,
      shapes,
    };
  }
}

const attentionColour = () => colourAt(theme() === 'light' ? 0.55 : 0.5, theme());
const dropColour = () => colourAt(theme() === 'light' ? 0.85 : 0.85, theme());

function barCell(kind: string, share: number, value: string, title: string): HTMLElement {
  const bar = element('span', { class: `cause-bar cause-bar-${kind}` });
  bar.style.setProperty('--share', String(share));
  return element('td', { class: `cause-${kind === 'attention' ? 'left' : 'right'}`, title }, element('span', { class: 'cause-cell' }, bar, element('span', { class: 'cause-value' }, value)));
}

/** 1 for the largest. */
function rankOf(values: readonly number[]): number[] {
  return values.map((value) => 1 + values.filter((other) => other > value).length);
}

function verdict(rho: number): string {
  if (rho >= 0.8) return text().strong;
  if (rho >= 0.4) return text().weak;
  return rho > -0.4 ? text().none : text().against;
}

/** With a real minus sign, which nothing has. */
function signed(value: number): string {
  const text = value.toFixed(2);
  return text === '-0.00' ? '0.00' : text.replace('-', '−');
}
