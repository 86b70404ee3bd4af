// Errors, where nobody can miss them.

import { byId } from './dom';

/** Shows a sentence and, where it helps, a button that tries again. */
export function showAlert(message: string, retry?: () => void): void {
  const box = byId('alert');
  const text = document.createElement('p');
  text.textContent = message;
  box.replaceChildren(text);
  if (retry) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Try again';
    button.addEventListener('click', () => {
      hideAlert();
      retry();
    });
    box.append(button);
  }
  box.hidden = false;
}

export function hideAlert(): void {
  const box = byId('alert');
  box.hidden = true;
  box.replaceChildren();
}
