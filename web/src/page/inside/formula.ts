// MathML, drawn by the browser itself.

import { formatNumber } from './build';

type Part = Node | string | number;

function element(tag: string, ...children: Part[]): Element {
  const made = document.createElementNS('http://www.w3.org/1998/Math/MathML', tag);
  made.append(...children.map((child) => (child instanceof Node ? child : part(child))));
  return made;
}

/** Numbers become <mn>, words of letters <mi>, all else <mo>. */
function part(value: string | number): Node {
  if (typeof value === 'number') return number(value);
  const tag = /^[\p{L}\p{N}_′]+$/u.test(value) ? 'mi' : 'mo';
  const made = document.createElementNS('http://www.w3.org/1998/Math/MathML', tag);
  made.textContent = value;
  return made;
}

function number(value: number): Element {
  const made = document.createElementNS('http://www.w3.org/1998/Math/MathML', 'mn');
  const text = formatNumber(value);
  made.textContent = text;
  return text.startsWith('−') ? element('mrow', part('('), made, part(')')) : made;
}

export const row = (...parts: Part[]) => element('mrow', ...parts);
export const sub = (base: Part, index: Part) => element('msub', base, index);
export const sup = (base: Part, exponent: Part) => element('msup', base, exponent);
export const fraction = (over: Part, under: Part) => element('mfrac', over, under);
export const root = (of: Part) => element('msqrt', of);

/** A whole number, as it is. */
export function count(value: number): Element {
  const made = document.createElementNS('http://www.w3.org/1998/Math/MathML', 'mn');
  made.textContent = String(value);
  return made;
}

/** Words: names of tokens, of functions of more than one letter. */
export function words(text: string): Element {
  const made = document.createElementNS('http://www.w3.org/1998/Math/MathML', 'mtext');
  made.textContent = text;
  return made;
}

/** The one whose numbers are put in is marked, so that the eye finds the result. */
export function result(value: number): Element {
  const made = document.createElementNS('http://www.w3.org/1998/Math/MathML', 'mn');
  made.textContent = formatNumber(value);
  made.setAttribute('class', 'formula-result');
  return made;
}

/** (0.12, 0.3, …) of the first numbers of a vector. */
export function vector(values: ArrayLike<number>, shown = 3): Element {
  const parts: Part[] = ['('];
  for (let i = 0; i < Math.min(shown, values.length); i++) {
    if (i > 0) parts.push(',');
    const made = document.createElementNS('http://www.w3.org/1998/Math/MathML', 'mn');
    made.textContent = formatNumber(values[i]!);
    parts.push(made);
  }
  if (values.length > shown) parts.push(',', '…');
  return row(...parts, ')');
}

/** a₁·b₁ + a₂·b₂ + ⋯ + aₙ·bₙ. */
export function products(a: ArrayLike<number>, b: ArrayLike<number>): Element {
  const n = Math.min(a.length, b.length);
  const parts: Part[] = [];
  const term = (i: number) => parts.push(a[i]!, '·', b[i]!);
  for (let i = 0; i < Math.min(2, n); i++) {
    if (i > 0) parts.push('+');
    term(i);
  }
  if (n > 3) parts.push('+', '⋯');
  if (n > 2) {
    parts.push('+');
    term(n - 1);
  }
  return row(...parts);
}

/** One line of a formula. */
export function line(...parts: Part[]): Element {
  const math = element('math', row(...parts));
  math.setAttribute('display', 'block');
  return math;
}
