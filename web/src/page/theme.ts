// Light or dark: the system's, until the visitor chooses. public/theme.js sets the choice before the
// first paint; style.css draws it.

export type Choice = 'system' | 'light' | 'dark';

const kStorageKey = 'translucent.theme';
const kPaper = { light: '#faf9f6', dark: '#121413' };
const system = () => matchMedia('(prefers-color-scheme: dark)');
const changed = new Set<() => void>();

/** What the visitor chose. */
export function themeChoice(): Choice {
  const { theme } = document.documentElement.dataset;
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

/** What is on the screen: for what is drawn on a canvas. */
export function theme(): 'light' | 'dark' {
  const choice = themeChoice();
  return choice === 'system' ? (system().matches ? 'dark' : 'light') : choice;
}

export function chooseTheme(choice: Choice): void {
  const { dataset } = document.documentElement;
  if (choice === 'system') delete dataset.theme;
  else dataset.theme = choice;
  try {
    if (choice === 'system') localStorage.removeItem(kStorageKey);
    else localStorage.setItem(kStorageKey, choice);
  } catch {
    // Storage denied: the choice holds until the page is closed.
  }
  announce();
}

/** Calls `draw` whenever light becomes dark or dark light. */
export function onTheme(draw: () => void): void {
  changed.add(draw);
}

function announce(): void {
  // The browser's own frame follows as well; without a choice each of the two colours has its medium.
  const choice = themeChoice();
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')) {
    const own = meta.media.includes('dark') ? 'dark' : 'light';
    meta.content = kPaper[choice === 'system' ? own : choice];
  }
  for (const draw of changed) draw();
}

/** Once, when the page starts. */
export function mountTheme(): void {
  system().addEventListener('change', announce);
  announce();
}
