// The view code of an exported page: pointing at a shape, or focusing it, lights what it belongs to and
// reads it out. Shapes name what they belong to in data-keys; the numbers are in #data. Runs alone.
(() => {
  const svg = document.querySelector('svg');
  const readout = document.querySelector('#readout');
  const shapes = [...svg.querySelectorAll('[data-keys]')].map((node) => ({
    node,
    keys: node.dataset.keys.split(' '),
    tip: node.querySelector('title')?.textContent ?? '',
  }));
  // The browser's own tooltips would come late and hide what is under them.
  for (const { node, tip } of shapes) {
    node.querySelector('title')?.remove();
    if (tip) node.setAttribute('aria-label', tip);
  }
  const words = shapes.filter(({ keys }) => keys.length === 1);
  for (const { node } of words) node.setAttribute('tabindex', '0');
  const hint = readout.textContent;

  function light(found) {
    svg.classList.toggle('lighting', Boolean(found));
    for (const { node, keys } of shapes) {
      // A word lights all that is its own; a link or cell only itself and its two words.
      const lit =
        found &&
        (found.keys.length === 1
          ? keys.includes(found.keys[0])
          : node === found.node || (keys.length === 1 && found.keys.includes(keys[0])));
      node.classList.toggle('lit', Boolean(lit));
    }
    if (!found) {
      readout.textContent = hint;
      return;
    }
    const tips = found.keys.length === 1 ? shapes.filter(({ keys, tip }) => tip && keys.includes(found.keys[0])) : [found];
    const strongest = tips
      .map(({ tip }) => tip)
      .sort((a, b) => Number(b.split(' ').at(-1)) - Number(a.split(' ').at(-1)))
      .slice(0, 5);
    readout.textContent = strongest.join(' · ') || found.node.textContent;
  }
  const shapeOf = (target) => shapes.find(({ node }) => node === target || node.contains(target));
  svg.addEventListener('pointerover', (event) => light(shapeOf(event.target)));
  svg.addEventListener('pointerleave', () => light(null));
  svg.addEventListener('focusin', (event) => light(shapeOf(event.target)));
  svg.addEventListener('focusout', () => light(null));

  const data = JSON.parse(document.querySelector('#data').textContent);
  document.querySelector('#save').addEventListener('click', () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([JSON.stringify(data, null, 1)], { type: 'application/json' }));
    link.download = `${document.body.dataset.name}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
})();
