// A drawing as a list of shapes, in CSS pixels. Written as SVG for files, painted on a canvas for the
// screen and for PNG: what is exported is what was seen.

/** What a shape belongs to ("r3", "c5"): pointing at one lights those that share it. */
type Keys = readonly string[];

interface Common {
  keys?: Keys;
  /** Said when it is pointed at. */
  tip?: string;
}

export interface Rectangle extends Common {
  kind: 'rectangle';
  x: number;
  y: number;
  width: number;
  height: number;
  fill: string;
  radius?: number;
}

/** A cubic Bézier curve: from, two control points, to. */
export type Curve = readonly [number, number, number, number, number, number, number, number];

export interface Line extends Common {
  kind: 'curve';
  points: Curve;
  stroke: string;
  width: number;
  opacity: number;
}

export interface Writing extends Common {
  kind: 'text';
  x: number;
  /** Of the baseline. */
  y: number;
  text: string;
  size: number;
  fill: string;
  anchor?: 'start' | 'middle' | 'end';
  family?: 'serif' | 'sans';
  italic?: boolean;
  bold?: boolean;
  /** Read from top to bottom. */
  upright?: boolean;
}

export type Shape = Rectangle | Line | Writing;

export interface Scene {
  title: string;
  width: number;
  height: number;
  background: string;
  shapes: Shape[];
}

export const kFamilies = {
  serif: "'Source Serif 4', 'Iowan Old Style', Palatino, 'Noto Serif', 'Songti SC', 'Noto Serif CJK SC', Georgia, serif",
  sans: "'Inter', system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif",
};

/** Draws on a context whose transform maps the scene's pixels; the background is the caller's. */
export function paint(context: CanvasRenderingContext2D, shapes: readonly Shape[]): void {
  context.lineCap = 'round';
  for (const shape of shapes) {
    switch (shape.kind) {
      case 'rectangle':
        context.fillStyle = shape.fill;
        if (shape.radius) {
          context.beginPath();
          context.roundRect(shape.x, shape.y, shape.width, shape.height, shape.radius);
          context.fill();
        } else {
          context.fillRect(shape.x, shape.y, shape.width, shape.height);
        }
        break;
      case 'curve': {
        const [x0, y0, x1, y1, x2, y2, x3, y3] = shape.points;
        context.globalAlpha = shape.opacity;
        context.strokeStyle = shape.stroke;
        context.lineWidth = shape.width;
        context.beginPath();
        context.moveTo(x0, y0);
        context.bezierCurveTo(x1, y1, x2, y2, x3, y3);
        context.stroke();
        context.globalAlpha = 1;
        break;
      }
      case 'text': {
        context.save();
        context.translate(shape.x, shape.y);
        if (shape.upright) context.rotate(Math.PI / 2);
        context.font = `${shape.italic ? 'italic ' : ''}${shape.bold ? '600 ' : ''}${shape.size}px ${kFamilies[shape.family ?? 'sans']}`;
        context.textAlign = ({ start: 'left', middle: 'center', end: 'right' } as const)[shape.anchor ?? 'start'];
        context.fillStyle = shape.fill;
        context.fillText(shape.text, 0, 0);
        context.restore();
        break;
      }
    }
  }
}

/** The drawing with room around it and what it shows above it: what a picture needs that stands alone. */
export function framed(scene: Scene, sentence: string, { ink, quiet }: { ink: string; quiet: string }): Scene {
  const margin = 28;
  const size = { title: 22, sentence: 16 };
  const room = Math.max(scene.width, 640);
  const fit = (text: string, pixels: number): string => {
    const characters = [...text];
    const share = room / (widthsOf([text], pixels, 'serif')[0] || 1);
    return share >= 1 ? text : `${characters.slice(0, Math.floor(characters.length * share) - 1).join('')}…`;
  };
  const top = margin + size.title + 12 + size.sentence + 24;
  const left = margin + (room - scene.width) / 2;
  const moved = scene.shapes.map((shape): Shape => {
    if (shape.kind !== 'curve') return { ...shape, x: shape.x + left, y: shape.y + top };
    const [x0, y0, x1, y1, x2, y2, x3, y3] = shape.points;
    return { ...shape, points: [x0 + left, y0 + top, x1 + left, y1 + top, x2 + left, y2 + top, x3 + left, y3 + top] };
  });
  const written = (text: string, pixels: number, y: number, fill: string): Shape => ({
    kind: 'text', x: margin, y, text: fit(text, pixels), size: pixels, fill, family: 'serif',
  });
  return {
    ...scene,
    width: room + 2 * margin,
    height: scene.height + top + margin,
    shapes: [
      written(scene.title, size.title, margin + size.title, ink),
      written(sentence, size.sentence, margin + size.title + 12 + size.sentence, quiet),
      ...moved,
    ],
  };
}

/** A whole SVG document, vectors and text only. */
export function toSvg({ title, width, height, background, shapes }: Scene): string {
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${number(width)} ${number(height)}" width="${number(width)}" height="${number(height)}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<rect width="100%" height="100%" fill="${background}"/>`,
  ];
  for (const shape of shapes) {
    const keys = shape.keys ? ` data-keys="${escape(shape.keys.join(' '))}"` : '';
    const tip = shape.tip === undefined ? '' : `<title>${escape(shape.tip)}</title>`;
    switch (shape.kind) {
      case 'rectangle': {
        const radius = shape.radius ? ` rx="${number(shape.radius)}"` : '';
        parts.push(
          `<rect x="${number(shape.x)}" y="${number(shape.y)}" width="${number(shape.width)}" height="${number(shape.height)}"${radius} fill="${shape.fill}"${keys}${end('rect', tip)}`,
        );
        break;
      }
      case 'curve': {
        const [x0, y0, ...rest] = shape.points.map(number);
        parts.push(
          `<path d="M${x0} ${y0}C${rest.join(' ')}" fill="none" stroke="${shape.stroke}" stroke-width="${number(shape.width)}" stroke-opacity="${number(shape.opacity)}" stroke-linecap="round"${keys}${end('path', tip)}`,
        );
        break;
      }
      case 'text': {
        const turn = shape.upright ? ` transform="rotate(90 ${number(shape.x)} ${number(shape.y)})"` : '';
        parts.push(
          `<text x="${number(shape.x)}" y="${number(shape.y)}" font-family="${escape(kFamilies[shape.family ?? 'sans'])}" font-size="${number(shape.size)}"${shape.italic ? ' font-style="italic"' : ''}${shape.bold ? ' font-weight="600"' : ''} text-anchor="${shape.anchor ?? 'start'}" fill="${shape.fill}"${turn}${keys}>${escape(shape.text)}${tip}</text>`,
        );
        break;
      }
    }
  }
  parts.push('</svg>');
  return parts.join('\n');
}

const end = (tag: string, tip: string) => (tip ? `>${tip}</${tag}>` : '/>');

/** At most two decimals: a hundredth of a pixel is not seen. */
const number = (value: number) => String(Math.round(value * 100) / 100);

export function escape(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  // Control characters have no place in XML.
  return text.replace(/[&<>"]/g, (c) => entities[c]!).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '');
}

let measuring: CanvasRenderingContext2D | null = null;

/** Widths of texts, in pixels. On a canvas: asking elements for their boxes would lay out the page. */
export function widthsOf(texts: readonly string[], size: number, family: keyof typeof kFamilies = 'sans'): number[] {
  measuring ??= document.createElement('canvas').getContext('2d');
  if (!measuring) return texts.map((text) => text.length * size * 0.6);
  measuring.font = `${size}px ${kFamilies[family]}`;
  return texts.map((text) => measuring!.measureText(text).width);
}
