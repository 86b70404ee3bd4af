// A panel's questions to the engine: only the newest answer counts, and a failure is told below the title.

import { isAbort } from '../../lib/protocol';
import { text } from './texts';

export class Question {
  readonly #note: HTMLElement;
  readonly #state: (state: 'working' | 'done' | 'failed') => void;
  #newest = 0;

  constructor(note: HTMLElement, state: (state: 'working' | 'done' | 'failed') => void) {
    this.#note = note;
    this.#state = state;
  }

  /** What is under way no longer matters. */
  drop(): void {
    this.#newest++;
  }

  /**
   * Asks once, or step by step: `ask` ends as soon as `current` says that a newer question took its place.
   * `show` draws what it returns, if it is still wanted.
   */
  async put<T>(ask: (current: () => boolean) => Promise<T>, show: (answer: T) => void): Promise<void> {
    const asked = ++this.#newest;
    const current = () => asked === this.#newest;
    this.#state('working');
    try {
      const answer = await ask(current);
      if (!current()) return;
      this.#note.textContent = '';
      show(answer);
      this.#state('done');
    } catch (error) {
      if (!current()) return;
      this.#note.textContent = isAbort(error) ? '' : text().failed((error as Error).message);
      this.#state('failed');
    }
  }
}
