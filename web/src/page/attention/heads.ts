// "All heads": a small picture of every head of one stack, a layer a row, and what each does on this
// sentence. A picture is one pixel a weight, written at once and stretched by the browser.

import { formatWeight } from '../format';
import { messages } from '../i18n';
import {
  type HeadRole,
  kDistinct,
  kOverEven,
  kShare,
  kSpread,
  type Pattern,
  type Role,
  roleOf,
  weightsOf,
} from './analysis';
import { onTheme, theme } from '../theme';
import { bytesOf, colourOf, position, type Tokens } from './colour';
import { element } from './element';
import type { Scene, Shape } from './scene';
import { type Choice, type Explained, type Reading, type Stack, type View, viewOf } from './view';

const text = messages({
  en: {
    layer: (n: number) => `Layer ${n}`,
    head: (n: number) => `Head ${n}`,
    mean: 'Mean',
    max: 'Max',
    rollout: 'Rollout',
    roles: {
      previous: 'previous token',
      next: 'next token',
      same: 'same word',
      start: 'start',
      end: 'end',
      separator: 'separator',
      aligned: 'aligned',
      spread: 'spread',
      mixed: 'mixed',
    } satisfies Record<Role, string>,
    filter: 'Show only heads that do this',
    rules: 'How the heads are named',
    rule: `A head gets the name of the pattern that gathers most of its attention on this sentence, averaged over the text’s tokens, if that is at least ${kShare * 100} % and at least ${kOverEven} times what even attention would give it.`,
    patterns: {
      previous: 'the token before; in the decoder the one written last',
      next: 'the token after',
      same: 'the pieces of the same word, itself included',
      start: 'the start symbol',
      end: 'the end of the sentence',
      separator: 'punctuation, seen from other tokens',
      aligned: `the one source token looked at most, where the largest weights of the rows fall on at least ${kDistinct * 100} % as many different source tokens as they could`,
      spread: `none of these, and the mean entropy of the rows is at least ${kSpread * 100} % of the largest possible`,
      mixed: 'none of these',
    } satisfies Record<Role, string>,
    summaries:
      'Mean and Max are taken over the heads of a layer, weight by weight; rows of Max do not add up to 1. Rollout multiplies the layers up to this one, each as half its mean over heads and half the identity, which stands for the residual connection (Abnar & Zuidema 2020); for cross-attention the encoder’s and the decoder’s own flow go in too, and rows are scaled to add up to 1.',
    open: 'Click a picture to open it in Matrix.',
  },
  de: {
    layer: (n: number) => `Schicht ${n}`,
    head: (n: number) => `Kopf ${n}`,
    mean: 'Mittel',
    max: 'Maximum',
    rollout: 'Rollout',
    roles: {
      previous: 'voriges Token',
      next: 'nächstes Token',
      same: 'selbes Wort',
      start: 'Anfang',
      end: 'Ende',
      separator: 'Satzzeichen',
      aligned: 'ausgerichtet',
      spread: 'verteilt',
      mixed: 'gemischt',
    } satisfies Record<Role, string>,
    filter: 'Nur Köpfe zeigen, die das tun',
    rules: 'Wie die Köpfe zu ihren Namen kommen',
    rule: `Ein Kopf heißt nach dem Muster, das in diesem Satz den größten Teil seiner Aufmerksamkeit bekommt, gemittelt über die Token des Textes, wenn es mindestens ${kShare * 100} % sind und mindestens ${kOverEven}-mal so viel, wie gleichmäßige Aufmerksamkeit ihm gäbe.`,
    patterns: {
      previous: 'das Token davor; im Decoder das zuletzt geschriebene',
      next: 'das Token danach',
      same: 'die Teile desselben Wortes, das Token selbst eingeschlossen',
      start: 'das Anfangssymbol',
      end: 'das Satzende',
      separator: 'Satzzeichen, von anderen Token aus',
      aligned: `das eine, am stärksten beachtete Quelltoken, wenn die größten Gewichte der Zeilen auf mindestens ${kDistinct * 100} % so viele verschiedene Quelltoken fallen wie möglich`,
      spread: `keines davon, und die mittlere Entropie der Zeilen ist mindestens ${kSpread * 100} % der größtmöglichen`,
      mixed: 'keines davon',
    } satisfies Record<Role, string>,
    summaries:
      'Mittel und Maximum gehen über die Köpfe einer Schicht, Gewicht für Gewicht; Zeilen des Maximums ergeben nicht 1. Rollout multipliziert die Schichten bis zu dieser, jede halb als Mittel ihrer Köpfe und halb als Einheitsmatrix, die für die Residualverbindung steht (Abnar & Zuidema 2020); bei der Cross-Attention gehen auch die Flüsse von Encoder und Decoder ein, und die Zeilen werden auf Summe 1 gebracht.',
    open: 'Ein Klick auf ein Bild öffnet es in der Matrix.',
  },
  zh: {
    layer: (n: number) => `第 ${n} 层`,
    head: (n: number) => `头 ${n}`,
    mean: '平均',
    max: '最大',
    rollout: 'Rollout',
    roles: {
      previous: '前一个词元',
      next: '后一个词元',
      same: '同一个词',
      start: '开始',
      end: '结束',
      separator: '标点',
      aligned: '对齐',
      spread: '分散',
      mixed: '混合',
    } satisfies Record<Role, string>,
    filter: '只显示这类注意力头',
    rules: '注意力头如何命名',
    rule: `在这个句子上，对文本的词元取平均，哪种模式得到的注意力最多，头就以它命名；条件是至少占 ${kShare * 100}%，并且至少是均匀注意力所得的 ${kOverEven} 倍。`,
    patterns: {
      previous: '前一个词元；在解码器中是刚写出的那个',
      next: '后一个词元',
      same: '同一个词的各个子词，包括自身',
      start: '开始符号',
      end: '句子结束符',
      separator: '标点（从其他词元看去）',
      aligned: `权重最大的那个源词元，条件是各行最大权重落在的不同源词元数至少为可能数目的 ${kDistinct * 100}%`,
      spread: `以上都不是，且各行平均熵至少为最大可能值的 ${kSpread * 100}%`,
      mixed: '以上都不是',
    } satisfies Record<Role, string>,
    summaries:
      '“平均”和“最大”在同一层的各头之间逐个权重计算；“最大”的行之和不为 1。Rollout 把到这一层为止的各层相乘，每层一半是各头的平均，一半是单位矩阵，代表残差连接（Abnar & Zuidema 2020）；对交叉注意力还计入编码器和解码器自身的流动，并把每行归一到 1。',
    open: '点击一张小图即可在矩阵中打开。',
  },
});

type Summary = 'mean' | 'max' | 'rollout';
const kSummaries: readonly Summary[] = ['mean', 'max', 'rollout'];

interface Thumbnail {
  choice: Choice & { layer: number };
  view: View;
  /** What a head does; summaries are not named. */
  role: HeadRole | null;
  button: HTMLButtonElement;
  canvas: HTMLCanvasElement;
}

export interface HeadsEvents {
  onOpen: (choice: Choice) => void;
  onPoint: (sentence: string | null, keyboard: boolean) => void;
}

export class AllHeads {
  readonly element = element('div', { class: 'heads' });
  readonly #chips = element('div', { class: 'chips', role: 'group' });
  readonly #grid = element('div', { class: 'heads-grid' });
  readonly #rules = element('details', { class: 'rules' });
  #thumbnails: Thumbnail[] = [];
  #explained: Explained | null = null;
  #only: Role | null = null;

  constructor(events: HeadsEvents) {
    this.element.append(this.#chips, this.#grid, this.#rules);
    const thumbnailOf = (event: Event) => {
      const button = (event.target as Element).closest<HTMLElement>('.thumbnail');
      return button ? this.#thumbnails[Number(button.dataset.index)] : undefined;
    };
    this.#grid.addEventListener('click', (event) => {
      const found = thumbnailOf(event);
      if (found) events.onOpen(found.choice);
    });
    for (const type of ['pointerover', 'focusin'] as const) {
      this.#grid.addEventListener(type, (event) => {
        const found = thumbnailOf(event);
        // The button says its own name; nothing is left to announce.
        if (found) events.onPoint(describeThumbnail(found), false);
      });
    }
    for (const type of ['pointerleave', 'focusout'] as const) {
      this.#grid.addEventListener(type, () => events.onPoint(null, false));
    }
    this.#chips.addEventListener('click', (event) => {
      const chip = (event.target as Element).closest<HTMLElement>('.chip');
      if (!chip) return;
      this.#only = chip.dataset.role === this.#only ? null : (chip.dataset.role as Role);
      this.#filter();
    });
    onTheme(() => this.#paint());
  }

  show(explained: Explained, stack: Stack, reading: Reading): void {
    this.#explained = explained;
    const { explanation } = explained;
    const [layers, heads] = explanation[stack].shape;
    this.#thumbnails = [];
    const rows: HTMLElement[] = [];
    for (let layer = 0; layer < layers; layer++) {
      const row = element('div', { class: 'heads-row' });
      for (const head of [...Array(heads).keys(), ...kSummaries]) {
        row.append(this.#add({ stack, layer, head }, reading));
      }
      rows.push(element('section', { class: 'heads-layer', 'aria-label': text().layer(layer + 1) }, element('h3', {}, text().layer(layer + 1)), row));
    }
    this.#grid.replaceChildren(...rows);
    this.#paint();
    this.#showChips();
    this.#showRules(stack);
  }

  #add(choice: Thumbnail['choice'], reading: Reading): HTMLButtonElement {
    const { explanation, sourceWords, targetWords } = this.#explained!;
    const view = viewOf(this.#explained!, choice, reading);
    const role =
      typeof choice.head === 'number'
        ? roleOf(weightsOf(explanation[choice.stack], choice.layer, choice.head), {
            stack: choice.stack,
            source: explanation.source.tokens,
            target: explanation.target.tokens,
            words: choice.stack === 'encoder' ? sourceWords : targetWords,
          })
        : null;
    const canvas = element('canvas', { class: 'thumbnail-picture', 'aria-hidden': 'true' });
    const thumbnail: Thumbnail = { choice, view, role, canvas, button: element('button') };
    thumbnail.button = element(
      'button',
      {
        type: 'button',
        class: role ? 'thumbnail' : 'thumbnail thumbnail-summary',
        'data-index': String(this.#thumbnails.length),
        'data-head': String(choice.head),
        'data-layer': String(choice.layer),
        'data-role': role?.role,
        'aria-label': describeThumbnail(thumbnail),
      },
      canvas,
      element(
        'span',
        { class: 'thumbnail-name', 'aria-hidden': 'true' },
        element('b', {}, typeof choice.head === 'number' ? String(choice.head + 1) : text()[choice.head]),
        role && element('span', { class: `role role-${role.role}` }, text().roles[role.role]),
      ),
    );
    this.#thumbnails.push(thumbnail);
    return thumbnail.button;
  }

  #paint(): void {
    const bytes = bytesOf(theme());
    for (const { canvas, view } of this.#thumbnails) {
      const [rows, columns] = [view.rows.length, view.columns.length];
      canvas.width = columns;
      canvas.height = rows;
      const context = canvas.getContext('2d');
      if (!context || rows === 0 || columns === 0) continue;
      const image = context.createImageData(columns, rows);
      for (let i = 0; i < rows * columns; i++) {
        const masked = view.masked(Math.floor(i / columns), i % columns);
        const at = Math.round(position(view.weights[i]!) * 255) * 3;
        image.data.set([bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, masked ? 0 : 255], i * 4);
      }
      context.putImageData(image, 0, 0);
    }
  }

  #showChips(): void {
    const counts = new Map<Role, number>();
    for (const { role } of this.#thumbnails) {
      if (role) counts.set(role.role, (counts.get(role.role) ?? 0) + 1);
    }
    if (this.#only && !counts.has(this.#only)) this.#only = null;
    this.#chips.setAttribute('aria-label', text().filter);
    this.#chips.replaceChildren(
      ...[...counts]
        .sort((a, b) => b[1] - a[1])
        .map(([role, count]) =>
          element(
            'button',
            { type: 'button', class: 'chip', 'data-role': role },
            element('span', { class: `role role-${role}` }, text().roles[role]),
            ' ',
            element('b', {}, String(count)),
          ),
        ),
    );
    this.#filter();
  }

  #filter(): void {
    for (const chip of this.#chips.querySelectorAll<HTMLElement>('.chip')) {
      chip.setAttribute('aria-pressed', String(chip.dataset.role === this.#only));
    }
    for (const { role, button } of this.#thumbnails) {
      button.classList.toggle('faded', this.#only !== null && role?.role !== this.#only);
    }
  }

  #showRules(stack: Stack): void {
    const shown: Record<Stack, readonly Role[]> = {
      encoder: ['previous', 'next', 'same', 'end', 'separator', 'spread', 'mixed'],
      decoder: ['previous', 'same', 'start', 'separator', 'spread', 'mixed'],
      cross: ['aligned', 'end', 'separator', 'spread', 'mixed'],
    };
    this.#rules.replaceChildren(
      element('summary', {}, text().rules),
      element('p', {}, text().rule),
      element(
        'dl',
        {},
        ...shown[stack].flatMap((role) => [
          element('dt', {}, element('span', { class: `role role-${role}` }, text().roles[role])),
          element('dd', {}, text().patterns[role]),
        ]),
      ),
      element('p', {}, text().summaries),
    );
  }

  get hint(): string {
    return text().open;
  }

  /** What the heads do, for files. */
  data(): { choice: Thumbnail['choice']; view: View; role: HeadRole | null }[] {
    return this.#thumbnails.map(({ choice, view, role }) => ({ choice, view, role }));
  }

  scene(title: string, colours: Tokens): Scene {
    const first = this.#thumbnails[0];
    if (!first) return { title, width: 1, height: 1, background: colours.paper, shapes: [] };
    const across = this.#thumbnails.filter(({ choice }) => choice.layer === 0).length;
    const [rows, columns] = [first.view.rows.length, first.view.columns.length];
    const scale = 108 / Math.max(rows, columns);
    const [width, height] = [columns * scale, rows * scale];
    const [margin, gap, caption, left] = [16, 16, 38, 70];
    const shapes: Shape[] = [];
    for (const [index, { choice, view, role }] of this.#thumbnails.entries()) {
      const x0 = margin + left + (index % across) * (108 + gap);
      const y0 = margin + choice.layer * (height + caption + gap);
      const name = typeof choice.head === 'number' ? text().head(choice.head + 1) : text()[choice.head];
      if (index % across === 0) {
        shapes.push({ kind: 'text', x: margin, y: y0 + 14, text: text().layer(choice.layer + 1), size: 14, fill: colours.ink, family: 'serif' });
      }
      shapes.push({ kind: 'rectangle', x: x0, y: y0, width, height, fill: colourOf(0, theme()) });
      for (let i = 0; i < rows * columns; i++) {
        const weight = view.weights[i]!;
        // The rest is the colour of nothing, drawn once behind it all.
        if (weight < 0.002) continue;
        const [row, column] = [Math.floor(i / columns), i % columns];
        shapes.push({
          kind: 'rectangle',
          x: x0 + column * scale,
          y: y0 + row * scale,
          width: scale,
          height: scale,
          fill: colourOf(weight, theme()),
        });
      }
      shapes.push({ kind: 'text', x: x0, y: y0 + height + 16, text: name, size: 12, bold: true, fill: colours.ink });
      if (role) {
        shapes.push({ kind: 'text', x: x0, y: y0 + height + 31, text: roleText(role), size: 12, fill: colours.quiet });
      }
    }
    const layers = this.#thumbnails.at(-1)!.choice.layer + 1;
    return {
      title,
      width: margin * 2 + left + across * (108 + gap) - gap,
      height: margin * 2 + layers * (height + caption + gap) - gap,
      background: colours.paper,
      shapes,
    };
  }
}

/** The share that gave a head its name, where one did. */
function roleText({ role, shares }: HeadRole): string {
  const share = shares[role as Pattern];
  return share === undefined ? text().roles[role] : `${text().roles[role]} ${formatWeight(share).slice(0, 4)}`;
}

function describeThumbnail({ choice, role }: Pick<Thumbnail, 'choice' | 'role'>): string {
  const name = typeof choice.head === 'number' ? text().head(choice.head + 1) : text()[choice.head as Summary];
  const parts = [text().layer(choice.layer + 1), name];
  if (role) {
    const shares = Object.entries(role.shares)
      .filter(([, share]) => share >= 0.005)
      .sort((a, b) => b[1] - a[1])
      .map(([pattern, share]) => `${text().roles[pattern as Pattern]} ${share.toFixed(2)}`);
    parts.push(`${text().roles[role.role]}${shares.length > 0 ? ` (${shares.join(', ')})` : ''}`);
  }
  return parts.join(', ');
}
