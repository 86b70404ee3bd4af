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

  // The last number of what a shape says of itself.
  const weightOf = ({ tip }) => Number(tip.replaceAll('−', '-').match(/-?\d[\d.]*(e-\d+)?(?=\D*$)/)?.[0] ?? 0);

  function light(found) {
    svg.classList.toggle('lighting', Boolean(found));
    // A word lights all that is its own, and of the words at the other ends the five that matter most to it;
    // a link or cell lights only itself and its two words.
    const whole = found?.keys.length === 1;
    const own = whole ? shapes.filter(({ keys }) => keys.includes(found.keys[0])) : found ? [found] : [];
    const strongest = own.filter(({ tip }) => tip).sort((a, b) => weightOf(b) - weightOf(a)).slice(0, 5);
    const ends = new Set(strongest.flatMap(({ keys }) => keys));
    const lit = new Set(own);
    for (const shape of words) if (ends.has(shape.keys[0])) lit.add(shape);
    for (const shape of shapes) shape.node.classList.toggle('lit', lit.has(shape));
    readout.textContent = found ? strongest.map(({ tip }) => tip).join(' · ') || found.node.textContent : hint;
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
