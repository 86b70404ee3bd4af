// Every view as a file: SVG (vectors), PNG, CSV, JSON, and one HTML file that needs nothing else.

import { messages } from '../i18n';
import { tokens } from './colour';
import { element } from './element';
import { escape, framed, paint, type Scene, toSvg } from './scene';
import style from './standalone.css?raw';
import code from './standalone.js?raw';

const text = messages({
  en: {
    export: 'Export',
    svg: 'SVG, vectors',
    png: 'PNG, picture',
    csv: 'CSV, table',
    json: 'JSON, data',
    html: 'HTML, opens anywhere',
    hint: 'Point at a word or a mark to read its values.',
    save: 'Save the data',
    made: 'Made with Translucent, a Transformer translator you can see through.',
    failed: 'The browser could not draw the picture: it is too large. SVG works.',
  },
  de: {
    export: 'Exportieren',
    svg: 'SVG, Vektoren',
    png: 'PNG, Bild',
    csv: 'CSV, Tabelle',
    json: 'JSON, Daten',
    html: 'HTML, öffnet überall',
    hint: 'Auf ein Wort oder eine Marke zeigen, um die Werte zu lesen.',
    save: 'Daten speichern',
    made: 'Erstellt mit Translucent, einem Transformer-Übersetzer, durch den man hindurchsehen kann.',
    failed: 'Der Browser konnte das Bild nicht zeichnen: Es ist zu groß. SVG geht.',
  },
  zh: {
    export: '导出',
    svg: 'SVG 矢量图',
    png: 'PNG 图片',
    csv: 'CSV 表格',
    json: 'JSON 数据',
    html: 'HTML 单文件',
    hint: '指向一个词或标记即可读取数值。',
    save: '保存数据',
    made: '由 Translucent 生成：一个看得透的 Transformer 翻译器。',
    failed: '图太大，浏览器无法绘制。SVG 可用。',
  },
});

export const kFormats = ['svg', 'png', 'csv', 'json', 'html'] as const;
export type Format = (typeof kFormats)[number];

/** A view as it is at this moment. */
export interface Exportable {
  /** Of the file, without its ending. */
  name: string;
  scene: Scene;
  source: string;
  target: string;
  /** First row: the columns' names. */
  table: (string | number)[][];
  /** Everything JSON can hold. */
  data: object;
}

const kTypes: Record<Format, string> = {
  svg: 'image/svg+xml',
  png: 'image/png',
  csv: 'text/csv',
  json: 'application/json',
  html: 'text/html',
};
/** Canvases beyond this many pixels on a side are not drawn by every browser. */
const kLargestCanvas = 16_000;

/** RFC 4180: fields with commas, quotes or line breaks in quotes, quotes doubled, lines end in CRLF. */
export function toCsv(table: readonly (readonly (string | number)[])[]): string {
  const field = (value: string | number) =>
    typeof value === 'string' && /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : String(value);
  return table.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

/** One file with drawing, data and the code that makes it answer; fetches nothing. */
export function toHtml({ name, scene, source, target, data }: Exportable, colours: Record<string, string>, lang: string): string {
  const custom = Object.entries(colours).map(([key, value]) => `--${key}: ${value};`).join(' ');
  // "<" would end the script's text where it stands before "/script" or "!--".
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(scene.title)}</title>
<style>
:root { ${custom} }
${style}</style>
</head>
<body data-name="${escape(name)}">
<h1>${escape(scene.title)}</h1>
<p id="sentence">${escape(source)} → ${escape(target)}</p>
<p id="readout" aria-live="polite">${escape(text().hint)}</p>
<figure>
${toSvg(scene)}
</figure>
<footer><button type="button" id="save">${escape(text().save)}</button><span>${escape(text().made)}</span></footer>
<script type="application/json" id="data">${json}</script>
<script>
${code}</script>
</body>
</html>
`;
}

async function toPng({ width, height, background, shapes }: Scene): Promise<Blob> {
  const scale = Math.min(2, kLargestCanvas / Math.max(width, height));
  const canvas = element('canvas');
  canvas.width = Math.ceil(width * scale);
  canvas.height = Math.ceil(height * scale);
  const context = canvas.getContext('2d');
  if (!context) throw new Error(text().failed);
  context.fillStyle = background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(scale, scale);
  paint(context, shapes);
  return new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error(text().failed))), 'image/png');
  });
}

async function fileOf(view: Exportable, format: Format): Promise<Blob> {
  const picture = () => framed(view.scene, `${view.source} → ${view.target}`, tokens());
  if (format === 'png') return toPng(picture());
  const content = {
    svg: () => `<?xml version="1.0" encoding="UTF-8"?>\n${toSvg(picture())}\n`,
    // Spreadsheets take a CSV for UTF-8 only with this mark.
    csv: () => `\ufeff${toCsv(view.table)}`,
    json: () => `${JSON.stringify(view.data, null, 1)}\n`,
    html: () => toHtml(view, { ...tokens() }, document.documentElement.lang || 'en'),
  }[format]();
  return new Blob([content], { type: `${kTypes[format]};charset=utf-8` });
}

/** A button that opens the list of formats. `current` is asked when one is chosen. */
export class ExportMenu {
  readonly element = element('details', { class: 'export' });
  readonly #onError: (message: string) => void;

  constructor(current: () => Exportable | null, onError: (message: string) => void) {
    this.#onError = onError;
    this.element.addEventListener('click', (event) => {
      const button = (event.target as Element).closest<HTMLElement>('button[data-format]');
      if (!button) return;
      this.element.open = false;
      this.element.querySelector('summary')?.focus();
      const view = current();
      if (view) void this.#save(view, button.dataset.format as Format);
    });
    this.element.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !this.element.open) return;
      this.element.open = false;
      this.element.querySelector('summary')?.focus();
    });
    document.addEventListener('pointerdown', (event) => {
      if (!this.element.contains(event.target as Node)) this.element.open = false;
    });
  }

  draw(): void {
    this.element.replaceChildren(
      element('summary', {}, text().export),
      element(
        'div',
        { class: 'export-list' },
        ...kFormats.map((format) => element('button', { type: 'button', 'data-format': format }, text()[format])),
      ),
    );
  }

  async #save(view: Exportable, format: Format): Promise<void> {
    try {
      const url = URL.createObjectURL(await fileOf(view, format));
      element('a', { href: url, download: `${view.name}.${format}` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    } catch (error) {
      this.#onError((error as Error).message);
    }
  }
}
