/** The element with this id; the page and its script are built together, so a missing one is a bug. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no element #${id} in index.html`);
  return element as T;
}

/** A named radio button as a segment of a control; the browser does focus and arrow keys. */
export function segment(name: string, value: string, text: string, checked: boolean): HTMLElement {
  const label = document.createElement('label');
  label.className = 'segment';
  const input = document.createElement('input');
  input.type = 'radio';
  input.name = name;
  input.value = value;
  input.checked = checked;
  const shown = document.createElement('span');
  shown.textContent = text;
  label.append(input, shown);
  return label;
}
