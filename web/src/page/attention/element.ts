// Elements with classes, attributes and children, in one expression.

export type Child = Node | string | null | undefined | false;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | boolean | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** A named set of radio buttons drawn as segments; the browser does focus and arrow keys. */
export function segments(name: string, options: readonly (readonly [value: string, text: string])[], chosen: string): HTMLElement {
  return element(
    'div',
    { class: 'segments' },
    ...options.map(([value, text]) => {
      const input = element('input', { type: 'radio', name, value });
      input.checked = value === chosen;
      return element('label', { class: 'segment' }, input, element('span', {}, text));
    }),
  );
}
