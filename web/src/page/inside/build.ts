// Short ways to make elements, and numbers as this part writes them.

type Child = Node | string;

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = '',
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number> = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

export function button(text: string, className: string, press: () => void): HTMLButtonElement {
  const made = make('button', className, text);
  made.type = 'button';
  made.addEventListener('click', press);
  return made;
}

/** Names a column of a table; the corner over the rows' names is no header. */
export function columnHead(title: string): HTMLTableCellElement {
  if (title === '') return make('td');
  const cell = make('th', '', title);
  cell.scope = 'col';
  return cell;
}

/** A check box that looks like a switch: on is how the model was trained. */
export function toggle(text: string, name: string, on: boolean, change: (on: boolean) => void) {
  const input = make('input');
  input.type = 'checkbox';
  input.name = name;
  input.checked = on;
  input.setAttribute('role', 'switch');
  input.addEventListener('change', () => change(input.checked));
  return make('label', 'inside-switch', input, make('span', 'inside-switch-track'), make('span', '', text));
}

/** A choice among numbers, shown from 1. */
export function numbers(
  legend: string,
  name: string,
  count: number,
  chosen: number,
  change: (index: number) => void,
): HTMLElement {
  const box = make('div', 'segments');
  for (let i = 0; i < count; i++) {
    const input = make('input');
    input.type = 'radio';
    input.name = name;
    input.value = String(i);
    input.checked = i === chosen;
    box.append(make('label', 'segment', input, make('span', '', String(i + 1))));
  }
  const group = make('fieldset', 'choose', make('legend', 'choose-label', legend), box);
  group.addEventListener('change', (event) => change(Number((event.target as HTMLInputElement).value)));
  return group;
}

/** Two to four significant digits, with a real minus sign. */
export function formatNumber(value: number): string {
  if (value === -Infinity) return '−∞';
  if (value === Infinity) return '∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  const digits =
    size >= 1e5 || size < 5e-4
      ? value.toExponential(1).replace('e+', 'e')
      : size >= 100
        ? value.toFixed(1)
        : size >= 10
          ? value.toFixed(2)
          : value.toFixed(3);
  return digits.replaceAll('-', '−');
}

/** 12,345,678 as 12.3 M. */
export function formatCount(value: number): string {
  const steps: [number, string][] = [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e3, ' k'],
  ];
  for (const [size, unit] of steps) {
    if (value >= size) return (value / size).toPrecision(3) + unit;
  }
  return String(value);
}

export function formatTime(milliseconds: number): string {
  const three = (value: number) => String(Number(value.toPrecision(3)));
  if (milliseconds >= 1000) return `${three(milliseconds / 1000)} s`;
  if (milliseconds >= 1) return `${three(milliseconds)} ms`;
  return `${three(milliseconds * 1000)} µs`;
}

/** A number on an axis: as short as it can be. */
export function formatTick(value: number): string {
  return String(Number(value.toPrecision(3))).replace('-', '−');
}

/** A piece as the page writes it: ▁ for the space it begins with, as it is. */
export function pieceText(piece: string): string {
  return piece === '' ? '▁' : piece;
}
