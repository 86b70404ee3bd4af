// Before the first paint: the theme the visitor chose, where it is not the system's (src/page/theme.ts).
try {
  const theme = localStorage.getItem('translucent.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage denied: the system's theme.
}
